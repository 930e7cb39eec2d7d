//! What is stopped, as each partition of this process has applied it: looked at without waiting, right before the first byte
//! of an attempt leaves.
//!
//! An intent that stands before a stop is valid, and its attempt may have waited since for a place among those under way, for
//! a connection, for the person's row. What is told as stopped must not leave any more, so what is written here is written
//! before its rows are: whoever has read there that a gate is closed has it closed here.
//!
//! Of a partition that is lost or left nothing is heard any more, so nothing of it leaves either: its next owner tells that a
//! gate is closed, and does not know what waits here. It may leave again once the rows of whatever waits were read anew; no stop
//! is taken back before its row says so, for what it stopped may still wait.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use parking_lot::RwLock;

use crate::domain::gate::{GatesRow, Marks};
use crate::domain::id::SessionId;
use crate::domain::routing;

/// Why an attempt did not leave: it goes back to where it waits, and it is none of its tries.
pub const STOPPED: &str = "stopped";

/// What is stopped.
#[derive(Debug, Default)]
pub struct Stops {
    gates: RwLock<HashMap<u16, Arc<GatesRow>>>,
    suspended: RwLock<HashSet<SessionId>>,
    /// Partitions of which nothing may leave from here.
    lost: RwLock<HashSet<u16>>,
}

impl Stops {
    /// The gates of a partition are these now.
    pub fn set_gates(&self, partition: u16, gates: Arc<GatesRow>) {
        self.gates.write().insert(partition, gates);
    }

    /// Sessions of a partition that are suspended as far as is known here: as of `count` partitions it is theirs by their
    /// addresses.
    #[must_use]
    pub fn suspended_in(&self, partition: u16, count: u16) -> Vec<SessionId> {
        let is_there = |session: &SessionId| routing::partition(&(*session).into(), count) == partition;
        self.suspended.read().iter().copied().filter(is_there).collect()
    }

    /// This process owns a partition, or has lost or left it.
    pub fn set_lost(&self, partition: u16, lost: bool) {
        let mut all = self.lost.write();
        if lost {
            all.insert(partition);
        } else {
            all.remove(&partition);
        }
    }

    /// A session is suspended, or let go.
    pub fn set_suspended(&self, session: SessionId, suspended: bool) {
        if suspended {
            self.suspended.write().insert(session);
        } else if self.suspended.read().contains(&session) {
            self.suspended.write().remove(&session);
        }
    }

    /// Whether a message of this session may leave, as far as anybody stopped it.
    #[must_use]
    pub fn may_leave(&self, (partition, session): (u16, SessionId), marks: Marks<'_>) -> bool {
        let gates = self.gates.read().get(&partition).cloned();
        !self.lost.read().contains(&partition)
            && !self.suspended.read().contains(&session)
            && gates.is_none_or(|gates| gates.bars_what(marks).is_none())
    }
}
