//! Requests that are made again and again: since when, and why.

use std::collections::BTreeMap;
use std::time::Duration;

use parking_lot::Mutex;

/// All of them at this moment.
#[derive(Debug, Default)]
pub struct Strain(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    /// Since when each of them has waited.
    since: BTreeMap<u64, Duration>,
    why: String,
}

/// One of them, until it is dropped.
pub struct Strained<'a> {
    all: &'a Strain,
    number: u64,
}

impl Strain {
    /// One more, from now on.
    pub fn begin(&self, now: Duration) -> Strained<'_> {
        let mut state = self.0.lock();
        let number = state.next;
        state.next += 1;
        state.since.insert(number, now);
        Strained { all: self, number }
    }

    /// How long the one has waited that has waited longest, if it is that long, and what was said last. Each may be tried once
    /// more without anybody being held up: only one that does not get through says that something is away.
    pub fn lasts(&self, now: Duration, at_least: Duration) -> Option<(Duration, String)> {
        let state = self.0.lock();
        let longest = now.saturating_sub(*state.since.values().min()?);
        (longest >= at_least).then(|| (longest, state.why.clone()))
    }
}

impl Strained<'_> {
    /// Why it was in vain this time.
    pub fn said(&self, why: &dyn std::fmt::Display) {
        self.all.0.lock().why = why.to_string();
    }
}

impl Drop for Strained<'_> {
    fn drop(&mut self) {
        self.all.0.lock().since.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_wait_counts_and_not_that_somebody_always_waits() {
        let (strain, second) = (Strain::default(), Duration::from_secs);
        assert_eq!(strain.lasts(second(9), second(2)), None);
        let first = strain.begin(second(10));
        first.said(&"no answer");
        assert_eq!(strain.lasts(second(11), second(2)), None);
        assert_eq!(strain.lasts(second(12), second(2)), Some((second(2), "no answer".to_owned())));
        let _later = strain.begin(second(12));
        drop(first);
        assert_eq!(strain.lasts(second(13), second(2)), None, "another one took over, and none waits for long");
        assert_eq!(strain.lasts(second(15), second(2)), Some((second(3), "no answer".to_owned())));
    }
}
