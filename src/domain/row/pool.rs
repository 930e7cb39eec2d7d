//! Rows of pools: their members, and which of them each person is written to from.

use serde::{Deserialize, Serialize};

use super::super::id::{EventId, KeyId, MessageId, SessionId};
use super::super::record::Position;
use super::{Accepted, Fact};

/// A session that sends for a pool.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberRow {
    /// Which.
    pub session: SessionId,
    /// Its share of the people, beside the others'; 0 for one that was taken out of the pool.
    pub weight: u32,
    /// People who are written to from it.
    pub people: u64,
}

/// A person as one pool knows them. Their row stands in the pool's partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StickyId {
    /// Which pool.
    pub pool: SessionId,
    /// Who.
    pub contact: KeyId,
}

/// From which of a pool's sessions a person is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StickyRow {
    /// Which.
    pub session: SessionId,
}

/// A message is in another mailbox now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// Whose.
    pub to: SessionId,
    /// What it is called there.
    pub leg: MessageId,
    /// Which of its moves from here.
    pub number: u16,
    /// When it left, and where that stands.
    pub fact: Fact,
    /// The event that says so.
    pub event: EventId,
}

/// Where a message came from that was accepted in another mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leg {
    /// What the customer calls it.
    pub origin: MessageId,
    /// What it is called in the mailbox it came from.
    pub from: MessageId,
    /// Whose mailbox that is.
    pub sender: SessionId,
    /// Which of the moves from there.
    pub number: u16,
    /// The partition of its acceptance.
    pub partition: u16,
    /// Its place there.
    pub position: Position,
    /// Which round of it had begun there.
    pub round: u16,
    /// Mailboxes between this and the one of its acceptance, this one counted.
    pub depth: u8,
}

impl Accepted {
    /// What the customer calls it, which in the mailbox of its acceptance is its own id.
    #[must_use]
    pub fn origin(&self, own: MessageId) -> MessageId {
        self.leg.as_ref().map_or(own, |leg| leg.origin)
    }

    /// Where the event stands whose body is its content.
    #[must_use]
    pub fn content(&self, own: MessageId) -> (u16, Position) {
        self.leg.as_ref().map_or((own.partition(), self.fact.position), |leg| (leg.partition, leg.position))
    }
}
