//! Events by which a message that waits at one sender goes to another.
//!
//! A move is two facts: it left here, it came there. The first fixes where to and under which id, so whoever completes it,
//! and however often, brings about the same second one.

use minicbor::{Decode, Encode};

use super::super::id::{EventId, KeyId, MessageId, SessionId, derive};
use super::super::record::{Micros, Position};
use super::MessageAcceptedV1;

/// A message leaves this mailbox for that of another sender. It counts if it waits here and nothing of it may have been
/// sent; every later intent here is void.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MessageMovedOutV1 {
    /// In whose mailbox it is.
    #[n(0)]
    pub session: SessionId,
    /// The message, as it is called in this mailbox.
    #[n(1)]
    pub message: MessageId,
    /// Its how-manieth move from here: it names the step, said twice it is one.
    #[n(2)]
    pub number: u16,
    /// Where to.
    #[n(3)]
    pub to: SessionId,
    /// What it is called there.
    #[n(4)]
    pub leg: MessageId,
    /// Whose number the session is from here on: the pool remembers it.
    #[n(5)]
    pub person: Option<KeyId>,
    /// In the words of whoever asked for it; absent: the pool itself.
    #[n(6)]
    pub reason: Option<String>,
}

impl MessageMovedOutV1 {
    /// The id of the event, whoever says it: the same step is the same event.
    #[must_use]
    pub fn id(&self) -> EventId {
        EventId(derive("waybill move", &[&self.message.0, &self.number.to_be_bytes(), &self.to.0]))
    }
}

/// A message came from another mailbox: accepted here as it was there. Its content stays where it was sealed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MessageMovedInV1 {
    /// As it is accepted here; its id is the leg's.
    #[n(0)]
    pub accepted: MessageAcceptedV1,
    /// What the customer calls it: the id that was answered at its acceptance.
    #[n(1)]
    pub origin: MessageId,
    /// What it was called in the mailbox it comes from.
    #[n(2)]
    pub from: MessageId,
    /// Whose mailbox that is.
    #[n(3)]
    pub sender: SessionId,
    /// Which of the moves from there.
    #[n(4)]
    pub number: u16,
    /// Where its acceptance stands, whose body is its content.
    #[n(5)]
    pub partition: u16,
    /// Where in it.
    #[n(6)]
    pub position: Position,
    /// That event, the seal's context.
    #[n(7)]
    pub event: EventId,
    /// When it was accepted.
    #[n(8)]
    pub at: Micros,
    /// How many mailboxes are between this and the one of its acceptance, this one counted.
    #[n(9)]
    pub depth: u8,
    /// Which round of it had begun where it comes from; none is the first. It stays that until it comes back.
    #[n(10)]
    pub round: Option<u16>,
}

/// A message came back from the mailbox it had moved to: it waits here again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MessageMovedBackV1 {
    /// The message, as it is called here.
    #[n(0)]
    pub message: MessageId,
    /// What it was called there.
    #[n(1)]
    pub leg: MessageId,
    /// Which move this ends. If that is over, it means nothing.
    #[n(2)]
    pub number: u16,
}
