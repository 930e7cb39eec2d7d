//! Two clocks: wall time, which is recorded, and steady time, which is waited on.
//!
//! Steady time is `CLOCK_BOOTTIME`: it runs while the machine is suspended, so a frozen and thawed process sees that its
//! deadlines have passed. Only [`Steps`] compares one clock with the other: to notice that somebody has set the wall clock.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::domain::record::Micros;

/// Time, handed in.
pub trait Clock: Send + Sync + 'static {
    /// Wall time, microseconds since 1970 UTC. May step; a claim, not a measure.
    fn wall(&self) -> Micros;
    /// Time since some fixed instant. Never steps back and counts suspended time.
    fn steady(&self) -> Duration;
}

/// The machine's clocks.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn wall(&self) -> Micros {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
        time.tv_sec * 1_000_000 + time.tv_nsec / 1_000
    }

    fn steady(&self) -> Duration {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let nanos = u32::try_from(time.tv_nsec).unwrap_or(0);
        Duration::new(seconds, nanos)
    }
}

/// A step is at least so long: less is the machine's own slewing, and time between two readings.
const STEP: Micros = 100_000;

/// Readings further apart than this say nothing: the thread was not running between them.
const APART: Duration = Duration::from_millis(10);

/// Notices that the wall clock was set. What waits in memory for so long, and for no moment that people named, is moved by as
/// much as the clock: else a clock set back stops it, and one set ahead gives all that it waited for at once.
#[derive(Debug, Clone, Copy)]
pub struct Steps {
    /// Wall time minus steady time, when both were read last.
    apart: Micros,
}

impl Steps {
    /// From now on.
    pub fn new(clock: &dyn Clock) -> Self {
        Self { apart: clock.wall() - micros(clock.steady()) }
    }

    /// Wall time, and by how much the clock was set since this was asked last: 0 if it was not.
    pub fn look(&mut self, clock: &dyn Clock) -> (Micros, Micros) {
        let before = clock.steady();
        let wall = clock.wall();
        if clock.steady().saturating_sub(before) > APART {
            // By the last reading still: else what is done in this look were moved by a step that the next one sees.
            return (self.apart + micros(before), 0);
        }
        let apart = wall - micros(before);
        let step = apart - std::mem::replace(&mut self.apart, apart);
        (wall, if step.abs() < STEP { 0 } else { step })
    }
}

fn micros(time: Duration) -> Micros {
    Micros::try_from(time.as_micros()).unwrap_or(Micros::MAX / 2)
}

/// A clock that stands still until it is moved.
#[derive(Debug, Default)]
pub struct ManualClock {
    wall: AtomicI64,
    steady: AtomicU64,
}

impl ManualClock {
    /// A clock that shows `wall`.
    #[must_use]
    pub fn at(wall: Micros) -> Self {
        Self { wall: AtomicI64::new(wall), steady: AtomicU64::new(0) }
    }

    /// Moves both clocks on.
    pub fn advance(&self, by: Duration) {
        let micros = u64::try_from(by.as_micros()).unwrap_or(u64::MAX);
        self.steady.fetch_add(micros, Ordering::SeqCst);
        self.step(i64::try_from(micros).unwrap_or(i64::MAX));
    }

    /// Steps wall time only, forwards or backwards.
    pub fn step(&self, micros: i64) {
        self.wall.fetch_add(micros, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> Micros {
        self.wall.load(Ordering::SeqCst)
    }

    fn steady(&self) -> Duration {
        Duration::from_micros(self.steady.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_clock_is_plausible_and_steady_time_does_not_go_back() {
        let clock = SystemClock;
        assert!(clock.wall() > 1_700_000_000_000_000);
        let first = clock.steady();
        assert!(clock.steady() >= first);
    }

    #[test]
    fn a_step_is_noticed_once_and_time_that_passes_is_none() {
        let clock = ManualClock::at(1_000_000);
        let mut steps = Steps::new(&clock);
        clock.advance(Duration::from_secs(3_600));
        assert_eq!(steps.look(&clock), (3_601_000_000, 0));
        for step in [3_600_000_000, -7_200_000_000] {
            clock.step(step);
            assert_eq!(steps.look(&clock).1, step);
            assert_eq!(steps.look(&clock).1, 0);
        }
        // Slewing adds up to nothing.
        for _ in 0..10_000 {
            clock.step(STEP / 2);
            assert_eq!(steps.look(&clock).1, 0);
        }
    }

    /// Where the thread does not run for a second between two readings, and the wall clock is set meanwhile.
    struct Preempted(ManualClock, AtomicI64);

    impl Clock for Preempted {
        fn wall(&self) -> Micros {
            self.0.wall()
        }

        fn steady(&self) -> Duration {
            let step = self.1.swap(0, Ordering::SeqCst);
            let before = self.0.steady();
            if step != 0 {
                self.0.advance(Duration::from_secs(1));
                self.0.step(step);
            }
            before
        }
    }

    #[test]
    fn a_step_within_a_look_that_was_interrupted_is_seen_once_and_not_before() {
        let clock = Preempted(ManualClock::at(1_000_000), AtomicI64::new(0));
        let mut steps = Steps::new(&clock);
        clock.1.store(3_600_000_000, Ordering::SeqCst);
        assert_eq!(steps.look(&clock), (1_000_000, 0), "the time of before");
        assert_eq!(steps.look(&clock), (3_602_000_000, 3_600_000_000));
        assert_eq!(steps.look(&clock).1, 0);
    }

    #[test]
    fn a_wall_step_leaves_steady_time_alone() {
        let clock = ManualClock::at(1_000);
        clock.advance(Duration::from_micros(5));
        clock.step(-500);
        assert_eq!((clock.wall(), clock.steady()), (505, Duration::from_micros(5)));
    }
}
