//! Keys and what is done with them: AES-256-GCM (NIST SP 800-38D) and HMAC-SHA256 (RFC 2104).
//!
//! Nonces are 96 random bits. Two equal ones under one key would show the XOR of two texts, and n seals under one key
//! meet such a pair with probability n² / 2⁹⁷. A contact key sees one person's messages: a message a minute for two
//! years is 2²⁰ seals, 2⁻⁵⁷; ten million such people (2²⁴) together 2⁻³³. A tenant key wraps one key for each contact:
//! 2²⁴ contacts, 2⁻⁴⁹. The instance key wraps two keys for each tenant and the instance's secrets. The standard's own
//! limit for random nonces is 2³² seals and 2⁻³² (its section 8.3).

use aes_gcm::aead::{AeadInOut, KeyInit};
use aes_gcm::{Aes256Gcm, Nonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::runtime::Entropy;

/// The first byte of everything sealed: how the rest is laid out.
pub const LAYOUT: u8 = 1;
const NONCE: usize = 12;
const TAG: usize = 16;

/// Bytes a seal adds to what it seals: layout, nonce, authentication tag.
pub const OVERHEAD: usize = 1 + NONCE + TAG;

/// Thirty-two random bytes, wiped when dropped, never printed.
#[derive(Clone)]
pub struct Key(Zeroizing<[u8; 32]>);

/// The bytes are not what was sealed under this key with these associated data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotOpened;

impl Key {
    /// A new key.
    pub fn draw(entropy: &dyn Entropy) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        entropy.fill(bytes.as_mut());
        Self(bytes)
    }

    /// The key with these bytes, if there are 32.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut key = Zeroizing::new([0; 32]);
        if bytes.len() != key.len() {
            return None;
        }
        key.copy_from_slice(bytes);
        Some(Self(key))
    }

    /// The key with these bytes.
    #[must_use]
    pub fn from_array(bytes: &[u8; 32]) -> Self {
        Self(Zeroizing::new(*bytes))
    }

    /// The bytes, for wrapping them under another key or writing the instance key's file.
    #[must_use]
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// Seals the parts, one after the other: layout byte ‖ nonce ‖ ciphertext ‖ tag. The layout byte is the only byte
    /// that is not authenticated; a changed one is refused because no other layout exists.
    pub fn seal(&self, entropy: &dyn Entropy, aad: &[u8], parts: &[&[u8]]) -> Vec<u8> {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let mut bytes = Vec::with_capacity(len + OVERHEAD);
        bytes.push(LAYOUT);
        let mut nonce = [0; NONCE];
        entropy.fill(&mut nonce);
        bytes.extend_from_slice(&nonce);
        parts.iter().for_each(|part| bytes.extend_from_slice(part));
        let text = &mut bytes[1 + NONCE..];
        let tag = self
            .cipher()
            .encrypt_inout_detached(&Nonce::from(nonce), aad, text.into())
            .expect("AES-GCM seals up to 2^36 bytes, and the callers' limits are far below");
        bytes.extend_from_slice(&tag);
        bytes
    }

    /// Opens what [`Key::seal`] made with the same associated data.
    ///
    /// # Errors
    /// [`NotOpened`] when one bit of the bytes, the data or the key differs.
    pub fn open(&self, aad: &[u8], bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotOpened> {
        let (layout, rest) = bytes.split_first().ok_or(NotOpened)?;
        let (nonce, rest) = rest.split_first_chunk::<NONCE>().ok_or(NotOpened)?;
        let (text, tag) = rest.split_last_chunk::<TAG>().ok_or(NotOpened)?;
        if *layout != LAYOUT {
            return Err(NotOpened);
        }
        let mut text = Zeroizing::new(text.to_vec());
        self.cipher()
            .decrypt_inout_detached(&Nonce::from(*nonce), aad, text.as_mut_slice().into(), &(*tag).into())
            .map_err(|_| NotOpened)?;
        Ok(text)
    }

    /// HMAC-SHA256 over length-prefixed parts (eight bytes big-endian each), the first of which is the purpose.
    #[must_use]
    pub fn mac(&self, purpose: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.0.as_slice()).expect("HMAC takes any key length");
        for part in std::iter::once(purpose.as_bytes()).chain(parts.iter().copied()) {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    fn cipher(&self) -> Aes256Gcm {
        Aes256Gcm::new((&*self.0).into())
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Key(hidden)")
    }
}

/// The first `N` of the bytes of a MAC.
#[must_use]
pub fn first<const N: usize>(mac: &[u8; 32]) -> [u8; N] {
    const { assert!(N <= 32) };
    let mut short = [0; N];
    short.copy_from_slice(&mac[..N]);
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::SeededEntropy;

    #[test]
    fn what_is_sealed_opens_only_unchanged_and_in_its_place() {
        let entropy = SeededEntropy::new(1);
        let (key, other) = (Key::draw(&entropy), Key::draw(&entropy));
        let bytes = key.seal(&entropy, b"here", &[b"sa", b"lt"]);
        assert_eq!(key.open(b"here", &bytes).expect("opens").as_slice(), b"salt");
        assert_eq!(key.open(b"there", &bytes), Err(NotOpened));
        assert_eq!(other.open(b"here", &bytes), Err(NotOpened));
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert_eq!(key.open(b"here", &flipped), Err(NotOpened), "byte {at}");
            assert_eq!(key.open(b"here", &bytes[..at]), Err(NotOpened), "cut at {at}");
        }
        assert_ne!(key.seal(&entropy, b"here", &[b"salt"]), bytes, "a nonce was used twice");
    }

    /// Computed with Python's `hmac` over the same length-prefixed bytes.
    #[test]
    fn the_mac_is_plain_hmac_sha256_and_does_not_run_parts_together() {
        let key = Key::from_slice(&[7; 32]).expect("32 bytes");
        let found = hex::encode(key.mac("p", &[b"ab", b"c"]));
        assert_eq!(found, "01293f7065a557f38cf097d4525ad10f1f36367cee7dd9940785f0acd0dc3868");
        assert_ne!(key.mac("p", &[b"ab", b"c"]), key.mac("p", &[b"a", b"bc"]));
        assert_ne!(key.mac("p", &[b"ab"]), key.mac("q", &[b"ab"]));
        assert!(Key::from_slice(&[7; 31]).is_none());
    }

    /// Test case 15 of the original GCM specification (McGrew and Viega, appendix B), without associated data.
    #[test]
    fn the_cipher_is_plain_aes_256_gcm() {
        let hexed = |text: &str| hex::decode(text).expect("hex");
        let key = hexed("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let sealed = hexed(concat!(
            "01cafebabefacedbaddecaf888",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa",
            "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad",
            "b094dac5d93471bdec1a502270e3cc6c"
        ));
        let plain = hexed(concat!(
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72",
            "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255"
        ));
        let key = Key::from_slice(&key).expect("32 bytes");
        assert_eq!(key.open(b"", &sealed).expect("opens").as_slice(), plain);
    }
}
