//! The two webhook signatures, written from their specifications.
//!
//! - Meta: `X-Hub-Signature-256: sha256=<lowercase hex>`, HMAC-SHA256 of the exact body bytes under the app secret.
//! - Standard Webhooks: `webhook-signature: v1,<base64>` (several, separated by spaces), HMAC-SHA256 of `id.timestamp.body`
//!   under the bytes behind `whsec_`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

fn mac(key: &[u8]) -> Hmac<Sha256> {
    Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length")
}

/// The value of Meta's signature header for `body`.
#[must_use]
pub fn sign_hub(app_secret: &str, body: &[u8]) -> String {
    let mut mac = mac(app_secret.as_bytes());
    mac.update(body);
    format!("sha256={}", hex::encode(mac.finalize().into_bytes()))
}

/// Whether `header` is Meta's signature of `body` (compared in constant time).
#[must_use]
pub fn verify_hub(app_secret: &str, body: &[u8], header: &str) -> bool {
    let Some(Ok(given)) = header.strip_prefix("sha256=").map(hex::decode) else {
        return false;
    };
    let mut mac = mac(app_secret.as_bytes());
    mac.update(body);
    mac.verify_slice(&given).is_ok()
}

/// A secret of Standard Webhooks: the bytes behind `whsec_<base64>`.
#[derive(Clone)]
pub struct WebhookSecret(Vec<u8>);

impl std::fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

impl WebhookSecret {
    /// Reads `whsec_<base64>`.
    ///
    /// # Errors
    /// A sentence saying what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, String> {
        let encoded = text.strip_prefix("whsec_").ok_or("a webhook secret starts with `whsec_`")?;
        let bytes = STANDARD.decode(encoded).map_err(|e| format!("behind `whsec_` stands no base64: {e}"))?;
        Ok(Self(bytes))
    }

    /// The signature header for one delivery; `timestamp` in seconds since the epoch, as written in its header.
    #[must_use]
    pub fn sign(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        format!("v1,{}", STANDARD.encode(self.over(id, timestamp, body).finalize().into_bytes()))
    }

    /// Whether one of the signatures in `header` is right (compared in constant time). Unknown versions are passed over.
    #[must_use]
    pub fn verify(&self, id: &str, timestamp: &str, body: &[u8], header: &str) -> bool {
        header.split(' ').filter_map(|one| one.strip_prefix("v1,")).any(|encoded| {
            STANDARD.decode(encoded).is_ok_and(|given| self.over(id, timestamp, body).verify_slice(&given).is_ok())
        })
    }

    fn over(&self, id: &str, timestamp: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut mac = mac(&self.0);
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            mac.update(part);
        }
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::{WebhookSecret, sign_hub, verify_hub};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    #[test]
    fn meta_signs_the_raw_bytes() {
        let text = include_str!("../tests/fixtures/vector.x_hub_signature_256.json");
        let vector: serde_json::Value = serde_json::from_str(text).expect("the vector is JSON");
        let secret = vector["app_secret"].as_str().expect("secret");
        let body = STANDARD.decode(vector["raw_body_base64"].as_str().expect("body")).expect("base64");
        let header = vector["header"]["X-Hub-Signature-256"].as_str().expect("header");
        assert_eq!(sign_hub(secret, &body), header);
        assert!(verify_hub(secret, &body, header));
        let negative = vector["negative"]["X-Hub-Signature-256"].as_str().expect("negative");
        assert!(!verify_hub(secret, &body, negative), "the re-serialised body's signature must not fit the raw body");
        assert!(!verify_hub(secret, &body, "sha256=zz"));
    }

    /// The example of the Standard Webhooks specification.
    #[test]
    fn standard_webhooks_known_answer() {
        let secret = WebhookSecret::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("secret");
        let body = br#"{"test": 2432232314}"#;
        let header = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body), header);
        let rotated = format!("v1,AAAA v1a,xyz {header}");
        assert!(secret.verify("msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", body, &rotated));
        assert!(!secret.verify("msg_other", "1614265330", body, header));
        assert!(WebhookSecret::parse("plain").is_err());
    }
}
