//! Durations as people write them: `"500us"`, `"30s"`, `"15m"`, `"72h"`; several units may follow each other, `"1h30m"`.

use std::time::Duration;

use super::setting::text_setting;

/// Units in microseconds, largest first: the order in which a duration is spelled.
const UNITS: [(&str, u64); 6] =
    [("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1)];

text_setting!(
    Duration,
    expected: "a duration such as \"30s\"",
    remedy: "Write a whole number and its unit in double quotes: us, ms, s, m, h or d",
    parse: parse,
    spell: spell,
);

/// Reads a duration; zero needs its unit too (`"0s"`). None if it is not one, or beyond 2^64 microseconds.
fn parse(text: &str) -> Option<Duration> {
    let (mut rest, mut total, mut smallest) = (text.trim(), 0_u64, u64::MAX);
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, tail) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let (name, tail) = tail.split_at(tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len()));
        let (_, unit) = UNITS.iter().find(|(known, _)| *known == name)?;
        // Units must shrink: "5m1h" is more likely a slip than a wish.
        if *unit >= smallest {
            return None;
        }
        smallest = *unit;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*unit)?)?;
        rest = tail;
    }
    Some(Duration::from_micros(total))
}

/// Spells a duration in the largest unit that divides it: 90 s is `"90s"`, 120 s is `"2m"`.
fn spell(duration: &Duration) -> String {
    let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
    let whole = |unit: &&(&str, u64)| micros > 0 && micros.is_multiple_of(unit.1);
    match UNITS.iter().find(whole) {
        // Hours are kept up to four days, as operators write them ("72h").
        Some((_, unit)) if *unit == UNITS[0].1 && micros < 30 * unit => {
            format!("{}h", micros / UNITS[1].1)
        }
        Some((name, unit)) => format!("{}{name}", micros / unit),
        None => "0s".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_unit_and_sums_them() {
        let cases = [
            ("500us", 500),
            ("1ms", 1_000),
            ("30s", 30_000_000),
            ("15m", 900_000_000),
            ("72h", 259_200_000_000),
            ("30d", 2_592_000_000_000),
            ("1h30m", 5_400_000_000),
            ("0s", 0),
        ];
        for (text, micros) in cases {
            assert_eq!(parse(text), Some(Duration::from_micros(micros)), "{text}");
        }
    }

    #[test]
    fn refuses_what_is_not_a_duration() {
        for text in [
            "",
            "30",
            "s",
            "30 s",
            "-1s",
            "1.5s",
            "5m1h",
            "1s1s",
            "30sec",
            "99999999999999999999s",
            "18446744073709551615d",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn spells_what_it_reads() {
        for text in ["0s", "500us", "1ms", "90s", "2m", "72h", "120h", "30d"] {
            assert_eq!(spell(&parse(text).expect("a duration")), text);
        }
    }
}
