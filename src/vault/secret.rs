//! Secret bytes: wiped from memory when dropped, never printed, never serialised.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Bytes a secret may have: tokens and private keys stay below 4 KiB, certificates with their chain below 64.
pub const MAX_SECRET: usize = 64 * 1024;

/// A token, an app secret, a signing key. There is no way to print or serialise it but [`SecretBytes::expose`].
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The bytes as text, which tokens and signing secrets are. Bytes that are none are shown as replacement characters.
    #[must_use]
    pub fn to_text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }

    /// The bytes, for the one call that needs them. Never for a log, an error, an event or an export.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl From<Zeroizing<Vec<u8>>> for SecretBytes {
    fn from(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }
}

impl PartialEq for SecretBytes {
    /// In constant time for equal lengths.
    fn eq(&self, other: &Self) -> bool {
        self.0.as_slice().ct_eq(other.0.as_slice()).into()
    }
}

impl Eq for SecretBytes {}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(hidden)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_nothing_not_even_its_length() {
        let secret = SecretBytes::new(b"EAAB-token".to_vec());
        assert_eq!(format!("{secret:?} {secret:#?}"), "SecretBytes(hidden) SecretBytes(hidden)");
        assert_eq!(secret, SecretBytes::new(b"EAAB-token".to_vec()));
        assert_ne!(secret, SecretBytes::new(b"EAAB-tokem".to_vec()));
    }
}
