//! Times and durations for people.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;

/// The time of day of a written timestamp, to the millisecond, where the date is plain.
#[must_use]
pub fn of_day(written: &str) -> String {
    let Ok(time) = written.parse::<Timestamp>() else {
        return written.to_owned();
    };
    let time: Time = time.to_zoned(TimeZone::UTC).time();
    time.strftime("%H:%M:%S%.3f").to_string()
}

/// A duration in one or two units: `850 ms`, `12.5 s`, `3 min 20 s`.
#[must_use]
pub fn spent(duration: Duration) -> String {
    match duration.as_secs() {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        seconds => format!("{} min {} s", seconds / 60, seconds % 60),
    }
}

/// A count with its thousands apart: `3,000`.
#[must_use]
pub fn thousands(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
