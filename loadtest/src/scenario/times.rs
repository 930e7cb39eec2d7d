//! Percentiles and rates that know what they do not know: too few messages, or messages that never came, are no number.

use super::timeline::seconds;
use super::verdict::Measured;

/// A percentile of fewer messages says nothing.
const LEAST: usize = 100;
/// Nor does the rate of a tenth of fewer.
const LEAST_OF_TENTH: usize = 100;

/// How long something took, for each message that it should have happened to; none if it never did.
pub(super) type Delays = Vec<Option<u64>>;

/// A percentile in milliseconds. Messages that never came took longer than any that did.
#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a position in a list, and microseconds below 2^53"
)]
pub(super) fn percentile(delays: &Delays, share: f64) -> Measured {
    if delays.len() < LEAST {
        return Err(format!("of {} messages only, and fewer than {LEAST} say nothing", delays.len()));
    }
    let mut known: Vec<u64> = delays.iter().flatten().copied().collect();
    known.sort_unstable();
    let at = (delays.len() as f64 * share).ceil() as usize;
    match known.get(at.saturating_sub(1)) {
        Some(us) => Ok(*us as f64 / 1_000.0),
        None => Err(format!("{} of {} never came", delays.len() - known.len(), delays.len())),
    }
}

/// Events a second, from the first to the last.
pub(super) fn rate(times_us: &[u64]) -> Measured {
    let (first, last) = (times_us.iter().min(), times_us.iter().max());
    match (first, last) {
        (Some(first), Some(last)) if first < last => Ok(number(times_us.len() - 1) / seconds(*first, *last)),
        _ => Err(format!("{} at one time have no rate", times_us.len())),
    }
}

/// Events a second in the first and the last tenth of all events.
pub(super) fn tenths(mut times_us: Vec<u64>) -> (Measured, Measured) {
    times_us.sort_unstable();
    let tenth = times_us.len() / 10;
    if tenth < LEAST_OF_TENTH {
        let few = format!("a tenth of {} is less than {LEAST_OF_TENTH}", times_us.len());
        return (Err(few.clone()), Err(few));
    }
    (rate(&times_us[..tenth]), rate(&times_us[times_us.len() - tenth..]))
}

/// A count as a value.
#[allow(clippy::cast_precision_loss, reason = "counts below 2^53")]
pub(super) fn number(count: impl TryInto<u64>) -> f64 {
    count.try_into().unwrap_or(u64::MAX) as f64
}

#[cfg(test)]
mod tests {
    use super::{percentile, rate, tenths};

    #[test]
    fn a_percentile_is_an_element_and_what_never_came_is_the_slowest() {
        let all: Vec<Option<u64>> = (1..=100).rev().map(|ms| Some(ms * 1_000)).collect();
        assert_eq!(percentile(&all, 0.99), Ok(99.0));
        assert_eq!(percentile(&all, 0.5), Ok(50.0));
        let one_gone: Vec<_> = all.iter().map(|it| it.filter(|us| *us > 1_000)).collect();
        assert_eq!(percentile(&one_gone, 0.99), Ok(100.0), "the missing one is behind all others");
        let two_gone: Vec<_> = all.iter().map(|it| it.filter(|us| *us > 2_000)).collect();
        assert_eq!(percentile(&two_gone, 0.99), Err("2 of 100 never came".to_owned()));
        assert!(percentile(&all[1..].to_vec(), 0.5).is_err_and(|why| why.contains("99 messages")));
        assert!(percentile(&Vec::new(), 0.5).is_err());
    }

    #[test]
    fn rates_are_of_the_events_themselves() {
        assert_eq!(rate(&[0, 1_000_000, 500_000]), Ok(2.0));
        assert!(rate(&[7, 7]).is_err() && rate(&[]).is_err());
        // 1,000 at 1,000/s, then 1,000 at 100/s, in any order.
        let times: Vec<u64> =
            (0..1_000).map(|n| n * 1_000).chain((1..=1_000).map(|n| 1_000_000 + n * 10_000)).rev().collect();
        let (first, last) = tenths(times);
        assert!((first.expect("first") - 1_000.0).abs() < 1e-6 && (last.expect("last") - 100.0).abs() < 1e-6);
        assert!(tenths((0..999).collect()).0.is_err_and(|why| why.contains("999")));
    }
}
