//! The signature of Standard Webhooks 1.0.0, symmetric scheme `v1`: HMAC-SHA256 over `{id}.{timestamp}.{body}`.
//!
//! Source: the specification's "Signature scheme" and "Webhook headers". During a rotation every live secret signs and
//! the signatures stand side by side, so that the receiver needs no cut-over.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::error::BadDeliveryId;
use super::secret::{Secret, Secrets};

/// Room enough for every id we mint, and short enough for any header limit.
const MAX_ID: usize = 128;

/// A `webhook-id`: the same for every attempt at one notification; the receiver's key against doubles.
///
/// 1 to 128 characters of `[A-Za-z0-9_-]`. The specification wants no dot in it: with one, id and timestamp could be
/// shifted against each other under the same signature.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeliveryId(Box<str>);

impl DeliveryId {
    /// Takes an id.
    ///
    /// # Errors
    /// [`BadDeliveryId`] when the length or a character is outside the range above.
    pub fn new(text: &str) -> Result<Self, BadDeliveryId> {
        if text.is_empty() || text.len() > MAX_ID {
            return Err(BadDeliveryId::Length(text.chars().count()));
        }
        match text.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'_' || b == b'-')) {
            Some(position) => Err(BadDeliveryId::Character(position)),
            None => Ok(Self(text.into())),
        }
    }

    /// The id as it stands in the header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeliveryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The value of `webhook-signature`: `v1,<base64>` for each live secret, newest first, separated by a space.
///
/// `timestamp_s` is the time of this attempt in Unix seconds, the same that stands in `webhook-timestamp`; receivers
/// refuse it when it is more than five minutes from their clock. `body` is signed byte for byte as it is sent.
#[must_use]
pub fn sign(secrets: &Secrets, id: &DeliveryId, timestamp_s: u64, body: &[u8]) -> String {
    let mut header = String::new();
    for secret in secrets.iter() {
        if !header.is_empty() {
            header.push(' ');
        }
        header.push_str("v1,");
        STANDARD.encode_string(mac(secret, id, timestamp_s, body), &mut header);
    }
    header
}

fn mac(secret: &Secret, id: &DeliveryId, timestamp_s: u64, body: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.key()).expect("HMAC takes a key of any length");
    mac.update(id.as_str().as_bytes());
    mac.update(b".");
    mac.update(timestamp_s.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Secret, id, time, body and signature of the test suites of the specification's own libraries.
    const KNOWN: (&str, &str, u64, &str, &str) = (
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        r#"{"test": 2432232314}"#,
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );

    fn secret(text: &str) -> Secret {
        Secret::parse(text).expect("a valid secret")
    }

    #[test]
    fn the_known_vector_comes_out() {
        let (key, id, timestamp_s, body, expected) = KNOWN;
        let secrets = Secrets::new(vec![secret(key)]).expect("one secret");
        let id = DeliveryId::new(id).expect("a valid id");
        assert_eq!(sign(&secrets, &id, timestamp_s, body.as_bytes()), expected);
    }

    #[test]
    fn a_rotation_signs_with_every_secret_newest_first() {
        let (key, id, timestamp_s, body, expected) = KNOWN;
        let newer = Secret::from_random(&[9; 32]).expect("32 bytes");
        let both = Secrets::new(vec![newer, secret(key)]).expect("two secrets");
        let id = DeliveryId::new(id).expect("a valid id");
        let header = sign(&both, &id, timestamp_s, body.as_bytes());
        let signatures: Vec<&str> = header.split(' ').collect();
        assert_eq!(signatures.len(), 2);
        assert!(signatures[0].starts_with("v1,") && signatures[0] != expected);
        assert_eq!(signatures[1], expected);
    }

    #[test]
    fn every_part_is_under_the_signature() {
        let (key, id, timestamp_s, body, expected) = KNOWN;
        let secrets = Secrets::new(vec![secret(key)]).expect("one secret");
        let signed = |id: &str, at: u64, body: &str| {
            sign(&secrets, &DeliveryId::new(id).expect("a valid id"), at, body.as_bytes())
        };
        assert_eq!(signed(id, timestamp_s, body), expected);
        assert_ne!(signed("msg_other", timestamp_s, body), expected);
        assert_ne!(signed(id, timestamp_s + 1, body), expected);
        assert_ne!(signed(id, timestamp_s, r#"{"test":2432232314}"#), expected);
    }

    #[test]
    fn an_id_with_a_dot_a_break_or_too_much_is_refused() {
        let long = "a".repeat(129);
        for (text, expected) in [
            ("", BadDeliveryId::Length(0)),
            (long.as_str(), BadDeliveryId::Length(129)),
            ("msg.1614265330", BadDeliveryId::Character(3)),
            ("msg\r\nx: y", BadDeliveryId::Character(3)),
            ("é", BadDeliveryId::Character(0)),
        ] {
            assert_eq!(DeliveryId::new(text).expect_err(text), expected);
        }
    }
}
