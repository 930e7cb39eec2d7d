//! Rows of people's rights: what is open in a partition, what was done for a tenant, and what concerns a person.

use serde::{Deserialize, Serialize};

use super::super::id::{EventId, KeyId, MessageId, TenantId};
use super::super::record::{Micros, Principal};

/// An erasure that was asked for and is not done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenErasure {
    /// The word.
    pub asked: EventId,
    /// Whose contact.
    pub tenant: TenantId,
    /// Who is to be forgotten.
    pub contact: KeyId,
    /// When it was asked for.
    pub asked_at: Micros,
    /// Until when it has to be done.
    pub due_at: Micros,
    /// In whose words.
    pub reason: String,
    /// By whom.
    pub by: Principal,
    /// A legal hold stands against it.
    pub held: bool,
}

/// What is open in one partition: at most [`MAX_OPEN`] are taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrivacyRow {
    /// Oldest first.
    pub erasures: Vec<OpenErasure>,
}

/// Erasures that may be open in one partition, of some 150 bytes each with their reasons: they are done within a second, so
/// more stand here only under legal holds, or while the vault is away. 64 partitions have room for 32,768.
pub const MAX_OPEN: usize = 512;

/// Which right, or what stands against one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Right {
    /// To know what is kept (GDPR, article 15).
    Access,
    /// To be forgotten (article 17).
    Erasure,
    /// It must be kept (article 17, paragraph 3).
    LegalHold,
    /// It need not be kept any more.
    LegalHoldLifted,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestRow {
    /// The word that asked for it.
    pub asked: EventId,
    /// Who it is about.
    pub contact: KeyId,
    /// Which right.
    pub right: Right,
    /// When it was done.
    pub done_at: Micros,
    /// In whose words.
    pub reason: String,
    /// By whom it was asked for.
    pub by: Principal,
    /// When it was asked for.
    pub asked_at: Micros,
    /// Messages of the person that were kept until then.
    pub messages: u32,
    /// Those of them that were called off.
    pub cancelled: u32,
    /// Whether a no to marketing stays.
    pub opt_out_kept: bool,
}

/// What an event is to the person whom it concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum OfContact {
    /// A message to the person was accepted.
    Message(MessageId),
    /// The person wrote.
    Received,
    /// The person allowed or forbade marketing.
    Consent,
    /// A right of the person was asked for, or carried out.
    Right,
}
