//! Quiet hours: the time of day in which marketing leaves people alone, in every zone in which they may be.
//!
//! A phone number says a country, not a place, so a country with several zones is quiet while any of them is. It decides
//! nothing about zones themselves: what time it is where is handed in, as offsets from UTC.

use std::fmt;
use std::str::FromStr;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::record::Micros;

/// At most half a day, minutes: zones of one country lie up to 10 hours apart, and somewhere in the day it must be loud
/// in all of them.
pub const LONGEST: u16 = 12 * 60;

/// Minutes of a day.
const DAY: u16 = 24 * 60;

const MINUTE: Micros = 60_000_000;

/// Why a message waits, or failed waiting.
pub const QUIET_HOURS: &str = "quiet_hours";

/// When a tenant's marketing leaves people alone. Part of a stored event: its numbers never change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Encode, Decode)]
#[cbor(map)]
pub struct QuietHours {
    /// First quiet minute of the day, 0 to 1,439, local time of the recipient.
    #[n(0)]
    pub from: u16,
    /// First minute that is quiet no more; less than `from` where the night lies between.
    #[n(1)]
    pub until: u16,
    /// IANA name of the zone of a recipient of whom no country is known.
    #[n(2)]
    pub zone: String,
}

/// Why a text says no quiet hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum QuietError {
    /// Not of the form.
    #[error("is not of the form `21:00-08:00 Europe/Berlin`")]
    Form,
    /// No quiet minute, or too many.
    #[error("lasts {0} minutes; 1 minute to 12 hours is possible")]
    Length(u16),
}

impl QuietHours {
    /// When it will be loud again in all places with these offsets from UTC (seconds, east positive), if it is quiet now
    /// in any of them. Offsets are those of now: where a clock is put on or back meanwhile, who waits asks once more.
    #[must_use]
    pub fn until(&self, offsets: &[i32], now: Micros) -> Option<Micros> {
        let mut at = now;
        // Each round leaves one place's quiet hours; two days hold each place's at most thrice.
        for _ in 0..=offsets.len() * 3 {
            match offsets.iter().find_map(|offset| self.left(*offset, at)) {
                Some(left) => at += left,
                None => return (at > now).then_some(at),
            }
        }
        Some(at)
    }

    /// How long it is still quiet in a place.
    fn left(&self, offset: i32, at: Micros) -> Option<Micros> {
        let local = (at + Micros::from(offset) * 1_000_000).rem_euclid(Micros::from(DAY) * MINUTE);
        let since = (local - Micros::from(self.from) * MINUTE).rem_euclid(Micros::from(DAY) * MINUTE);
        let left = Micros::from(self.minutes()) * MINUTE - since;
        (left > 0).then_some(left)
    }

    /// How long they last, minutes.
    fn minutes(&self) -> u16 {
        (self.until + DAY - self.from) % DAY
    }
}

impl fmt::Display for QuietHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [from, until] = [self.from, self.until].map(|minute| (minute / 60, minute % 60));
        write!(f, "{:02}:{:02}-{:02}:{:02} {}", from.0, from.1, until.0, until.1, self.zone)
    }
}

impl FromStr for QuietHours {
    type Err = QuietError;

    /// `21:00-08:00 Europe/Berlin`. Whether there is such a zone is for who knows zones.
    fn from_str(text: &str) -> Result<Self, QuietError> {
        let (hours, zone) = text.trim().split_once(' ').ok_or(QuietError::Form)?;
        let (from, until) = hours.split_once('-').ok_or(QuietError::Form)?;
        let zone = zone.trim();
        if zone.is_empty() || zone.len() > 64 || zone.contains(char::is_whitespace) {
            return Err(QuietError::Form);
        }
        let quiet = Self { from: minute(from)?, until: minute(until)?, zone: zone.to_owned() };
        match quiet.minutes() {
            1..=LONGEST => Ok(quiet),
            minutes => Err(QuietError::Length(minutes)),
        }
    }
}

/// `21:00`, as minutes of the day.
fn minute(text: &str) -> Result<u16, QuietError> {
    let number = |text: &str, end: u16| -> Result<u16, QuietError> {
        let is_short = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<u16>().ok().filter(|number| is_short && *number < end).ok_or(QuietError::Form)
    };
    let (hour, minute) = text.split_once(':').ok_or(QuietError::Form)?;
    Ok(number(hour, 24)? * 60 + number(minute, 60)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: Micros = 60 * MINUTE;

    fn night() -> QuietHours {
        "21:00-08:00 Europe/Berlin".parse().expect("quiet hours")
    }

    #[test]
    fn the_night_ends_in_the_morning_of_the_place() {
        let at = |hour: Micros| hour * HOUR;
        assert_eq!(night().until(&[0], at(20)), None);
        assert_eq!(night().until(&[0], at(21) - 1), None);
        assert_eq!(night().until(&[0], at(21)), Some(at(32)));
        assert_eq!(night().until(&[0], at(31)), Some(at(32)));
        assert_eq!(night().until(&[0], at(32)), None);
        assert_eq!(night().until(&[7_200], at(19)), Some(at(30)), "21 o'clock two hours east");
        assert_eq!(night().until(&[-18_000], at(24)), None, "19 o'clock five hours west");
    }

    #[test]
    fn it_is_quiet_while_any_place_is() {
        // New York and Los Angeles in winter.
        let offsets = [-5 * 3_600, -8 * 3_600];
        assert_eq!(night().until(&offsets, 14 * HOUR), Some(16 * HOUR), "9 in the east, 6 in the west");
        assert_eq!(night().until(&offsets, 2 * HOUR), Some(16 * HOUR), "21 in the east, and then the west's night");
        assert_eq!(night().until(&offsets, 20 * HOUR), None);
    }

    #[test]
    fn a_text_says_what_it_is_not() {
        assert_eq!(night().to_string(), "21:00-08:00 Europe/Berlin");
        let refused = |text: &str| text.parse::<QuietHours>().expect_err(text);
        for text in
            ["", "21:00", "21-8 Europe/Berlin", "21:00-08:00", "21:60-08:00 UTC", "24:00-08:00 UTC", "9:00-12:00 UTC"]
        {
            assert_eq!(refused(text), QuietError::Form, "{text}");
        }
        assert_eq!(refused("08:00-08:00 UTC"), QuietError::Length(0));
        assert_eq!(refused("08:00-21:00 UTC"), QuietError::Length(780));
        assert!("08:00-20:00 UTC".parse::<QuietHours>().is_ok());
    }

    proptest! {
        #[test]
        fn who_waits_is_never_woken_in_quiet_hours_and_always_within_a_day(
            from in 0..DAY,
            length in 1..=LONGEST,
            first in -12 * 60..=4 * 60_i32,
            others in proptest::collection::vec(0..=10 * 60_i32, 0..12),
            now in 0..1_000 * HOUR,
        ) {
            let quiet = QuietHours { from, until: (from + length) % DAY, zone: "UTC".into() };
            let offsets: Vec<i32> = std::iter::once(0).chain(others).map(|more| (first + more) * 60).collect();
            let is_quiet = |at| offsets.iter().any(|offset| quiet.left(*offset, at).is_some());
            match quiet.until(&offsets, now) {
                None => prop_assert!(!is_quiet(now)),
                Some(at) => {
                    prop_assert!(is_quiet(now) && !is_quiet(at) && is_quiet(at - 1), "{}", at - now);
                    prop_assert!(at - now <= 22 * HOUR);
                }
            }
        }
    }
}
