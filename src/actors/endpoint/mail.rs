//! The box of an endpoint: mail, and which of its tenant's feeds grew. It belongs to the partition and outlives the actor.

use std::collections::BTreeSet;

use parking_lot::Mutex;

use super::Passed;
use crate::actors::inbox::Inbox;
use crate::actors::wheel::Wakes;
use crate::domain::row::EndpointRow;

/// What an endpoint hears.
#[derive(Debug)]
pub enum EndpointMail {
    /// Its row changed.
    Row(Box<EndpointRow>),
    /// A pass is over.
    Passed(Box<Passed>),
    /// Its partition is left: a pass that is under way is settled, and no other begins.
    Drain,
    /// Sweep: it looks into every feed.
    Tick,
}

/// The box.
#[derive(Debug, Default)]
pub struct EndpointBox {
    /// Mail and nudge.
    pub inbox: Inbox<EndpointMail>,
    /// Partitions whose feed grew since the last look: at most as many as there are.
    grown: Mutex<BTreeSet<u16>>,
}

impl EndpointBox {
    /// The tenant's feed of this partition grew.
    pub fn grew(&self, partition: u16) {
        self.grown.lock().insert(partition);
        self.inbox.nudge();
    }

    /// Which feeds grew since the last time this was asked.
    #[must_use]
    pub fn take_grown(&self) -> BTreeSet<u16> {
        std::mem::take(&mut *self.grown.lock())
    }
}

impl Wakes for EndpointBox {
    fn wake(&self) {
        self.inbox.nudge();
    }
}
