//! Meta's limits, counted as Meta documents them: number throughput, pair rate, unique people of the portfolio in 24 hours.
//!
//! Rates are GCRA cells: one number each (the theoretical arrival time), no timers.

use super::config::Limits;
use super::error::GraphError;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

const SHARDS: usize = 64;
/// Cells of one shard before those that have run full again are thrown out: 64 × 32,768 cells of about 32 bytes are 64 MB.
const SHARD_SWEEP: usize = 32_768;
const DAY_US: u64 = 24 * 3600 * 1_000_000;

/// The cells of all limits.
pub(super) struct Meter {
    settings: Limits,
    hasher: RandomState,
    numbers: Mutex<HashMap<String, u64>>,
    pairs: Vec<Mutex<HashMap<u64, u64>>>,
    people: Mutex<HashMap<u64, u64>>,
    /// How often each limit was exceeded, enforced or not.
    pub exceeded: Exceeded,
}

/// Counts of exceeded limits.
#[derive(Debug, Default)]
pub(super) struct Exceeded {
    pub number: AtomicU64,
    pub pair: AtomicU64,
    pub portfolio: AtomicU64,
}

/// One arrival at a GCRA cell: admits it and moves the cell, or leaves it as it is.
fn admit(cell: &mut u64, now_us: u64, interval_us: u64, burst: u64) -> bool {
    let arrival = (*cell).max(now_us);
    if arrival - now_us > interval_us.saturating_mul(burst.saturating_sub(1)) {
        return false;
    }
    *cell = arrival + interval_us;
    true
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "settings of seconds and rates, far below 2^53 microseconds"
)]
fn micros(seconds: f64) -> u64 {
    (seconds * 1e6).max(0.0) as u64
}

impl Meter {
    pub(super) fn new(settings: Limits) -> Self {
        let pairs = (0..SHARDS).map(|_| Mutex::default()).collect();
        Self {
            settings,
            hasher: RandomState::new(),
            numbers: Mutex::default(),
            pairs,
            people: Mutex::default(),
            exceeded: Exceeded::default(),
        }
    }

    /// Counts one message out.
    pub(super) fn outbound(&self, phone_number_id: &str, person: &str, now_us: u64) -> Result<(), GraphError> {
        self.number(phone_number_id, now_us)?;
        self.pair(phone_number_id, person, now_us)?;
        self.portfolio(person, now_us)
    }

    /// Counts one message in: it takes from the number's throughput, and nothing refuses it.
    pub(super) fn inbound(&self, phone_number_id: &str, now_us: u64) {
        // Whether the number is over its rate is the business of its next message out.
        drop(self.number(phone_number_id, now_us));
    }

    fn verdict(
        &self,
        admitted: bool,
        counter: &AtomicU64,
        error: impl FnOnce() -> GraphError,
    ) -> Result<(), GraphError> {
        if admitted {
            return Ok(());
        }
        counter.fetch_add(1, Ordering::Relaxed);
        if self.settings.enforce { Err(error()) } else { Ok(()) }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a burst of one second of messages")]
    fn number(&self, id: &str, now_us: u64) -> Result<(), GraphError> {
        let Some(rate) = self.settings.number_per_second.filter(|rate| *rate > 0.0) else {
            return Ok(());
        };
        let mut cells = lock(&self.numbers);
        if !cells.contains_key(id) {
            cells.insert(id.to_owned(), 0);
        }
        let admitted = cells.get_mut(id).is_none_or(|cell| admit(cell, now_us, micros(1.0 / rate), rate.ceil() as u64));
        drop(cells);
        self.verdict(admitted, &self.exceeded.number, || GraphError::new(130_429))
    }

    fn pair(&self, id: &str, person: &str, now_us: u64) -> Result<(), GraphError> {
        let Some(seconds) = self.settings.pair_seconds else {
            return Ok(());
        };
        let key = self.hasher.hash_one((id, person));
        let shard = &self.pairs[usize::try_from(key).unwrap_or(0) % SHARDS];
        let mut cells = lock(shard);
        if cells.len() >= SHARD_SWEEP {
            cells.retain(|_, arrival| *arrival > now_us);
        }
        let cell = cells.entry(key).or_insert(0);
        let admitted = admit(cell, now_us, micros(seconds), u64::from(self.settings.pair_burst));
        drop(cells);
        self.verdict(admitted, &self.exceeded.pair, || GraphError::new(131_056))
    }

    fn portfolio(&self, person: &str, now_us: u64) -> Result<(), GraphError> {
        let Some(most) = self.settings.portfolio_people else {
            return Ok(());
        };
        let key = self.hasher.hash_one(person);
        let mut people = lock(&self.people);
        let known = people.get(&key).is_some_and(|since| now_us - (*since).min(now_us) < DAY_US);
        if !known && people.len() >= most {
            people.retain(|_, since| now_us - (*since).min(now_us) < DAY_US);
        }
        let admitted = known || people.len() < most;
        if admitted {
            people.entry(key).or_insert(now_us);
        }
        drop(people);
        let code = self.settings.portfolio_code;
        self.verdict(admitted, &self.exceeded.portfolio, || {
            GraphError::with(code, "The messaging limit of the portfolio is reached.")
        })
    }
}

/// A poisoned lock means a panic elsewhere has been reported already; the counts behind it are still whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{DAY_US, Meter};
    use crate::graph::config::Limits;

    const SECOND: u64 = 1_000_000;

    fn codes(meter: &Meter, person: &str, at: u64, times: usize) -> Vec<u32> {
        (0..times).filter_map(|_| meter.outbound("1", person, at).err().map(|e| e.code)).collect()
    }

    #[test]
    fn a_pair_has_a_burst_and_then_one_in_six_seconds() {
        let meter = Meter::new(Limits { number_per_second: None, ..Limits::default() });
        let start = 1_000 * SECOND;
        assert_eq!(codes(&meter, "49151", start, 47), [131_056, 131_056], "45 at once, then none");
        assert!(codes(&meter, "49152", start, 1).is_empty(), "another person is not concerned");
        assert_eq!(codes(&meter, "49151", start + 5 * SECOND, 1), [131_056]);
        assert!(codes(&meter, "49151", start + 6 * SECOND, 1).is_empty());
        assert_eq!(codes(&meter, "49151", start + 6 * SECOND, 1), [131_056]);
    }

    #[test]
    fn a_number_has_its_throughput() {
        let meter = Meter::new(Limits { pair_seconds: None, ..Limits::default() });
        let start = 1_000 * SECOND;
        assert_eq!(codes(&meter, "1", start, 85), [130_429; 5]);
        assert_eq!(codes(&meter, "1", start + SECOND / 2, 41), [130_429], "half a second gives forty");
        meter.inbound("1", start + SECOND);
        assert_eq!(codes(&meter, "1", start + SECOND, 40), [130_429], "one of forty went to the inbound message");
    }

    #[test]
    fn a_portfolio_has_so_many_people_a_day() {
        let limits = Limits { portfolio_people: Some(2), ..Limits::off() };
        let meter = Meter::new(limits);
        let start = 1_000 * SECOND;
        assert!(codes(&meter, "a", start, 3).is_empty());
        assert!(codes(&meter, "b", start + 1, 1).is_empty());
        assert_eq!(codes(&meter, "c", start + 2, 1), [131_048]);
        assert!(codes(&meter, "c", start + DAY_US, 1).is_empty(), "a day later the first has left the window");
    }

    #[test]
    fn without_enforcement_it_only_counts() {
        let meter = Meter::new(Limits { enforce: false, pair_burst: 1, ..Limits::default() });
        assert!(codes(&meter, "1", SECOND, 5).is_empty());
        assert_eq!(meter.exceeded.pair.load(std::sync::atomic::Ordering::Relaxed), 4);
    }
}
