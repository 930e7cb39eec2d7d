//! Deaths at named places of the loops: every so many visits one, while they are wanted, up to a number of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use waybill::actors::hands::Fault;

/// What was met, and what died of it.
pub struct Deaths {
    wanted: AtomicBool,
    met: AtomicU64,
    fired: AtomicU64,
}

impl Deaths {
    /// One in `each` visits of these places dies, until `most` have; at once, or once they are [wanted](Self::want).
    pub fn at(
        places: impl IntoIterator<Item = &'static str>,
        (each, most): (u64, u64),
        wanted: bool,
    ) -> (Arc<Self>, Fault) {
        let places: Vec<&'static str> = places.into_iter().collect();
        let deaths =
            Arc::new(Self { wanted: AtomicBool::new(wanted), met: AtomicU64::new(0), fired: AtomicU64::new(0) });
        let known = Arc::clone(&deaths);
        let fault: Fault = Arc::new(move |at: &'static str| {
            if places.contains(&at) && known.is_next(each, most) {
                panic!("injected at {at}");
            }
        });
        (deaths, fault)
    }

    fn is_next(&self, each: u64, most: u64) -> bool {
        let due = self.wanted.load(Ordering::SeqCst) && self.met.fetch_add(1, Ordering::SeqCst) % each == each / 2;
        due && self.fired.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| (n < most).then_some(n + 1)).is_ok()
    }

    /// From now on, or no more.
    pub fn want(&self, wanted: bool) {
        self.wanted.store(wanted, Ordering::SeqCst);
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.fired.load(Ordering::SeqCst)
    }

    /// More than so many died, or the test would prove nothing.
    pub fn were_more_than(&self, least: u64) {
        assert!(self.count() > least, "too few deaths to prove anything: {}", self.count());
    }
}
