//! The text of a key: `wb_live_` or `wb_test_`, the key's id, 256 random bits, a checksum.
//!
//! `wb_live_<32 hex id>_<64 hex secret>_<8 hex CRC-32C of all before the last underscore>`. The prefix is for scanners
//! that look for leaked secrets, the checksum keeps typing mistakes and noise away from the store. Only SHA-256 of the
//! text is kept: with 256 random bits nothing slower is needed.

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::domain::id::ApiKeyId;
use crate::runtime::Entropy;

const LIVE: &str = "wb_live_";
const TEST: &str = "wb_test_";
const OPERATOR: &str = "wb_operator_";

/// A new key: its text is shown once and kept nowhere.
pub struct NewKey {
    /// Public half.
    pub id: ApiKeyId,
    /// The whole text.
    pub text: Zeroizing<String>,
    /// What is kept.
    pub hash: [u8; 32],
}

impl NewKey {
    /// Draws a key.
    #[must_use]
    pub fn draw(entropy: &dyn Entropy, test: bool) -> Self {
        let id = ApiKeyId(entropy.id());
        let prefix = if test { TEST } else { LIVE };
        let text = sealed(format!("{prefix}{}_{}", hex::encode(id.0), secret(entropy)));
        Self {
            id,
            hash: hash(&text),
            text,
        }
    }
}

/// SHA-256 of a key's text.
#[must_use]
pub fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// The id in a key's text, if text and checksum are whole. Says nothing about whether there is such a key.
#[must_use]
pub fn parse(text: &str) -> Option<ApiKeyId> {
    let body = unsealed(text)?;
    let rest = body
        .strip_prefix(LIVE)
        .or_else(|| body.strip_prefix(TEST))?;
    let (id, secret) = rest.split_once('_')?;
    let mut bytes = [0; 16];
    hex::decode_to_slice(id, &mut bytes).ok()?;
    (secret.len() == 64 && secret.bytes().all(|b| b.is_ascii_hexdigit())).then_some(ApiKeyId(bytes))
}

/// Who may call the routes of the instance: SHA-256 of the operator's key, or nobody.
#[derive(Clone)]
pub struct OperatorKey(Option<[u8; 32]>);

impl OperatorKey {
    /// Nobody.
    #[must_use]
    pub fn nobody() -> Self {
        Self(None)
    }

    /// Whoever has the text with this SHA-256.
    #[must_use]
    pub fn from_hash(hash: [u8; 32]) -> Self {
        Self(Some(hash))
    }

    /// Draws one: the text for its owner, and what is kept.
    #[must_use]
    pub fn draw(entropy: &dyn Entropy) -> (Zeroizing<String>, Self) {
        let text = sealed(format!("{OPERATOR}{}", secret(entropy)));
        let kept = Self::from_hash(hash(&text));
        (text, kept)
    }

    /// Whether this is the operator's key, in constant time.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let Some(kept) = &self.0 else {
            return false;
        };
        text.starts_with(OPERATOR) && hash(text).ct_eq(kept).into()
    }
}

fn secret(entropy: &dyn Entropy) -> String {
    let mut bytes = Zeroizing::new([0; 32]);
    entropy.fill(bytes.as_mut());
    hex::encode(bytes.as_slice())
}

fn sealed(body: String) -> Zeroizing<String> {
    let sum = crc32c::crc32c(body.as_bytes());
    Zeroizing::new(format!("{}_{sum:08x}", Zeroizing::new(body).as_str()))
}

fn unsealed(text: &str) -> Option<&str> {
    let (body, sum) = text.rsplit_once('_')?;
    (sum == format!("{:08x}", crc32c::crc32c(body.as_bytes()))).then_some(body)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::SeededEntropy;

    #[test]
    fn a_key_says_who_it_is_and_any_changed_character_is_noticed() {
        let key = NewKey::draw(&SeededEntropy::new(1), false);
        assert_eq!(parse(&key.text), Some(key.id));
        assert_eq!(hash(&key.text), key.hash);
        for at in 0..key.text.len() {
            let mut changed = key.text.to_string().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).expect("ascii");
            assert_eq!(parse(&changed), None, "character {at}");
            assert_eq!(parse(&key.text[..at]), None, "cut at {at}");
        }
        assert!(
            NewKey::draw(&SeededEntropy::new(2), true)
                .text
                .starts_with(TEST)
        );
    }

    #[test]
    fn the_operator_is_whoever_has_the_text() {
        let (text, operator) = OperatorKey::draw(&SeededEntropy::new(3));
        assert!(operator.matches(&text));
        assert!(!operator.matches(&text[1..]));
        assert!(!operator.matches(""));
        assert!(!OperatorKey::nobody().matches(&text));
    }
}
