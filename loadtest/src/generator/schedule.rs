//! When each message is due: at once (closed loop), or at the ticks of a rate (open loop).

use super::config::Pace;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Hands out messages to the callers.
pub(super) struct Schedule {
    next: AtomicU64,
    count: u64,
    /// Open loop: permits released as messages become due.
    due: Option<Semaphore>,
    start: Instant,
    interval_ns: f64,
}

impl Schedule {
    /// A schedule that starts now; for an open loop [`Schedule::pace`] has to run in a thread of its own.
    pub(super) fn new(pace: Pace) -> Arc<Self> {
        let (due, interval_ns) = match pace {
            Pace::Closed { .. } => (None, 0.0),
            Pace::Open { rate, .. } => (Some(Semaphore::new(0)), 1e9 / rate),
        };
        Arc::new(Self { next: AtomicU64::new(0), count: pace.count(), due, start: Instant::now(), interval_ns })
    }

    /// The next message and when it is (or was) due; none when all are taken.
    pub(super) async fn next(&self) -> Option<(u64, Instant)> {
        if let Some(due) = &self.due {
            // A closed semaphore: every message has become due, and the pacer is done.
            if let Ok(permit) = due.acquire().await {
                permit.forget();
            }
        }
        let n = self.next.fetch_add(1, Relaxed);
        if n >= self.count {
            return None;
        }
        let when = if self.due.is_some() { self.due_at(n) } else { Instant::now() };
        Some((n, when))
    }

    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "nanoseconds of a run, far below 2^53"
    )]
    fn due_at(&self, n: u64) -> Instant {
        self.start + Duration::from_nanos((n as f64 * self.interval_ns) as u64)
    }

    /// Releases messages as they become due, and returns when all have been.
    ///
    /// A thread of its own: the runtime's timer has steps of a millisecond, this one of about 100 µs.
    pub(super) fn pace(&self) {
        let Some(due) = &self.due else { return };
        let mut released = 0;
        while released < self.count {
            let (now, before) = (Instant::now(), released);
            while released < self.count && self.due_at(released) <= now {
                released += 1;
            }
            due.add_permits(usize::try_from(released - before).unwrap_or(usize::MAX));
            let wait = self.due_at(released).saturating_duration_since(Instant::now());
            std::thread::sleep(wait.max(Duration::from_micros(50)));
        }
        due.close();
    }
}

#[cfg(test)]
mod tests {
    use super::Schedule;
    use crate::generator::Pace;
    use std::time::Duration;

    #[tokio::test]
    async fn an_open_loop_keeps_its_rate_and_hands_out_each_message_once() {
        let schedule = Schedule::new(Pace::Open { rate: 1000.0, count: 50, in_flight: 1 });
        let pacing = schedule.clone();
        let pacer = std::thread::spawn(move || pacing.pace());
        let mut taken = Vec::new();
        while let Some((n, due)) = schedule.next().await {
            assert!(due.elapsed() < Duration::from_secs(60), "never before it is due");
            taken.push(n);
        }
        pacer.join().expect("pacer");
        assert_eq!(taken, (0..50).collect::<Vec<_>>());
        assert!(schedule.start.elapsed() >= Duration::from_millis(49));
    }
}
