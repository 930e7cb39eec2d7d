//! An alias: one name under which the world knows a contact. Personal data, so it is never printed.

use std::fmt;

use zeroize::Zeroize;

use crate::domain::event::contact::AliasKind;

/// Bytes an alias may have. A phone number has at most 15 digits (ITU-T E.164); Meta documents no length for its
/// business-scoped ids, and those seen stay below 64.
pub const MAX_ALIAS: usize = 128;

/// One name of a person, normalised, so that equal names are equal bytes. Wiped from memory when dropped.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Alias {
    /// What kind of name.
    pub kind: AliasKind,
    /// The name: for a phone, its digits with country code and without `+`.
    pub value: String,
}

/// A text that is no such name. The text itself is not repeated: it may be personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AliasError {
    /// Not 7 to 15 digits, after an optional `+` and the usual separators.
    #[error("not a phone number: expected 7 to 15 digits that begin with the country code, such as +491511234567")]
    Phone,
    /// Empty, too long, or with spaces or control characters.
    #[error("not a business-scoped user id: expected 1 to {MAX_ALIAS} printable characters without spaces")]
    Bsuid,
}

impl Alias {
    /// A phone number. `+`, spaces, dots, hyphens and brackets are dropped; no national prefix is guessed.
    ///
    /// # Errors
    /// [`AliasError::Phone`] when what is left is not 7 to 15 digits of which the first is not 0.
    pub fn phone(text: &str) -> Result<Self, AliasError> {
        let digits = text.trim();
        let digits = digits.strip_prefix('+').unwrap_or(digits);
        let value: String = digits.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
        let plausible = (7..=15).contains(&value.len()) && !value.starts_with('0');
        if !plausible || value.bytes().any(|b| !b.is_ascii_digit()) {
            return Err(AliasError::Phone);
        }
        Ok(Self { kind: AliasKind::Phone, value })
    }

    /// A business-scoped user id of Meta, kept as it is.
    ///
    /// # Errors
    /// [`AliasError::Bsuid`] when it cannot be one.
    pub fn bsuid(text: &str) -> Result<Self, AliasError> {
        let plausible = (1..=MAX_ALIAS).contains(&text.len());
        if !plausible || text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err(AliasError::Bsuid);
        }
        Ok(Self { kind: AliasKind::Bsuid, value: text.to_owned() })
    }

    /// The stored number of the kind, the same as in `AliasAdded` events.
    pub(super) fn kind_number(&self) -> u8 {
        match self.kind {
            AliasKind::Phone => 0,
            AliasKind::Bsuid => 1,
        }
    }

    /// The bytes that are sealed: kind, then the text.
    pub(super) fn to_bytes(&self) -> zeroize::Zeroizing<Vec<u8>> {
        let mut bytes = zeroize::Zeroizing::new(Vec::with_capacity(1 + self.value.len()));
        bytes.push(self.kind_number());
        bytes.extend_from_slice(self.value.as_bytes());
        bytes
    }

    /// Reads [`Alias::to_bytes`] back.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (kind, text) = bytes.split_first()?;
        let kind = match kind {
            0 => AliasKind::Phone,
            1 => AliasKind::Bsuid,
            _ => return None,
        };
        Some(Self { kind, value: std::str::from_utf8(text).ok()?.to_owned() })
    }
}

impl Drop for Alias {
    fn drop(&mut self) {
        self.value.zeroize();
    }
}

impl fmt::Debug for Alias {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Alias({:?}, hidden)", self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_number_is_its_digits_however_it_was_written() {
        let plain = Alias::phone("491511234567");
        assert!(plain.is_ok());
        assert_eq!(Alias::phone("+49 (151) 123-45.67"), plain);
        for wrong in ["", "+", "12345", "0151 1234567", "49151123456x", "++491511234567", "1234567890123456"] {
            assert_eq!(Alias::phone(wrong), Err(AliasError::Phone), "{wrong}");
        }
    }

    #[test]
    fn a_bsuid_is_kept_and_has_a_limit() {
        assert_eq!(Alias::bsuid("US.13491208655302741918").expect("a bsuid").value, "US.13491208655302741918");
        for wrong in ["", "a b", "a\n", &"x".repeat(MAX_ALIAS + 1)] {
            assert_eq!(Alias::bsuid(wrong), Err(AliasError::Bsuid), "{wrong}");
        }
    }

    #[test]
    fn an_alias_shows_its_kind_and_nothing_else() {
        let alias = Alias::phone("491511234567").expect("a phone number");
        assert_eq!(format!("{alias:?}"), "Alias(Phone, hidden)");
        assert_eq!(Alias::from_bytes(&alias.to_bytes()), Some(alias));
        assert_eq!(Alias::from_bytes(&[9, b'x']), None);
    }
}
