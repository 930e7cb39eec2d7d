//! Who calls: the signature of a callback (`X-Hub-Signature-256`) and the challenge that Meta sends when a callback address
//! is set. Source: Meta, "Create a webhook endpoint".

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Longest challenge that is given back, bytes. Meta's are ten digits.
const CHALLENGE_MAX: usize = 256;

/// A callback that is not Meta's. Answer 401 and keep nothing: Meta repeats what was really its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// There is no app secret to check it with.
    #[error("no app secret is configured; set the secret of the Meta app")]
    NoSecret,
    /// The header is missing.
    #[error("the callback has no X-Hub-Signature-256")]
    Missing,
    /// The header is not `sha256=` and 64 hex digits.
    #[error("X-Hub-Signature-256 is not `sha256=` and 64 hex digits")]
    Malformed,
    /// No secret makes this signature of this body.
    #[error("X-Hub-Signature-256 fits no configured app secret; check the secret, and that no proxy rewrites the body")]
    Wrong,
}

/// Checks the signature over the exact bytes of the body: before parsing, never over JSON written anew. Several secrets:
/// several apps on one address, or a secret in rotation.
///
/// # Errors
/// [`SignatureError`]; nothing of the body or the secrets is in it.
pub fn verify<S: AsRef<[u8]>>(secrets: &[S], header: Option<&str>, body: &[u8]) -> Result<(), SignatureError> {
    if secrets.is_empty() {
        return Err(SignatureError::NoSecret);
    }
    let header = header.ok_or(SignatureError::Missing)?;
    let digits = header.strip_prefix("sha256=").ok_or(SignatureError::Malformed)?;
    let mut given = [0; 32];
    hex::decode_to_slice(digits, &mut given).map_err(|_| SignatureError::Malformed)?;
    // Every secret is tried: how long this takes says how many there are, not which one fits.
    let fits = secrets.iter().fold(false, |fits, secret| fits | fits_one(secret.as_ref(), &given, body));
    if fits { Ok(()) } else { Err(SignatureError::Wrong) }
}

fn fits_one(secret: &[u8], given: &[u8; 32], body: &[u8]) -> bool {
    // An empty secret is a forgotten one: anyone could sign with it.
    if secret.is_empty() {
        return false;
    }
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret) else { return false };
    mac.update(body);
    // Compares in constant time.
    mac.verify_slice(given).is_ok()
}

/// The challenge to give back as plain text with 200; `None` is a 403. `query` is the raw query of the GET.
#[must_use]
pub fn challenge(query: &str, verify_token: &str) -> Option<String> {
    let mut mode = None;
    let mut token = None;
    let mut challenge = None;
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        let slot = match name.as_ref() {
            "hub.mode" => &mut mode,
            "hub.verify_token" => &mut token,
            "hub.challenge" => &mut challenge,
            _ => continue,
        };
        slot.get_or_insert(value);
    }
    let right = bool::from(token?.as_bytes().ct_eq(verify_token.as_bytes())) && !verify_token.is_empty();
    let challenge = challenge.filter(|text| text.len() <= CHALLENGE_MAX)?;
    (right && mode.as_deref() == Some("subscribe")).then(|| challenge.into_owned())
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use serde_json::Value;

    use super::*;

    fn json(name: &str) -> Value {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/meta").join(name);
        serde_json::from_slice(&std::fs::read(path).expect("the fixture is there")).expect("JSON")
    }

    fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
        value.pointer(pointer).and_then(Value::as_str).expect(pointer)
    }

    fn decoded(value: &Value, pointer: &str) -> Vec<u8> {
        base64::engine::general_purpose::STANDARD.decode(text(value, pointer)).expect("base64")
    }

    #[test]
    fn the_vector_holds_for_the_exact_bytes_only() {
        let vector = json("vector.x_hub_signature_256.json");
        let secret = text(&vector, "/app_secret");
        let body = decoded(&vector, "/raw_body_base64");
        let header = Some(text(&vector, "/header/X-Hub-Signature-256"));
        assert_eq!(verify(&[secret], header, &body), Ok(()));
        assert_eq!(verify(&["another", secret], header, &body), Ok(()), "a secret in rotation");
        assert_eq!(verify(&["another", ""], header, &body), Err(SignatureError::Wrong));
        let rewritten = text(&vector, "/negative/X-Hub-Signature-256");
        assert_eq!(verify(&[secret], Some(rewritten), &body), Err(SignatureError::Wrong));
        let other = decoded(&vector, "/negative/reserialised_body_base64");
        assert_eq!(verify(&[secret], header, &other), Err(SignatureError::Wrong));
        assert_eq!(verify(&[secret], Some(rewritten), &other), Ok(()), "it is that body's signature");
    }

    #[test]
    fn a_header_of_another_shape_is_refused() {
        let none: [&str; 0] = [];
        assert_eq!(verify(&none, Some("sha256=00"), b""), Err(SignatureError::NoSecret));
        assert_eq!(verify(&["s"], None, b""), Err(SignatureError::Missing));
        for header in ["", "sha1=00", "sha256=", "sha256=00", "00", &format!("sha256={}", "é".repeat(32))] {
            assert_eq!(verify(&["s"], Some(header), b""), Err(SignatureError::Malformed), "{header}");
        }
    }

    #[test]
    fn an_empty_secret_fits_nothing() {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"").expect("any length");
        mac.update(b"body");
        let header = format!("sha256={}", hex::encode(mac.finalize().into_bytes()));
        assert_eq!(verify(&[""], Some(&header), b"body"), Err(SignatureError::Wrong));
    }

    #[test]
    fn the_challenge_is_given_back_to_who_knows_the_token() {
        let handshake = json("handshake.verify.get.json");
        let query = |token: &str, mode: &str| {
            url::form_urlencoded::Serializer::new(String::new())
                .append_pair("hub.mode", mode)
                .append_pair("hub.challenge", text(&handshake, "/query/hub.challenge"))
                .append_pair("hub.verify_token", token)
                .finish()
        };
        let token = text(&handshake, "/query/hub.verify_token");
        let expected = text(&handshake, "/expected_ok/body");
        assert_eq!(challenge(&query(token, "subscribe"), token).as_deref(), Some(expected));
        assert_eq!(challenge(&query("wrong", "subscribe"), token), None);
        assert_eq!(challenge(&query(token, "unsubscribe"), token), None);
        assert_eq!(challenge(&query("", "subscribe"), ""), None, "no token configured lets nobody in");
        assert_eq!(challenge("hub.mode=subscribe&hub.verify_token=vt-example", token), None);
    }
}
