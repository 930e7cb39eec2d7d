//! Since when events wait to be signed for: by partition until their heads are reported, then by the audit until it has
//! signed. And the partitions that report nothing any more.

use std::collections::BTreeMap;

use parking_lot::Mutex;

use crate::domain::record::{Micros, Position};

/// The place of the audit itself, which is no partition's number.
pub const AUDIT: u16 = u16::MAX;

/// The oldest event of each that waits, as far as this process owns them.
#[derive(Debug, Default)]
pub struct Unsealed {
    since: Mutex<BTreeMap<u16, Micros>>,
    /// Partitions whose journal ends before what was reported of them: up to where that was.
    lost: Mutex<BTreeMap<u16, Position>>,
}

impl Unsealed {
    /// The oldest there, or that none waits.
    pub fn set(&self, place: u16, since: Option<Micros>) {
        let mut all = self.since.lock();
        match since {
            Some(since) => all.insert(place, since),
            None => all.remove(&place),
        };
    }

    /// The oldest there: what an earlier life of whoever reports has known.
    #[must_use]
    pub fn since(&self, place: u16) -> Option<Micros> {
        self.since.lock().get(&place).copied()
    }

    /// The oldest of all.
    #[must_use]
    pub fn oldest(&self) -> Option<Micros> {
        self.since.lock().values().min().copied()
    }

    /// A partition's journal ends before the place up to which it was reported, or does not.
    pub fn set_lost(&self, partition: u16, through: Option<Position>) {
        let mut all = self.lost.lock();
        match through {
            Some(through) => all.insert(partition, through),
            None => all.remove(&partition),
        };
    }

    /// Which partitions that are, for people.
    #[must_use]
    pub fn lost(&self) -> Option<String> {
        let all = self.lost.lock();
        let named: Vec<String> = all.iter().map(|(number, at)| format!("{number} (reported up to {})", at.0)).collect();
        (!named.is_empty()).then(|| {
            format!(
                "the journal of partition {} ends before what the signed log has of it: it was put back from a backup, or \
                 lost its end. Nothing new of it is sealed. Put the whole journal back as it was, of all partitions, or, if \
                 it is gone, `waybill audit begin --reason TEXT` begins another log with what is there",
                named.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_lost_is_said_with_its_place_until_it_is_put_right() {
        let unsealed = Unsealed::default();
        unsealed.set_lost(3, Some(Position(70)));
        assert!(unsealed.lost().is_some_and(|why| why.contains("partition 3 (reported up to 70)")));
        unsealed.set_lost(3, None);
        assert_eq!(unsealed.lost(), None);
    }
}
