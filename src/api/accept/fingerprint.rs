//! The fingerprint of a body: what makes two requests the same one.

use serde_json::Value;
use sha2::{Digest, Sha256};

/// SHA-256 of a JSON value in one form: object fields sorted by name, fields that are null left out, no white space.
/// The order of fields does not matter to a caller, so it must not make two messages of one.
#[must_use]
pub fn fingerprint(body: &Value) -> [u8; 32] {
    let mut hash = Sha256::new();
    feed(&mut hash, body);
    hash.finalize().into()
}

/// Recursion is as deep as the value, which the JSON reader bounds at 128.
fn feed(hash: &mut Sha256, value: &Value) {
    match value {
        Value::Array(items) => {
            hash.update(b"[");
            for item in items {
                feed(hash, item);
                hash.update(b",");
            }
            hash.update(b"]");
        }
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields
                .iter()
                .filter(|(_, value)| !value.is_null())
                .collect();
            fields.sort_unstable_by_key(|(name, _)| name.as_str());
            hash.update(b"{");
            for (name, value) in fields {
                scalar(hash, &Value::from(name.as_str()));
                hash.update(b":");
                feed(hash, value);
                hash.update(b",");
            }
            hash.update(b"}");
        }
        scalar_value => scalar(hash, scalar_value),
    }
}

/// Strings keep their quotes and escapes, so that no text can pass for structure.
fn scalar(hash: &mut Sha256, value: &Value) {
    hash.update(value.to_string().as_bytes());
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn order_and_nulls_do_not_count_and_everything_else_does() {
        let read = |text: &str| fingerprint(&serde_json::from_str(text).expect("JSON"));
        let one = read(r#"{"to":"1","text":{"body":"a","x":1}}"#);
        assert_eq!(
            one,
            read(r#"{ "text": {"x":1, "body":"a"}, "to":"1", "reference": null }"#)
        );
        for other in [
            r#"{"to":"1","text":{"body":"a","x":2}}"#,
            r#"{"to":"1","text":{"body":"b","x":1}}"#,
            r#"{"to":"1","text":[{"body":"a","x":1}]}"#,
            r#"{"to":"1","text":{"body":"a"},"x":1}"#,
            r#"{"to":1,"text":{"body":"a","x":1}}"#,
        ] {
            assert_ne!(one, read(other), "{other}");
        }
        assert_ne!(
            fingerprint(&json!({"a": "\",\"b\":\""})),
            fingerprint(&json!({"a": "", "b": ""}))
        );
    }
}
