//! The timer wheel of a partition: one task that nudges whoever's time has come. No actor has a timer of its own.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::domain::address::Address;
use crate::domain::record::Micros;
use crate::runtime::{Clock, Steps};

/// Who can be woken.
pub trait Wakes: Send + Sync {
    /// The time asked for has come.
    fn wake(&self);
}

impl<M: Send> Wakes for super::inbox::Inbox<M> {
    fn wake(&self) {
        self.nudge();
    }
}

#[derive(Default)]
struct Times {
    by_time: BTreeSet<(Micros, Address)>,
    by_address: HashMap<Address, (Micros, Arc<dyn Wakes>)>,
}

/// Who wants to be woken when: at most one time for each address, the earliest asked for.
#[derive(Default)]
pub struct Wheel {
    times: Mutex<Times>,
    changed: Notify,
}

impl std::fmt::Debug for Wheel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wheel").field("waiting", &self.times.lock().by_time.len()).finish()
    }
}

/// The longest sleep: so late it is noticed that wall time was set.
const LONGEST: Duration = Duration::from_secs(1);

impl Wheel {
    /// Wakes `who` at `at` (wall time) at the latest; an earlier time stands.
    pub fn wake_at(&self, address: Address, at: Micros, who: Arc<dyn Wakes>) {
        let mut times = self.times.lock();
        if let Some((known, _)) = times.by_address.get(&address) {
            if *known <= at {
                return;
            }
            let known = *known;
            times.by_time.remove(&(known, address));
        }
        let first = times.by_time.first().is_none_or(|(first, _)| at < *first);
        times.by_time.insert((at, address));
        times.by_address.insert(address, (at, who));
        drop(times);
        if first {
            self.changed.notify_one();
        }
    }

    /// Runs until it is dropped.
    pub async fn run(self: Arc<Self>, clock: Arc<dyn Clock>) {
        let mut steps = Steps::new(clock.as_ref());
        loop {
            // Once the clock was set, nobody's time is what it was: each looks, and asks anew.
            let wait = match steps.look(clock.as_ref()) {
                (now, 0) => self.fire(now),
                _ => self.fire(Micros::MAX),
            };
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.changed.notified() => {}
            }
        }
    }

    /// Wakes everyone whose time has come; says how long until the next.
    fn fire(&self, now: Micros) -> Duration {
        let mut due = Vec::new();
        let wait = {
            let mut times = self.times.lock();
            loop {
                let Some((at, address)) = times.by_time.first().copied() else {
                    break LONGEST;
                };
                if at > now {
                    break Duration::from_micros(u64::try_from(at - now).unwrap_or(0)).min(LONGEST);
                }
                times.by_time.pop_first();
                due.extend(times.by_address.remove(&address).map(|(_, who)| who));
            }
        };
        for who in due {
            who.wake();
        }
        wait
    }
}
