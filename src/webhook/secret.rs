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
