//! Meta's limits, counted as Meta documents them: number throughput, pair rate, unique people of the portfolio in 24 hours.
//!
//! Rates are GCRA cells: one number each (the theoretical arrival time), no timers.

use super::config::{Counts, Limits};
use super::error::GraphError;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};

const SHARDS: usize = 64;
/// Cells of one shard before those that have run full again are thrown out: 64 × 32,768 cells of about 32 bytes are 64 MB.
const SHARD_SWEEP: usize = 32_768;
const DAY_US: u64 = 24 * 3600 * 1_000_000;
/// What arrives so soon after a refusal left was under way when it did: the caller could not know yet.
const UNDER_WAY_US: u64 = 50_000;
/// Limits of which it is known when they were first refused: a million of 16 bytes. Beyond that a refusal counts as repeated, not as first.
const TOLD_MAX: usize = 1_000_000;

/// The cells of all limits.
pub(super) struct Meter {
    settings: RwLock<Limits>,
    hasher: RandomState,
    numbers: Mutex<HashMap<String, u64>>,
    pairs: Vec<Mutex<HashMap<u64, u64>>>,
    people: Mutex<HashMap<u64, u64>>,
    /// How often each limit was exceeded, enforced or not.
    pub exceeded: Exceeded,
    /// Of these, the ones whose caller had been told of this very limit before: the first refusal is news, the next is a wall.
    pub after_answer: Exceeded,
    /// When each limit's first refusal reaches its caller.
    told: Mutex<HashMap<u64, u64>>,
}

/// Counts of exceeded limits.
#[derive(Debug, Default)]
pub(super) struct Exceeded {
    pub number: AtomicU64,
    pub pair: AtomicU64,
    pub portfolio: AtomicU64,
}

impl Exceeded {
    /// The counts by name.
    pub(super) fn counts(&self) -> Counts {
        let all = [("number", &self.number), ("pair", &self.pair), ("portfolio", &self.portfolio)];
        all.map(|(name, count)| (name.to_owned(), count.load(Ordering::Relaxed))).into()
    }

    fn of(&self, which: Which) -> &AtomicU64 {
        match which {
            Which::Number => &self.number,
            Which::Pair => &self.pair,
            Which::Portfolio => &self.portfolio,
        }
    }
}

/// Which limit.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Which {
    Number,
    Pair,
    Portfolio,
}

/// When a message came, and when the caller will have its answer.
#[derive(Clone, Copy)]
pub(super) struct When {
    pub now_us: u64,
    pub answer_us: u64,
}

#[cfg(test)]
impl When {
    /// Answered at once.
    pub(super) fn at(now_us: u64) -> Self {
        Self { now_us, answer_us: now_us }
    }
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
            settings: RwLock::new(settings),
            hasher: RandomState::new(),
            numbers: Mutex::default(),
            pairs,
            people: Mutex::default(),
            exceeded: Exceeded::default(),
            after_answer: Exceeded::default(),
            told: Mutex::default(),
        }
    }

    /// Changes the limits; what was used of them stays used.
    pub(super) fn set(&self, limits: Limits) {
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = limits;
    }

    /// Counts one message out.
    pub(super) fn outbound(&self, phone_number_id: &str, person: &str, when: When) -> Result<(), GraphError> {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner).clone();
        let refused = |which, key, error| self.refused(&settings, which, key, when, error);
        if !self.number(&settings, phone_number_id, when.now_us) {
            let key = self.hasher.hash_one((Which::Number, phone_number_id));
            refused(Which::Number, key, GraphError::new(130_429))?;
        }
        if !self.pair(&settings, phone_number_id, person, when.now_us) {
            let key = self.hasher.hash_one((Which::Pair, phone_number_id, person));
            refused(Which::Pair, key, GraphError::new(131_056))?;
        }
        if !self.portfolio(&settings, person, when.now_us) {
            let key = self.hasher.hash_one(Which::Portfolio);
            let error = GraphError::with(settings.portfolio_code, "The messaging limit of the portfolio is reached.");
            refused(Which::Portfolio, key, error)?;
        }
        Ok(())
    }

    /// Counts one message in: it takes from the number's throughput, and nothing refuses it.
    pub(super) fn inbound(&self, phone_number_id: &str, now_us: u64) {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner).clone();
        // Whether the number is over its rate is the business of its next message out.
        let _over = self.number(&settings, phone_number_id, now_us);
    }

    /// Counts a message beyond a limit, and refuses it if limits are enforced.
    fn refused(
        &self,
        settings: &Limits,
        which: Which,
        key: u64,
        when: When,
        error: GraphError,
    ) -> Result<(), GraphError> {
        self.exceeded.of(which).fetch_add(1, Ordering::Relaxed);
        if !settings.enforce {
            return Ok(());
        }
        let mut told = lock(&self.told);
        let first = match told.get(&key) {
            Some(told_us) => when.now_us <= told_us + UNDER_WAY_US,
            None if told.len() >= TOLD_MAX => false,
            None => told.insert(key, when.answer_us).is_none(),
        };
        drop(told);
        if !first {
            self.after_answer.of(which).fetch_add(1, Ordering::Relaxed);
        }
        Err(error)
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a burst of one second of messages")]
    fn number(&self, settings: &Limits, id: &str, now_us: u64) -> bool {
        let Some(rate) = settings.number_per_second.filter(|rate| *rate > 0.0) else {
            return true;
        };
        let mut cells = lock(&self.numbers);
        if !cells.contains_key(id) {
            cells.insert(id.to_owned(), 0);
        }
        cells.get_mut(id).is_none_or(|cell| admit(cell, now_us, micros(1.0 / rate), rate.ceil() as u64))
    }

    fn pair(&self, settings: &Limits, id: &str, person: &str, now_us: u64) -> bool {
        let Some(seconds) = settings.pair_seconds else {
            return true;
        };
        let key = self.hasher.hash_one((id, person));
        let shard = &self.pairs[usize::try_from(key).unwrap_or(0) % SHARDS];
        let mut cells = lock(shard);
        if cells.len() >= SHARD_SWEEP {
            cells.retain(|_, arrival| *arrival > now_us);
        }
        let cell = cells.entry(key).or_insert(0);
        admit(cell, now_us, micros(seconds), u64::from(settings.pair_burst))
    }

    fn portfolio(&self, settings: &Limits, person: &str, now_us: u64) -> bool {
        let Some(most) = settings.portfolio_people else {
            return true;
        };
        let mut people = lock(&self.people);
        let key = self.hasher.hash_one(person);
        let known = people.get(&key).is_some_and(|since| now_us - (*since).min(now_us) < DAY_US);
        if !known && people.len() >= most {
            people.retain(|_, since| now_us - (*since).min(now_us) < DAY_US);
        }
        let admitted = known || people.len() < most;
        if admitted {
            people.entry(key).or_insert(now_us);
        }
        admitted
    }
}

/// A poisoned lock means a panic elsewhere has been reported already; the counts behind it are still whole.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::{DAY_US, Meter, UNDER_WAY_US, When};
    use crate::graph::config::Limits;

    const SECOND: u64 = 1_000_000;

    fn codes(meter: &Meter, person: &str, at: u64, times: usize) -> Vec<u32> {
        (0..times).filter_map(|_| meter.outbound("1", person, When::at(at)).err().map(|e| e.code)).collect()
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
    fn the_first_refusal_is_news_and_the_next_one_a_wall() {
        let meter = Meter::new(Limits { number_per_second: None, pair_burst: 1, ..Limits::default() });
        let walls = || meter.after_answer.counts()["pair"];
        let start = 1_000 * SECOND;
        assert_eq!(codes(&meter, "a", start, 4), [131_056; 3], "all under way when the first was refused");
        assert_eq!((meter.exceeded.counts()["pair"], walls()), (3, 0));
        assert_eq!(codes(&meter, "b", start + SECOND, 2).len(), 1, "another pair has a first refusal of its own");
        assert_eq!(walls(), 0);
        assert_eq!(codes(&meter, "a", start + UNDER_WAY_US, 1).len(), 1);
        assert_eq!(walls(), 0, "it may have been under way");
        assert_eq!(codes(&meter, "a", start + UNDER_WAY_US + 1, 2).len(), 2);
        assert_eq!(walls(), 2);
        let late = When { now_us: start, answer_us: start + SECOND };
        assert!(meter.outbound("1", "c", late).is_ok() && meter.outbound("1", "c", late).is_err());
        assert_eq!(codes(&meter, "c", start + SECOND, 1).len(), 1);
        assert_eq!(walls(), 2, "its answer left a second later");
        meter.set(Limits::off());
        assert!(codes(&meter, "a", start + SECOND, 9).is_empty(), "limits can be changed");
    }

    #[test]
    fn without_enforcement_it_only_counts() {
        let meter = Meter::new(Limits { enforce: false, pair_burst: 1, ..Limits::default() });
        assert!(codes(&meter, "1", SECOND, 5).is_empty());
        assert_eq!(meter.exceeded.counts()["pair"], 4);
        assert_eq!(meter.after_answer.counts()["pair"], 0, "nobody was told");
    }
}
