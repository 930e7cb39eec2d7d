//! The health latch: one answer for intake and egress to "may we go on?".
//!
//! Whoever watches the journal, the store, the vault, the disk and the memory sets it; whoever takes or sends something
//! asks it first. Egress stops too when outcomes could not be recorded: sending what cannot be written down is how
//! messages are doubled. What sending makes better stops intake alone ([`Health::press`]).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

/// The part that says that a backup was put back: what was queued in it may have been sent since, so the node is held.
pub const RESTORED: &str = "restored";

/// What is wrong, by who says so.
#[derive(Debug, Default)]
pub struct Health {
    sick: AtomicBool,
    pressed: AtomicBool,
    reasons: Mutex<BTreeMap<&'static str, String>>,
    pressure: Mutex<BTreeMap<&'static str, String>>,
    warnings: Mutex<BTreeMap<&'static str, String>>,
    leaving: AtomicBool,
}

fn note(parts: &mut BTreeMap<&'static str, String>, part: &'static str, reason: Option<String>) -> bool {
    match reason {
        Some(reason) => parts.insert(part, reason),
        None => parts.remove(part),
    };
    !parts.is_empty()
}

impl Health {
    /// Says how one part is: `None` when it is well.
    pub fn set(&self, part: &'static str, reason: Option<String>) {
        let mut reasons = self.reasons.lock();
        self.sick.store(note(&mut reasons, part, reason), Ordering::Release);
    }

    /// Says that a part has too much in hand to take more; what it has may go on leaving. `None` once it has room.
    pub fn press(&self, part: &'static str, reason: Option<String>) {
        let mut pressure = self.pressure.lock();
        self.pressed.store(note(&mut pressure, part, reason), Ordering::Release);
    }

    /// Says that a part needs somebody's hand, and stops nothing: what is shown beside what is wrong. `None` once it is done.
    pub fn warn(&self, part: &'static str, reason: Option<String>) {
        note(&mut self.warnings.lock(), part, reason);
    }

    /// The process is about to stop, and goes on meanwhile: whoever hands work out is to hand it to others.
    pub fn leave(&self) {
        self.leaving.store(true, Ordering::Release);
    }

    /// Whether it is about to stop.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.leaving.load(Ordering::Acquire)
    }

    /// Whether messages may be taken, as far as room is concerned.
    #[must_use]
    pub fn has_room(&self) -> bool {
        !self.pressed.load(Ordering::Acquire)
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

    /// What needs somebody's hand, for people.
    #[must_use]
    pub fn warnings(&self) -> Vec<(&'static str, String)> {
        self.warnings.lock().iter().map(|(part, reason)| (*part, reason.clone())).collect()
    }

    /// What has no room, for people.
    #[must_use]
    pub fn pressure(&self) -> Vec<(&'static str, String)> {
        self.pressure.lock().iter().map(|(part, reason)| (*part, reason.clone())).collect()
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

    #[test]
    fn a_warning_stops_nothing() {
        let health = Health::default();
        health.warn("audit", Some("nothing is signed".to_owned()));
        assert!(health.is_well() && health.has_room() && health.reasons().is_empty());
        assert_eq!(health.warnings(), [("audit", "nothing is signed".to_owned())]);
        health.warn("audit", None);
        assert!(health.warnings().is_empty());
    }

    #[test]
    fn who_has_no_room_is_well() {
        let health = Health::default();
        health.press("memory", Some("900 of 800 bytes".to_owned()));
        assert!(health.is_well() && !health.has_room());
        assert_eq!(health.pressure().len(), 1);
        health.press("memory", None);
        assert!(health.has_room());
    }
}
