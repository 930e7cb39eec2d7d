//! Rows of contacts, idempotency keys and provider ids.

use serde::{Deserialize, Serialize};

use super::super::event::Status;
use super::super::id::{EventId, MessageId, SessionId};
use super::super::record::{Micros, Position};
use super::Controls;

/// A contact: what the gates ask. Who it is stands in the vault.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactRow {
    /// The last word on marketing: allowed or not, when said, at which position.
    pub marketing: Option<(bool, Micros, Position)>,
    /// No marketing before this, by this code of the provider's.
    pub held: Option<(Micros, i32)>,
    /// Free-form answers are allowed until then, on this session.
    pub windows: Vec<(SessionId, Micros)>,
    /// Which kinds of alias the vault knows, one bit each.
    pub aliases: u8,
    /// What is kept of the person must stay.
    pub legal_hold: bool,
    /// Words on that, and accesses, that were taken.
    pub controls: Controls,
    /// The word that all of it be erased, as long as it is not.
    pub erasure: Option<EventId>,
    /// When it was.
    pub erased_at: Option<Micros>,
}

impl ContactRow {
    /// Whether the person has written to this session not long ago.
    #[must_use]
    pub fn has_window(&self, session: SessionId, now: Micros) -> bool {
        self.windows.iter().any(|(of, until)| *of == session && *until > now)
    }
}

/// Which acceptance won an idempotency key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdempotencyRow {
    /// The winner.
    pub message: MessageId,
    /// Where it stands.
    pub position: Position,
}

/// What a provider's message id stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum ProviderRow {
    /// An attempt of ours.
    Attempt(MessageId, u16),
    /// Statuses that came before their message was known: kept 30 days and matched when the answer arrives.
    Orphan(Vec<OrphanStatus>),
    /// A message somebody sent us.
    Inbound(Position),
}

/// A status waiting for its message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrphanStatus {
    /// What it said.
    pub status: Status,
    /// When, by the provider's clock.
    pub provider_at: Micros,
    /// The provider's code.
    pub code: i32,
    /// Failure class.
    pub class: String,
    /// Where it stands.
    pub position: Position,
    /// Its event.
    pub event: EventId,
    /// When it was written down.
    pub at: Micros,
}
