//! What customers' endpoints are told, as the document's `webhooks`: one for each kind, all of one schema, each with an
//! example. What is really posted is compared with it in `tests/suite/actors/notified.rs`.

use serde_json::{Map, Value, json};

use super::reference;
use crate::domain::notification::NotificationKind;

/// Examples, by the word of their kind.
const EXAMPLES: &str = include_str!("notifications.json");

/// The section `webhooks`.
pub(super) fn section() -> Value {
    let examples = examples();
    let all = NotificationKind::ALL.iter().map(|kind| {
        let word = kind.word();
        (word.to_owned(), json!({"post": operation(*kind, &examples[word])}))
    });
    Value::Object(all.collect::<Map<_, _>>())
}

fn examples() -> Value {
    serde_json::from_str(EXAMPLES).expect("a test reads the compiled-in examples")
}

fn operation(kind: NotificationKind, example: &Value) -> Value {
    let header = |name: &str, description: &str| json!({"name": name, "in": "header", "required": true, "description": description, "schema": {"type": "string"}});
    json!({
        "summary": summary(kind),
        "security": [],
        "parameters": [
            header("webhook-id", "The body's `id`: the same for every repetition. Keep it to know a repetition"),
            header("webhook-timestamp", "Unix seconds of this try; refuse what is more than five minutes away"),
            header(
                "webhook-signature",
                "`v1,` and base64 of HMAC-SHA256 over `<webhook-id>.<webhook-timestamp>.<body>`, one for each living \
                 secret, separated by a space; the key is what stands behind `whsec_`, base64-decoded",
            ),
        ],
        "requestBody": {
            "required": true,
            "content": {"application/json": {"schema": reference("Notification"), "example": example}},
        },
        "responses": {
            "2XX": {"description": "Taken. Only the status counts, not the body"},
            "410": {"description": "The endpoint is told nothing more until it is enabled again"},
            "default": {
                "description": "Told again later, after the waits of `webhooks.schedule` or the answer's Retry-After; \
                                redirects are not followed",
            },
        },
    })
}

/// When it is told.
fn summary(kind: NotificationKind) -> &'static str {
    match kind {
        NotificationKind::Accepted => "Waybill owes the message an outcome; told only to endpoints that name it",
        NotificationKind::Sent => "Meta took the message",
        NotificationKind::Delivered => "The message is on the person's device",
        NotificationKind::Read => "The person saw the message, or played it",
        NotificationKind::Failed => "The message was not delivered, for good; `reason` says why",
        NotificationKind::Unknown => "The message may have been sent, and nobody knows yet",
        NotificationKind::Expired => "The message's time ran out before it left",
        NotificationKind::Cancelled => "The message was called off before it left",
        NotificationKind::Duplicated => "Meta took the message twice: the person may have it twice",
        NotificationKind::Received => "Somebody wrote to a session; told once for each of Meta's message ids",
        NotificationKind::SessionHeld => "Meta holds a session, or slows it down; told once, not with each refusal",
        NotificationKind::SessionReleased => "Meta takes its messages again, or somebody lifted it",
        NotificationKind::Checkpoint => {
            "The log of all events was signed; keep what it says. Told only to endpoints that name it"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::tests::schema::Schemas;
    use super::super::document;
    use super::*;

    #[test]
    fn every_kind_has_an_example_and_nothing_else_has() {
        let (examples, document) = (examples(), document());
        assert_eq!(examples.as_object().expect("an object").len(), NotificationKind::ALL.len());
        for kind in NotificationKind::ALL {
            let example = &examples[kind.word()];
            assert_eq!(example["type"], kind.word());
            assert_eq!(Schemas::of(&document).findings("Notification", example), Vec::<String>::new());
        }
    }
}
