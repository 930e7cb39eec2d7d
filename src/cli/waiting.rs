//! Why a message waits, as one sentence.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use crate::channel::whatsapp::codes;
use crate::domain::text::calm;

/// Meta's table of error codes as shipped: what a code means.
const META_ERRORS: &str = include_str!("../../config/meta-errors.toml");

/// The sentence for the `waiting` of a message, if it waits for something.
#[must_use]
pub fn sentence(message: &Value) -> Option<String> {
    let waiting = message.get("waiting").filter(|waiting| waiting.is_object())?;
    let until = waiting["until"].as_str().map(moment);
    let why = waiting["why"].as_str().unwrap_or_default();
    let cause = cause(waiting);
    let told = match (why, until) {
        ("scheduled", Some(until)) => format!("scheduled: leaves at {until}"),
        ("held", Some(until)) => format!("held until {until}: {cause}"),
        ("retry", Some(until)) => format!("tried again at {until}: {cause}"),
        ("throttled", Some(until)) => format!("throttled until {until}: {cause}"),
        ("throttled", None) => format!("throttled, its session sends more slowly: {cause}"),
        ("suspended", _) => format!("held, its session is suspended: {}", reason(waiting)),
        ("gated", _) => "held behind a closed gate; `waybill gates` says why".to_owned(),
        ("portfolio", until) => portfolio(waiting, until),
        ("unknown", _) => format!("it may have been sent, and nobody knows yet: {}", reason(waiting)),
        (other, until) => [Some(other.to_owned()), until].into_iter().flatten().collect::<Vec<_>>().join(" until "),
    };
    Some(calm(&told))
}

/// It is in line, or Meta holds everybody of it.
fn portfolio(waiting: &Value, until: Option<String>) -> String {
    let until = until.map(|until| format!(" until {until}")).unwrap_or_default();
    match waiting["code"].as_i64() {
        Some(_) => format!("held with its portfolio{until}: {}", cause(waiting)),
        None => format!("in line{until}: its portfolio has written to as many people of a day as it may"),
    }
}

fn cause(waiting: &Value) -> String {
    let Some(code) = waiting["code"].as_i64() else {
        return match waiting["reason"].as_str() {
            Some("unreached" | "connect") => "Meta was not reached".to_owned(),
            _ => reason(waiting),
        };
    };
    match meaning(code) {
        Some(meaning) => format!("Meta answered {code}: {meaning}"),
        None => format!("Meta answered {code}"),
    }
}

fn reason(waiting: &Value) -> String {
    waiting["reason"].as_str().unwrap_or("no reason is known").replace('_', " ")
}

/// A server may be configured with another table; its codes are the same.
fn meaning(code: i64) -> Option<String> {
    let table = codes::parse(META_ERRORS).ok()?;
    Some(table.row(i32::try_from(code).ok()?, None)?.meaning.clone())
}

/// `2026-11-23 10:42:00 UTC`.
fn moment(written: &str) -> String {
    let Ok(at) = written.parse::<Timestamp>() else {
        return written.to_owned();
    };
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(why: &str, until: Value, code: Value, reason: Value) -> String {
        let waiting = json!({"why": why, "until": until, "code": code, "reason": reason});
        sentence(&json!({"waiting": waiting})).expect("a sentence")
    }

    #[test]
    fn each_reason_is_a_sentence() {
        let at = || json!("2026-11-23T10:42:00.5Z");
        let spoken = [
            told("held", at(), json!(131_048), json!("throttle:number")),
            told("held", at(), Value::Null, json!("unreached")),
            told("throttled", at(), json!(131_056), json!("throttle_pair")),
            told("throttled", Value::Null, json!(4_711), json!("throttle:number")),
            told("retry", at(), Value::Null, json!("content_unavailable")),
            told("scheduled", at(), Value::Null, Value::Null),
            told("suspended", Value::Null, Value::Null, json!("complaints")),
            told("gated", Value::Null, Value::Null, Value::Null),
            told("portfolio", at(), Value::Null, json!("portfolio")),
            told("portfolio", at(), json!(131_064), json!("portfolio")),
            told("unknown", Value::Null, Value::Null, json!("timeout")),
        ];
        assert_eq!(
            spoken,
            [
                "held until 2026-11-23 10:42:00 UTC: Meta answered 131048: Spam limit of the number: people blocked or \
                 reported it.",
                "held until 2026-11-23 10:42:00 UTC: Meta was not reached",
                "throttled until 2026-11-23 10:42:00 UTC: Meta answered 131056: Too many messages from this number to \
                 this person.",
                "throttled, its session sends more slowly: Meta answered 4711",
                "tried again at 2026-11-23 10:42:00 UTC: content unavailable",
                "scheduled: leaves at 2026-11-23 10:42:00 UTC",
                "held, its session is suspended: complaints",
                "held behind a closed gate; `waybill gates` says why",
                "in line until 2026-11-23 10:42:00 UTC: its portfolio has written to as many people of a day as it may",
                "held with its portfolio until 2026-11-23 10:42:00 UTC: Meta answered 131064: The messaging limit was cut \
                 because templates were misclassified.",
                "it may have been sent, and nobody knows yet: timeout",
            ]
        );
        for nothing in [json!({}), json!({"waiting": null})] {
            assert_eq!(sentence(&nothing), None);
        }
    }
}
