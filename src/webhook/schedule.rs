//! When a failed delivery is tried again: a schedule, some spread, and the endpoint's own wish.
//!
//! Pure: the draw is an argument. The default is the specification's example: ten attempts over about 76 hours.

use std::time::Duration;

const fn minutes(n: u64) -> Duration {
    Duration::from_secs(n * 60)
}

/// The delays before attempts 2 to 10 (Standard Webhooks 1.0.0, "Deliverability and reliability").
/// 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h: the last attempt comes after 75 h 35 min 5 s, before spread.
pub const STANDARD_SCHEDULE: [Duration; 9] = [
    Duration::from_secs(5),
    minutes(5),
    minutes(30),
    minutes(2 * 60),
    minutes(5 * 60),
    minutes(10 * 60),
    minutes(14 * 60),
    minutes(20 * 60),
    minutes(24 * 60),
];

/// One part in ten thousand is the finest spread: 24 h ± 20 % in steps of 8.6 s, 5 s in steps of half a millisecond.
const WHOLE: u128 = 10_000;

/// When a failed delivery is tried again.
#[derive(Debug, Clone, PartialEq)]
pub struct Schedule {
    /// The wait after each failure in a row.
    pub steps: Vec<Duration>,
    /// Share by which a wait is spread at random, up and down: 0 to 1.
    pub jitter: f64,
}

impl Default for Schedule {
    fn default() -> Self {
        Self { steps: STANDARD_SCHEDULE.to_vec(), jitter: 0.2 }
    }
}

/// How long to wait after the `failures`-th failure in a row (1 = the first attempt failed); `None` when the schedule
/// is exhausted, or for `failures` = 0.
///
/// The step is spread by the schedule's jitter with `drawn`, any 64 random bits (the bias of the remainder is below 2⁻⁵⁰).
/// `retry_after` is what the endpoint asked for: it can only make the wait longer, and by no more than the longest step
/// of the schedule, so an endpoint cannot make us keep its notifications for ever.
#[must_use]
pub fn next_delay(schedule: &Schedule, failures: u32, retry_after: Option<Duration>, drawn: u64) -> Option<Duration> {
    let index = usize::try_from(failures.checked_sub(1)?).ok()?;
    let step = *schedule.steps.get(index)?;
    let longest = schedule.steps.iter().max().copied().unwrap_or(step);
    let wished = retry_after.unwrap_or_default().min(longest);
    Some(spread(step, schedule.jitter, drawn).max(wished))
}

fn spread(step: Duration, jitter: f64, drawn: u64) -> Duration {
    // At most the whole: `as` takes what is no number for 0.
    let spread = (jitter.clamp(0.0, 1.0) * WHOLE as f64) as u64;
    let factor = WHOLE - u128::from(spread) + u128::from(drawn % (2 * spread + 1));
    // Cannot overflow: a Duration is below 2^94 ns, the factor below 2^15.
    let nanos = step.as_nanos() * factor / WHOLE;
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The draw that leaves a step as it is: the middle of 0..=4000.
    const MIDDLE: u64 = 2_000;

    fn of(steps: &[Duration]) -> Schedule {
        Schedule { steps: steps.to_vec(), ..Schedule::default() }
    }

    #[test]
    fn the_standard_schedule_is_ten_attempts_over_three_days() {
        let delays: Vec<Duration> = (1..).map_while(|n| next_delay(&Schedule::default(), n, None, MIDDLE)).collect();
        assert_eq!(delays, STANDARD_SCHEDULE);
        assert_eq!(delays.iter().sum::<Duration>(), Duration::from_secs(75 * 3600 + 35 * 60 + 5));
    }

    #[test]
    fn nothing_before_the_first_failure_or_after_the_last_step() {
        assert_eq!(next_delay(&Schedule::default(), 0, None, 0), None);
        assert_eq!(next_delay(&Schedule::default(), 10, None, 0), None);
        assert_eq!(next_delay(&Schedule::default(), u32::MAX, None, 0), None);
        assert_eq!(next_delay(&of(&[]), 1, Some(minutes(1)), 0), None);
    }

    #[test]
    fn retry_after_lengthens_and_never_shortens() {
        let wish =
            |failures, seconds| next_delay(&Schedule::default(), failures, Some(Duration::from_secs(seconds)), MIDDLE);
        assert_eq!(wish(1, 60), Some(Duration::from_secs(60)));
        assert_eq!(wish(2, 60), Some(minutes(5)));
        assert_eq!(wish(1, 30 * 24 * 3600), Some(minutes(24 * 60)));
    }

    proptest! {
        #[test]
        fn the_spread_stays_within_a_fifth(step_ms in 0_u64..=u64::from(u32::MAX), drawn: u64) {
            let step = Duration::from_millis(step_ms);
            let delay = next_delay(&of(&[step]), 1, None, drawn).expect("one step");
            prop_assert!(delay >= step * 4 / 5 && delay <= step * 6 / 5);
        }

        #[test]
        fn any_arguments_give_an_answer(secs: u64, failures: u32, wish: Option<u64>, drawn: u64) {
            let schedule = of(&[Duration::from_secs(secs), Duration::MAX]);
            let delay = next_delay(&schedule, failures, wish.map(Duration::from_secs), drawn);
            prop_assert_eq!(delay.is_some(), (1..=2).contains(&failures));
        }
    }

    #[test]
    fn both_ends_of_the_spread_are_reached() {
        let step = of(&[Duration::from_secs(10)]);
        assert_eq!(next_delay(&step, 1, None, 0), Some(Duration::from_secs(8)));
        assert_eq!(next_delay(&step, 1, None, 4_000), Some(Duration::from_secs(12)));
    }

    #[test]
    fn the_jitter_is_the_schedule_s_own() {
        let drawn = |jitter, drawn| next_delay(&Schedule { jitter, ..of(&[Duration::from_secs(10)]) }, 1, None, drawn);
        for draw in [0, 1, 2_000, u64::MAX] {
            assert_eq!(drawn(0.0, draw), Some(Duration::from_secs(10)));
        }
        assert_eq!((drawn(1.0, 0), drawn(1.0, 20_000)), (Some(Duration::ZERO), Some(Duration::from_secs(20))));
        assert_eq!(drawn(f64::NAN, 7), Some(Duration::from_secs(10)));
    }
}
