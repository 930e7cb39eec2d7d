//! Since when events wait to be signed for: by partition until their heads are reported, then by the audit until it has
//! signed.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::domain::record::Micros;

/// The place of the audit itself, which is no partition's number.
pub const AUDIT: u16 = u16::MAX;

/// The oldest event of each that waits, as far as this process owns them.
#[derive(Debug, Default)]
pub struct Unsealed(Mutex<BTreeMap<u16, Micros>>);

impl Unsealed {
    /// The oldest there, or that none waits.
    pub fn set(&self, place: u16, since: Option<Micros>) {
        let mut all = self.0.lock();
        match since {
            Some(since) => all.insert(place, since),
            None => all.remove(&place),
        };
    }

    /// The oldest of all.
    #[must_use]
    pub fn oldest(&self) -> Option<Micros> {
        self.0.lock().values().min().copied()
    }
}
