//! Times as the API writes and reads them: RFC 3339 in UTC, microseconds kept.

use serde_json::Value;

use super::problem::fault;
use crate::domain::content::Problem as Fault;
use crate::domain::record::Micros;

/// A time as text; null for one outside of the years that can be written.
#[must_use]
pub fn stamp(at: Micros) -> Value {
    jiff::Timestamp::from_microsecond(at).map_or(Value::Null, |time| Value::from(time.to_string()))
}

/// An optional time as text.
#[must_use]
pub fn maybe(at: Option<Micros>) -> Value {
    at.map_or(Value::Null, stamp)
}

/// Reads a time.
///
/// # Errors
/// A fault at the pointer.
pub fn read(pointer: &str, value: &Value) -> Result<Micros, Fault> {
    value
        .as_str()
        .and_then(|text| text.parse::<jiff::Timestamp>().ok())
        .map(jiff::Timestamp::as_microsecond)
        .ok_or_else(|| fault(pointer, "is not a time", "write it as RFC 3339, like `2026-08-21T12:00:00Z`"))
}

/// Units of a duration, in microseconds.
const UNITS: [(&str, Micros); 5] =
    [("ms", 1_000), ("s", 1_000_000), ("m", 60_000_000), ("h", 3_600_000_000), ("d", 86_400_000_000)];

/// Reads a duration: whole seconds as a number, or a whole number with `ms`, `s`, `m`, `h` or `d`.
///
/// # Errors
/// A fault at the pointer.
pub fn duration(pointer: &str, value: &Value) -> Result<Micros, Fault> {
    let read = match value {
        Value::Number(seconds) => seconds.as_i64().map(|n| n.saturating_mul(1_000_000)),
        Value::String(text) => duration_text(text),
        _ => None,
    };
    read.filter(|micros| *micros >= 0).ok_or_else(|| {
        fault(pointer, "is not a duration", "write whole seconds (900), or a number and its unit (\"15m\")")
    })
}

fn duration_text(text: &str) -> Option<Micros> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let (_, micros) = UNITS.iter().find(|(name, _)| *name == unit)?;
    number.parse::<Micros>().ok()?.checked_mul(*micros)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn durations_and_times_are_read_or_refused() {
        let good = [
            (json!(900), 900_000_000),
            (json!("15m"), 900_000_000),
            (json!("500ms"), 500_000),
            (json!("2d"), 172_800_000_000),
        ];
        for (value, micros) in good {
            assert_eq!(duration("/x", &value), Ok(micros), "{value}");
        }
        for bad in
            [json!(-1), json!(1.5), json!("15"), json!("m"), json!("1w"), json!("99999999999999999999d"), json!(null)]
        {
            assert!(duration("/x", &bad).is_err(), "{bad}");
        }
        assert_eq!(read("/x", &json!("1970-01-01T00:00:01Z")), Ok(1_000_000));
        assert!(read("/x", &json!("yesterday")).is_err());
        assert_eq!(stamp(1_500_000), json!("1970-01-01T00:00:01.5Z"));
    }
}
