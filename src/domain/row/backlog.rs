//! How many of a tenant's messages wait to leave, by partition: counted as their rows change, like the tallies.
//!
//! Waiting are those that are scheduled, queued or under way, also behind a gate or in a campaign that has not begun. What
//! may have been sent is waited for, and waits for nothing. Messages of test keys take disk too, and count.

use serde::{Deserialize, Serialize};

use super::super::id::TenantId;
use super::super::message::State;
use super::MessageRow;

/// One count: the messages that a tenant has waiting in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BacklogId {
    /// Whose.
    pub tenant: TenantId,
    /// Where.
    pub partition: u16,
}

/// The count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BacklogRow {
    /// How many wait.
    pub messages: u64,
}

impl BacklogRow {
    /// One more waits.
    pub(super) fn came(&mut self) {
        self.messages += 1;
    }

    /// One fewer does.
    pub(super) fn left(&mut self) {
        self.messages = self.messages.saturating_sub(1);
    }
}

/// Whose a message is, if it waits.
pub(super) fn waits_of(row: &MessageRow) -> Option<TenantId> {
    let waits = matches!(row.state(), State::Scheduled | State::Queued | State::Sending);
    row.accepted.as_ref().filter(|_| waits).map(|accepted| accepted.tenant)
}
