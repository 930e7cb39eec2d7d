//! Graph JSON of a send: the request's body and what its answer says. Source: Cloud API, "Messages" and "Error codes".

use serde::Deserialize;
use serde_json::{Value, json};

use super::super::seam::{SendCommand, TOKEN_MAX};
use crate::domain::content::BSUID_PREFIX;
use crate::domain::failure::GraphAnswer;

/// The body of `POST /{version}/{account}/messages`. What is ours (recipient, product, token) replaces what stands in the
/// object under the same name.
///
/// # Errors
/// A word for why no body can be made.
pub(super) fn body(command: SendCommand) -> Result<Vec<u8>, &'static str> {
    if command.token.len() > TOKEN_MAX {
        return Err("token_too_long");
    }
    let mut object = command.object;
    object.remove("recipient");
    object.remove("to");
    match command.to.strip_prefix(BSUID_PREFIX) {
        Some(id) => object.insert("recipient".to_owned(), Value::from(id)),
        // With `+`: without it Meta puts the business's own country code before the number.
        None => object.insert("to".to_owned(), Value::from(command.to)),
    };
    object.insert("messaging_product".to_owned(), json!("whatsapp"));
    object.insert("recipient_type".to_owned(), json!("individual"));
    object.insert("biz_opaque_callback_data".to_owned(), Value::from(command.token));
    serde_json::to_vec(&object).map_err(|_| "unwritable")
}

#[derive(Deserialize)]
struct Accepted {
    messages: Vec<AcceptedMessage>,
}

#[derive(Deserialize)]
struct AcceptedMessage {
    id: String,
    #[serde(default)]
    message_status: Option<String>,
}

#[derive(Deserialize)]
struct Failed {
    error: GraphError,
}

#[derive(Deserialize)]
struct GraphError {
    code: i32,
    #[serde(default)]
    error_subcode: Option<i32>,
    #[serde(default)]
    message: Option<String>,
    /// An object with `details`, or a string.
    #[serde(default)]
    error_data: Value,
}

/// Reads the body of an answer. An error goes before an id: a body with both is not understood.
pub(super) fn read(body: &[u8]) -> GraphAnswer {
    let accepted =
        serde_json::from_slice::<Accepted>(body).ok().and_then(|accepted| accepted.messages.into_iter().next());
    let failed = serde_json::from_slice::<Failed>(body).ok();
    match (accepted, failed) {
        (Some(message), None) if !message.id.is_empty() => {
            GraphAnswer::Accepted { id: message.id, status: message.message_status }
        }
        (None, Some(Failed { error })) => {
            let details = error.error_data.get("details").unwrap_or(&error.error_data).as_str().map(str::to_owned);
            GraphAnswer::Error {
                code: error.code,
                subcode: error.error_subcode,
                detail: details.or(error.message).unwrap_or_default(),
            }
        }
        _ => GraphAnswer::Unreadable,
    }
}

#[cfg(test)]
mod tests {
    use super::super::codes;
    use super::*;
    use crate::domain::failure::{Answer, FailureClass, Observation, classify};

    fn files(prefix: &str) -> Vec<(String, Vec<u8>)> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/meta");
        let mut files: Vec<_> = std::fs::read_dir(folder)
            .expect("fixtures")
            .map(|file| file.expect("a file").path())
            .filter_map(|path| {
                let name = path.file_name()?.to_str()?.strip_prefix(prefix)?.to_owned();
                Some((name, std::fs::read(path).ok()?))
            })
            .collect();
        files.sort();
        files
    }

    #[test]
    fn every_recorded_error_has_its_code_and_words() {
        let files = files("error.");
        assert!(files.len() >= 30, "only {}", files.len());
        for (name, body) in files {
            let expected: i32 = name.split('.').nth(1).and_then(|code| code.parse().ok()).expect("a code in the name");
            let sub: Option<i32> = name.split('.').nth(2).and_then(|code| code.parse().ok());
            match read(&body) {
                GraphAnswer::Error { code, subcode, detail } => {
                    assert_eq!(code, expected, "{name}");
                    assert!(sub.is_none() || subcode == sub, "{name}");
                    assert!(!detail.is_empty(), "{name}");
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn every_recorded_acceptance_is_sent() {
        let files = files("response.whatsapp.send.");
        assert!(files.len() >= 7, "only {}", files.len());
        for (name, body) in files {
            let observed = Observation::Answered { http: 200, body: read(&body), retry_after_ms: None };
            match classify(&Default::default(), observed) {
                Answer::Sent { provider_id } => assert!(provider_id.starts_with("wamid."), "{name}"),
                other => panic!("{name}: {other:?}"),
            }
        }
    }

    #[test]
    fn an_error_is_classed_by_code_and_subcode() {
        let table = codes::parse(codes::tests::SMALL).expect("a table");
        let class = |name: &str| {
            let (_, body) = files(name).remove(0);
            match classify(&table, Observation::Answered { http: 400, body: read(&body), retry_after_ms: None }) {
                Answer::Rejected { class, .. } => Some(class),
                _ => None,
            }
        };
        assert_eq!(class("error.whatsapp.131056.json").map(FailureClass::word), Some("throttle"));
        assert_eq!(class("error.whatsapp.100.json"), Some(FailureClass::Request));
        assert_eq!(class("error.whatsapp.100.33."), Some(FailureClass::Sender));
        assert_eq!(class("error.whatsapp.131000.json"), None, "ambiguous is unknown");
    }

    #[test]
    fn what_is_neither_is_unreadable() {
        for body in [
            "",
            "<html>502</html>",
            "{}",
            "[]",
            "null",
            r#"{"messages":[]}"#,
            r#"{"messages":[{"id":""}]}"#,
            r#"{"messages":[{"id":7}]}"#,
            r#"{"error":"no"}"#,
            r#"{"error":{"message":"no code"}}"#,
            r#"{"error":{"code":1},"messages":[{"id":"wamid.1"}]}"#,
            r#"{"success":true}"#,
        ] {
            assert_eq!(read(body.as_bytes()), GraphAnswer::Unreadable, "{body}");
        }
        let words = read(br#"{"error":{"code":1,"message":"m","error_data":"as a string"}}"#);
        assert_eq!(words, GraphAnswer::Error { code: 1, subcode: None, detail: "as a string".into() });
    }
}
