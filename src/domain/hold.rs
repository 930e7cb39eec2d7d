//! How long a word that holds a sender is believed.
//!
//! Rows keep the end of a hold as a time of day, said by some machine's clock or asked for by the provider. A clock that was
//! ahead, or an absurd wish, would stop a sender for years; what ends too soon costs one refusal, which says it anew.

use super::record::Micros;

/// The longest hold: Meta's longest is the lock of a number that was registered too often, 72 hours.
pub const LONGEST: Micros = 72 * 3_600_000_000;

/// What began so much later than now was said by a clock that was ahead, and is not believed.
const AHEAD: Micros = 3_600_000_000;

/// When a hold ends that was said at `since`.
#[must_use]
pub fn ends(since: Micros, until: Micros, now: Micros) -> Micros {
    if since > now.saturating_add(AHEAD) { 0 } else { until.min(now.saturating_add(LONGEST)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Micros = 86_400_000_000;
    const NOW: Micros = 20_000 * DAY;

    #[test]
    fn a_hold_is_believed_for_three_days_and_one_from_the_future_not_at_all() {
        assert_eq!(ends(NOW - DAY, NOW + DAY, NOW), NOW + DAY);
        assert_eq!(ends(NOW, NOW + 365 * DAY, NOW), NOW + LONGEST);
        assert_eq!(ends(NOW + 365 * DAY, NOW + 366 * DAY, NOW), 0);
    }
}
