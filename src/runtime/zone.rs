//! What time it is where a phone number is from: the zones of its country, by `config/zones.toml` and the IANA time zone
//! database, which is compiled in, so that every machine knows the same.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::domain::record::Micros;

/// Digits at the beginning of a number and the zones they stand for. Parsed once; a test reads every line of it.
static BY_DIGITS: LazyLock<BTreeMap<String, Vec<TimeZone>>> = LazyLock::new(|| {
    table().into_iter().map(|(digits, names)| (digits, names.iter().map(|name| listed(name)).collect())).collect()
});

/// What cannot be read must not mean that nobody has quiet hours.
#[expect(clippy::expect_used, reason = "compiled in, and every line of it is read by a test")]
fn table() -> BTreeMap<String, Vec<String>> {
    toml::from_str(include_str!("../../config/zones.toml")).expect("config/zones.toml is a table of lists")
}

#[expect(clippy::expect_used, reason = "compiled in, and every line of it is read by a test")]
fn listed(name: &str) -> TimeZone {
    zone(name).expect("config/zones.toml names zones of the database")
}

/// The longest entry, digits.
const LONGEST: usize = 4;

fn zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok()
}

/// Whether there is a zone of this name.
#[must_use]
pub fn is_known(name: &str) -> bool {
    zone(name).is_some()
}

/// Seconds east of UTC, at this time, in every zone where a recipient may be: of the country of a phone number (`+` and
/// digits), else of the zone named `own`, else UTC.
#[must_use]
pub fn offsets(to: &str, own: &str, at: Micros) -> Vec<i32> {
    let Ok(at) = Timestamp::from_microsecond(at) else {
        return vec![0];
    };
    let seconds = |zone: &TimeZone| zone.to_offset(at).seconds();
    match country(to) {
        Some(zones) => zones.iter().map(seconds).collect(),
        None => vec![zone(own).as_ref().map_or(0, seconds)],
    }
}

fn country(to: &str) -> Option<&'static [TimeZone]> {
    let digits = to.strip_prefix('+')?;
    (1..=LONGEST)
        .rev()
        .filter_map(|length| digits.get(..length))
        .find_map(|start| BY_DIGITS.get(start))
        .map(Vec::as_slice)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-07-01T12:00:00Z.
    const SUMMER: Micros = 1_782_907_200_000_000;

    fn hours(to: &str) -> Vec<i32> {
        offsets(to, "Asia/Tokyo", SUMMER).into_iter().map(|seconds| seconds / 3_600).collect()
    }

    #[test]
    fn every_line_of_the_table_names_zones_that_exist() {
        let table = table();
        assert!(table.len() > 200, "{}", table.len());
        for (digits, names) in &table {
            assert!((1..=LONGEST).contains(&digits.len()) && !names.is_empty(), "{digits}");
            assert!(names.iter().all(|name| is_known(name)), "{digits} = {names:?}");
            assert_eq!(BY_DIGITS[digits].len(), names.len());
        }
    }

    #[test]
    fn no_country_is_wider_than_quiet_hours_allow() {
        for (digits, zones) in &*BY_DIGITS {
            let at =
                |at| zones.iter().map(move |zone| zone.to_offset(Timestamp::from_microsecond(at).expect("a time")));
            for at in [at(SUMMER), at(SUMMER + 183 * 86_400 * 1_000_000)] {
                let seconds: Vec<i32> = at.map(|offset| offset.seconds()).collect();
                let wide = seconds.iter().max().expect("a zone") - seconds.iter().min().expect("a zone");
                assert!(wide <= 11 * 3_600, "+{digits} spans {wide} s: quiet hours of 12 h would never end");
            }
        }
    }

    #[test]
    fn a_number_is_where_its_longest_entry_is() {
        assert_eq!(hours("+4930123456"), [2]);
        assert_eq!(hours("+18085550123"), [-10], "Hawaii");
        assert_eq!(hours("+77010001122"), [5], "Kazakhstan");
        let mainland = hours("+12025550123");
        assert!(mainland.contains(&-4) && mainland.contains(&-7) && !mainland.contains(&-10), "{mainland:?}");
        assert_eq!(hours("+870123456789"), [9], "a satellite: the tenant's own");
        assert_eq!(hours("bsuid:DE.123"), [9]);
        assert_eq!(offsets("bsuid:DE.123", "Nowhere/Else", SUMMER), [0]);
    }

    #[test]
    fn summer_time_is_known() {
        let winter = SUMMER + 183 * 86_400 * 1_000_000;
        assert_eq!((offsets("+491", "UTC", SUMMER), offsets("+491", "UTC", winter)), (vec![7_200], vec![3_600]));
    }
}
