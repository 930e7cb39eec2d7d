//! The health latch: one answer for intake and egress to "may we go on?".
//!
//! Whoever watches the journal, the store, the vault, the disk and the memory sets it; whoever takes or sends something
//! asks it first. Egress stops too when outcomes could not be recorded: sending what cannot be written down is how
//! messages are doubled.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

/// What is wrong, by who says so.
#[derive(Debug, Default)]
pub struct Health {
    sick: AtomicBool,
    reasons: Mutex<BTreeMap<&'static str, String>>,
}

impl Health {
    /// Says how one part is: `None` when it is well.
    pub fn set(&self, part: &'static str, reason: Option<String>) {
        let mut reasons = self.reasons.lock();
        match reason {
            Some(reason) => reasons.insert(part, reason),
            None => reasons.remove(part),
        };
        self.sick.store(!reasons.is_empty(), Ordering::Release);
    }

    /// Whether everything is well: one load, for the hot path.
    #[must_use]
    pub fn is_well(&self) -> bool {
        !self.sick.load(Ordering::Acquire)
    }

    /// What is wrong, for people.
    #[must_use]
    pub fn reasons(&self) -> Vec<(&'static str, String)> {
        self.reasons.lock().iter().map(|(part, reason)| (*part, reason.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_well_only_when_every_part_is() {
        let health = Health::default();
        assert!(health.is_well());
        health.set("journal", Some("fsync failed".to_owned()));
        health.set("store", Some("poisoned".to_owned()));
        health.set("journal", None);
        assert!(!health.is_well());
        assert_eq!(health.reasons(), [("store", "poisoned".to_owned())]);
        health.set("store", None);
        assert!(health.is_well());
    }
}
