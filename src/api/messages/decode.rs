//! Reading a message request: Waybill's own fields are taken out, the rest is the Graph message object.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::super::accept::{IdempotencyKey, Request, Sender, fingerprint};
use super::super::nearest::nearest;
use super::super::problem::{Problem, fault};
use super::super::time;
use crate::domain::admission::Expiry;
use crate::domain::content::{Content, Problem as Fault};
use crate::domain::record::Micros;

/// Fields of Waybill's own.
const OURS: [&str; 10] =
    ["from", "to", "category", "priority", "reference", "send_at", "expires_in", "expires_at", "unknown", "ordered"];

/// Fields of Meta's message object beside the content itself (Cloud API, "Messages"). A field that is in neither list is
/// refused: it is more likely a slip than news.
const METAS: [&str; 7] = [
    "messaging_product",
    "recipient_type",
    "recipient",
    "type",
    "context",
    "biz_opaque_callback_data",
    "product_policy",
];

/// Longest sender's name that is looked up.
const NAME_MAX: usize = 63;

/// Reads a request.
///
/// # Errors
/// `invalid_request` with everything that is wrong.
pub fn decode(body: Value, idempotency: Option<IdempotencyKey>) -> Result<Request, Problem> {
    let Value::Object(mut object) = body else {
        return Err(Problem::field("", "is not a JSON object", "send one message object"));
    };
    let mut faults = unknown_fields(&object);
    let from = from(object.remove("from"), &mut faults);
    // Only a key compares bodies.
    let fingerprint = idempotency.as_ref().map_or([0; 32], |_| fingerprint(&Value::Object(object.clone())));
    let expiry = expiry(&mut object, &mut faults);
    let send_at = send_at(&mut object, &mut faults);
    let request = (
        word(&mut object, "category", &["authentication", "utility", "marketing", "service"], &mut faults),
        word(&mut object, "priority", &["urgent", "normal", "bulk"], &mut faults),
        word(&mut object, "unknown", &["hold", "resend", "expire"], &mut faults),
    );
    let ordered = ordered(&mut object, &mut faults);
    let content = match Content::check(Value::Object(object)) {
        Ok(content) if faults.is_empty() => content,
        Ok(_) => return Err(Problem::invalid(faults)),
        Err(more) => {
            faults.extend(more);
            return Err(Problem::invalid(faults));
        }
    };
    let (category, priority, unknown) = request;
    Ok(Request {
        from: Sender::Name(from),
        content,
        category,
        priority,
        unknown,
        expiry,
        send_at,
        ordered,
        campaign: None,
        idempotency,
        fingerprint,
    })
}

fn unknown_fields(object: &Map<String, Value>) -> Vec<Fault> {
    let kind = match object.get("type") {
        Some(Value::String(kind)) => kind.as_str(),
        _ => "text",
    };
    let known = || OURS.into_iter().chain(METAS).chain([kind]);
    object
        .keys()
        .filter(|name| known().all(|known| known != name.as_str()))
        .map(|name| {
            let shown: String = name.chars().take(64).collect();
            let remedy = match nearest(name, known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    format!("leave it out, or put content of type `{kind}` under `{kind}`")
                }
            };
            fault(&pointer(&shown), "is not a known field", remedy)
        })
        .collect()
}

/// RFC 6901.
fn pointer(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

fn from(value: Option<Value>, faults: &mut Vec<Fault>) -> String {
    let remedy = "name one of the tenant's sessions; GET /v1/sessions lists them";
    match value {
        Some(Value::String(name)) if (1..=NAME_MAX).contains(&name.len()) => return name,
        None | Some(Value::Null) => faults.push(fault("/from", "is missing", remedy)),
        Some(_) => faults.push(fault("/from", "is not a session's name", remedy)),
    }
    String::new()
}

/// One of a few words, read as the type that has them.
fn word<T: DeserializeOwned>(
    object: &mut Map<String, Value>,
    name: &str,
    words: &[&str],
    faults: &mut Vec<Fault>,
) -> Option<T> {
    let value = object.remove(name).filter(|value| !value.is_null())?;
    let near = value.as_str().and_then(|given| nearest(given, words.iter().copied()));
    if let Ok(read) = serde_json::from_value(value) {
        return Some(read);
    }
    let remedy = match near {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("choose from {}", words.join(", ")),
    };
    faults.push(fault(&pointer(name), "is not one of its words", remedy));
    None
}

fn expiry(object: &mut Map<String, Value>, faults: &mut Vec<Fault>) -> Option<Expiry> {
    let mut take = |name| object.remove(name).filter(|value| !value.is_null());
    let read = match (take("expires_in"), take("expires_at")) {
        (None, None) => return None,
        (Some(_), Some(_)) => Err(fault("/expires_in", "stands beside `expires_at`", "give one of the two")),
        (Some(value), None) => time::duration("/expires_in", &value).map(Expiry::In),
        (None, Some(value)) => time::read("/expires_at", &value).map(Expiry::At),
    };
    read.map_err(|fault| faults.push(fault)).ok()
}

fn send_at(object: &mut Map<String, Value>, faults: &mut Vec<Fault>) -> Option<Micros> {
    let value = object.remove("send_at").filter(|value| !value.is_null())?;
    time::read("/send_at", &value).map_err(|fault| faults.push(fault)).ok()
}

fn ordered(object: &mut Map<String, Value>, faults: &mut Vec<Fault>) -> bool {
    match object.remove("ordered") {
        None | Some(Value::Null) => false,
        Some(Value::String(how)) if how == "strict" => true,
        Some(_) => {
            faults.push(fault("/ordered", "is not \"strict\"", "write \"strict\" or leave it out"));
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::event::{Category, Priority, UnknownPolicy};

    fn faults(body: Value) -> Vec<(String, String)> {
        decode(body, None).expect_err("wrong").errors.into_iter().map(|fault| (fault.pointer, fault.remedy)).collect()
    }

    #[test]
    fn a_whole_request_is_read() {
        let request = decode(
            json!({
                "from": "shop", "to": "+12025550123", "type": "text", "text": {"body": "hi"},
                "category": "utility", "priority": "bulk", "unknown": "hold", "expires_in": "5m",
                "ordered": "strict", "reference": "r-1",
            }),
            None,
        )
        .expect("good");
        assert_eq!(request.from, Sender::Name("shop".to_owned()));
        assert_eq!(request.category, Some(Category::Utility));
        assert_eq!(request.priority, Some(Priority::Bulk));
        assert_eq!(request.unknown, Some(UnknownPolicy::Hold));
        assert_eq!(request.expiry, Some(Expiry::In(300_000_000)));
        assert!(request.ordered);
        assert_eq!(request.content.reference.as_deref(), Some("r-1"));
        assert!(!request.content.object.contains_key("category"));
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once_and_slips_are_recognised() {
        let found = faults(json!({
            "to": "+12025550123", "text": {"body": "hi"},
            "categroy": "utility", "priority": "urgnet", "unknown": 7, "ordered": true,
            "expires_in": "soon",
        }));
        let expected = [
            ("/categroy", "did you mean `category`?"),
            ("/from", "name one of the tenant's sessions; GET /v1/sessions lists them"),
            ("/expires_in", "write whole seconds (900), or a number and its unit (\"15m\")"),
            ("/priority", "did you mean \"urgent\"?"),
            ("/unknown", "choose from hold, resend, expire"),
            ("/ordered", "write \"strict\" or leave it out"),
        ];
        let expected = expected.map(|(at, remedy)| (at.to_owned(), remedy.to_owned()));
        // The unknown field also stands in what is left for the content, which takes no offence.
        assert_eq!(found, expected);
    }

    #[test]
    fn two_expiries_and_a_strange_body_are_refused() {
        let both = json!({
            "from": "s", "to": "+12025550123", "text": {"body": "hi"},
            "expires_in": 5, "expires_at": "2026-01-01T00:00:00Z",
        });
        assert_eq!(faults(both)[0].0, "/expires_in");
        assert_eq!(faults(json!([1]))[0].0, "");
        assert_eq!(faults(json!({"a/b~": 1}))[0].0, "/a~1b~0");
    }
}
