//! `Retry-After` in both its forms: seconds, or a date in any of HTTP's three spellings (RFC 9110 §5.6.7, §10.2.3).

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822::DateTimeParser;
use jiff::tz::TimeZone;

/// No endpoint may ask for more; the schedule cuts it further. Seven days exceed the standard schedule's four.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);
/// The longest date, `Wednesday, 06-Nov-94 08:49:37 GMT`, has 34 characters; the rest is room for blanks.
const MAX_LENGTH: usize = 64;

/// How long the endpoint asks us to wait, from `now_s` (Unix seconds), at most seven days; zero for a date that has
/// passed; `None` for a value that is neither form (such a value is ignored, as RFC 9110 allows).
#[must_use]
pub fn parse_retry_after(value: &str, now_s: u64) -> Option<Duration> {
    let value = value.trim();
    if value.is_empty() || value.len() > MAX_LENGTH {
        return None;
    }
    let seconds = if value.bytes().all(|b| b.is_ascii_digit()) {
        // Digits alone can only fail by being too many: that is "very long", not "unreadable".
        value.parse().unwrap_or(u64::MAX)
    } else {
        date(value)?.saturating_sub(now_s)
    };
    Some(Duration::from_secs(seconds).min(LONGEST))
}

/// Unix seconds of an HTTP date; dates before 1970 count as 1970.
fn date(value: &str) -> Option<u64> {
    let stamp = DateTimeParser::new().parse_timestamp(value).ok().or_else(|| obsolete(value))?;
    Some(u64::try_from(stamp.as_second()).unwrap_or(0))
}

/// RFC 850 and asctime dates: always UTC, and recipients must still read them.
fn obsolete(value: &str) -> Option<Timestamp> {
    let civil = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"]
        .iter()
        .find_map(|format| DateTime::strptime(format, value).ok())?;
    civil.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Sun, 06 Nov 1994 08:49:37 GMT, the example date of RFC 9110.
    const NOV_1994: u64 = 784_111_777;

    #[test]
    fn both_forms_and_all_three_dates_are_read() {
        let minute_before = NOV_1994 - 60;
        for (value, expected) in [
            ("120", Some(120)),
            (" 0 ", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(60)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", Some(60)),
            ("Sun Nov  6 08:49:37 1994", Some(60)),
            ("Sat, 05 Nov 1994 08:49:37 GMT", Some(0)),
            ("Tue, 06 Nov 2068 08:49:37 GMT", Some(7 * 24 * 3600)),
            ("99999999999999999999999999", Some(7 * 24 * 3600)),
            ("", None),
            ("-5", None),
            ("1.5", None),
            ("soon", None),
            ("12 monkeys", None),
        ] {
            assert_eq!(parse_retry_after(value, minute_before), expected.map(Duration::from_secs), "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn no_value_panics_or_asks_for_more_than_the_cap(value in ".{0,80}", now_s: u64) {
            prop_assert!(parse_retry_after(&value, now_s).is_none_or(|wait| wait <= LONGEST));
        }
    }
}
