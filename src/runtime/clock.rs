//! Two clocks: wall time, which is recorded, and steady time, which is waited on.
//!
//! Steady time is `CLOCK_BOOTTIME`: it runs while the machine is suspended, so a frozen and thawed process sees that its
//! deadlines have passed. Nothing compares one clock with the other.

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
    fn a_wall_step_leaves_steady_time_alone() {
        let clock = ManualClock::at(1_000);
        clock.advance(Duration::from_micros(5));
        clock.step(-500);
        assert_eq!((clock.wall(), clock.steady()), (505, Duration::from_micros(5)));
    }
}
