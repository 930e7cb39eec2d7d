//! Signing secrets of Standard Webhooks 1.0.0, symmetric scheme: `whsec_` + base64 of 24 to 64 bytes.
//!
//! A secret is wiped when dropped and shows nothing in debug output. `Secrets` is never empty, so that "send this
//! unsigned" cannot be written down.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode::Indifferent;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use zeroize::Zeroizing;

use super::error::BadSecret;

/// How a symmetric secret is recognised.
const PREFIX: &str = "whsec_";
/// 192 bits, the specification's minimum.
const MIN_BYTES: usize = 24;
/// 512 bits, the specification's maximum: HMAC-SHA256 gains nothing beyond its block.
const MAX_BYTES: usize = 64;
/// 64 bytes are 88 base64 characters; anything longer is refused before it is decoded.
const MAX_TEXT: usize = PREFIX.len() + 88;
/// Secrets live at once: the current one and what rotations left behind. 4 × 48 bytes stay far under every server's
/// header limit (8 KiB at the strictest).
pub const MAX_SECRETS: usize = 4;

/// The specification says "base64" and not whether it is padded, and its libraries differ; so both are read.
const LENIENT: GeneralPurpose =
    GeneralPurpose::new(&ALPHABET, GeneralPurposeConfig::new().with_decode_padding_mode(Indifferent));

/// How long a former secret goes on signing: time for the receiver to take the new one over.
const OVERLAP_S: u64 = 24 * 60 * 60;
/// Between a former secret and the second at which it ends. No character of base64.
const UNTIL: char = '@';

/// The secret that is in force, of the text that the vault keeps: `whsec_new whsec_former@<unix seconds>`, newest first.
#[must_use]
pub fn newest(kept: &str) -> &str {
    kept.split_whitespace().next().unwrap_or_default()
}

/// The text to keep once `given` is in force: what was in force before goes on signing for a day beside it.
#[must_use]
pub fn rotated(given: &str, kept: &str, now_s: u64) -> Zeroizing<String> {
    let mut text = Zeroizing::new(given.to_owned());
    let former = newest(kept);
    if former.is_empty() || former == given {
        return text;
    }
    text.push_str(&format!(" {former}{UNTIL}{}", now_s + OVERLAP_S));
    let older = kept.split_whitespace().skip(1).filter(|word| lives(word, now_s) && !is_of(word, given));
    for word in older.take(MAX_SECRETS - 2) {
        text.push(' ');
        text.push_str(word);
    }
    text
}

/// Whether a word of the kept text still signs.
fn lives(word: &str, now_s: u64) -> bool {
    let until = word.split_once(UNTIL).map(|(_, until)| until.parse::<u64>());
    until.is_none_or(|until| until.is_ok_and(|until| now_s < until))
}

fn is_of(word: &str, secret: &str) -> bool {
    word.split(UNTIL).next() == Some(secret)
}

/// One signing secret, opened. Wiped when dropped; `Debug` shows nothing.
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Reads `whsec_<base64 of 24 to 64 bytes>`, with or without padding.
    ///
    /// # Errors
    /// [`BadSecret`], which names what is wrong and repeats nothing of the text.
    pub fn parse(text: &str) -> Result<Self, BadSecret> {
        for asymmetric in ["whsk_", "whpk_"] {
            if text.starts_with(asymmetric) {
                return Err(BadSecret::Asymmetric(asymmetric));
            }
        }
        let encoded = text.strip_prefix(PREFIX).ok_or(BadSecret::Prefix)?;
        if text.len() > MAX_TEXT {
            return Err(BadSecret::Long);
        }
        let bytes = Zeroizing::new(LENIENT.decode(encoded).map_err(|_| BadSecret::Base64)?);
        Self::checked(bytes)
    }

    /// Makes a secret of random bytes that the caller has drawn.
    ///
    /// # Errors
    /// [`BadSecret::Short`] or [`BadSecret::Long`] outside 24 to 64 bytes.
    pub fn from_random(bytes: &[u8]) -> Result<Self, BadSecret> {
        Self::checked(Zeroizing::new(bytes.to_vec()))
    }

    fn checked(bytes: Zeroizing<Vec<u8>>) -> Result<Self, BadSecret> {
        match bytes.len() {
            short if short < MIN_BYTES => Err(BadSecret::Short(short)),
            long if long > MAX_BYTES => Err(BadSecret::Long),
            _ => Ok(Self(bytes)),
        }
    }

    /// The text form, to be shown to its owner once.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(MAX_TEXT));
        text.push_str(PREFIX);
        STANDARD.encode_string(self.0.as_slice(), &mut text);
        text
    }

    /// The HMAC key. Stays inside this room.
    pub(super) fn key(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// The live secrets of one endpoint, newest first: one, or several while a rotation lasts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Secrets(Arc<[Secret]>);

impl Secrets {
    /// Takes the live secrets, newest first.
    ///
    /// # Errors
    /// [`BadSecret::None`] for an empty list, [`BadSecret::TooMany`] beyond [`MAX_SECRETS`].
    pub fn new(newest_first: Vec<Secret>) -> Result<Self, BadSecret> {
        match newest_first.len() {
            0 => Err(BadSecret::None),
            many if many > MAX_SECRETS => Err(BadSecret::TooMany(many)),
            _ => Ok(Self(newest_first.into())),
        }
    }

    /// Reads the text that the vault keeps, as far as it still signs.
    ///
    /// # Errors
    /// [`BadSecret`] when one of them is none.
    pub fn read(kept: &str, now_s: u64) -> Result<Self, BadSecret> {
        let live = kept.split_whitespace().filter(|word| lives(word, now_s));
        let secrets = live.map(|word| Secret::parse(word.split(UNTIL).next().unwrap_or_default()));
        Self::new(secrets.collect::<Result<_, _>>()?)
    }

    /// How many there are: one, or several while a rotation lasts.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Newest first.
    pub(super) fn iter(&self) -> std::slice::Iter<'_, Secret> {
        self.0.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_survives_its_text_form_padded_or_not() {
        for length in [24, 25, 32, 64] {
            let bytes: Vec<u8> = (0..length).collect();
            let text = Secret::from_random(&bytes).expect("length in range").to_text();
            assert_eq!(Secret::parse(&text).expect("padded").key(), bytes);
            assert_eq!(Secret::parse(text.trim_end_matches('=')).expect("unpadded").key(), bytes);
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_nothing_is_repeated() {
        let long = format!("whsec_{}", STANDARD.encode([7_u8; 65]));
        let cases: [(&str, BadSecret); 8] = [
            ("", BadSecret::Prefix),
            ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", BadSecret::Prefix),
            ("whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", BadSecret::Asymmetric("whsk_")),
            ("whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", BadSecret::Asymmetric("whpk_")),
            ("whsec_not base64 at all, is it", BadSecret::Base64),
            ("whsec_", BadSecret::Short(0)),
            ("whsec_c2hvcnQ=", BadSecret::Short(5)),
            (&long, BadSecret::Long),
        ];
        for (text, expected) in cases {
            let error = Secret::parse(text).expect_err(text);
            assert_eq!(error, expected);
            assert!(text.len() < 12 || !error.to_string().contains(&text[6..]), "{error} repeats the secret");
        }
    }

    #[test]
    fn a_former_secret_signs_for_a_day_and_no_text_grows_without_end() {
        let secret = |n: u8| Secret::from_random(&[n; 32]).expect("32 bytes").to_text();
        let count = |text: &str, at: u64| Secrets::read(text, at).expect("secrets").len();
        let first = rotated(&secret(1), "", 0);
        assert_eq!(first, secret(1));
        let second = rotated(&secret(2), &first, 1_000);
        assert_eq!(newest(&second), secret(2).as_str());
        assert_eq!([count(&second, 1_000), count(&second, 87_399), count(&second, 87_400)], [2, 2, 1]);
        assert_eq!(rotated(&secret(3), &second, 87_400).split(' ').count(), 2, "what has ended is forgotten");
        let mut text = second;
        for n in 3..20 {
            text = rotated(&secret(n), &text, 1_000);
        }
        assert_eq!(count(&text, 1_000), MAX_SECRETS);
        let back = rotated(&secret(18), &text, 1_000);
        assert_eq!((newest(&back), back.matches(secret(18).as_str()).count()), (secret(18).as_str(), 1));
    }

    #[test]
    fn debug_output_shows_nothing() {
        let secret = Secret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("valid");
        let secrets = Secrets::new(vec![secret]).expect("one");
        assert_eq!(format!("{secrets:?}"), "Secrets([Secret(..)])");
    }

    #[test]
    fn no_secret_and_too_many_are_refused() {
        let draw = |n: u8| Secret::from_random(&[n; 32]).expect("32 bytes");
        assert_eq!(Secrets::new(vec![]).expect_err("none"), BadSecret::None);
        assert!(Secrets::new((0..4).map(draw).collect()).is_ok());
        assert_eq!(Secrets::new((0..5).map(draw).collect()).expect_err("five"), BadSecret::TooMany(5));
    }
}
