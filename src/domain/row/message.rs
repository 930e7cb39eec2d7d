//! Rows of messages.

use serde::{Deserialize, Serialize};

use super::super::event::{Category, Priority, SealedV1, UnknownPolicy};
use super::super::id::{CampaignId, EventId, KeyId, SessionId, Tag, TenantId};
use super::super::record::{Micros, Position, Principal};
use super::Price;

/// When something became true, and where that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// By whose clock depends on the fact: ours, or the provider's for statuses.
    pub at: Micros,
    /// The event that said so.
    pub position: Position,
}

/// Why a message failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// When and where.
    pub fact: Fact,
    /// Failure class as a word.
    pub class: String,
    /// The provider's code, or 0.
    pub code: i32,
}

/// What acceptance fixed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// When and where.
    pub fact: Fact,
    /// The event, whose id also is the seal's context.
    pub event: EventId,
    /// Who asked.
    pub by: Principal,
    /// Whose it is.
    pub tenant: TenantId,
    /// The sender.
    pub session: SessionId,
    /// The recipient.
    pub contact: KeyId,
    /// What it is for.
    pub category: Category,
    /// Who goes first.
    pub priority: Priority,
    /// What about an unknown outcome.
    pub unknown: UnknownPolicy,
    /// Not sent after this.
    pub expires_at: Micros,
    /// Which acceptance this is.
    pub nonce: u64,
    /// Never reaches the provider.
    pub test: bool,
    /// Blocks its lane until settled.
    pub ordered: bool,
    /// Name of the template, if it is one.
    pub template: Option<String>,
    /// Not queued before this.
    pub send_at: Option<Micros>,
    /// Calling code of the recipient's phone number, if there is one.
    pub country: Option<u16>,
    /// The campaign it was loaded into.
    pub campaign: Option<CampaignId>,
    /// It was queued again after that was finished, and stands behind its gate no more.
    pub past_campaign: bool,
}

impl Accepted {
    /// The campaign whose gate it stands behind.
    #[must_use]
    pub fn gate_of_campaign(&self) -> Option<CampaignId> {
        self.campaign.filter(|_| !self.past_campaign)
    }
}

/// An attempt whose intent was valid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// 1 for the first.
    pub number: u16,
    /// The intent: our clock, its position.
    pub started: Fact,
    /// The claim it stood under.
    pub epoch: Position,
    /// The life that proposed it.
    pub incarnation: Position,
    /// See [`super::event::AttemptsStartedV1::deadline_ms`].
    pub deadline_ms: u32,
    /// How it ended.
    pub ended: Option<Ended>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When and where.
    pub fact: Fact,
    /// In what way.
    pub how: How,
    /// The provider's code, or 0.
    pub code: i32,
    /// Failure class or reason as a word; empty for one that was sent.
    pub class: Box<str>,
}

/// The ways an attempt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum How {
    /// The provider took it.
    Sent,
    /// Tried again later.
    Retry,
    /// Refused for good.
    Failed,
    /// May have been sent.
    Unknown,
    /// A gate barred it.
    Withdrawn,
}

/// A message: what was accepted, each attempt, and what became of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageRow {
    /// Folded to here.
    pub through: Position,
    /// What acceptance fixed; `None` while only a withdrawal is known.
    pub accepted: Option<Accepted>,
    /// Further acceptances of the same message, acknowledged like the first: one of them takes its place if that is
    /// withdrawn. At most [`super::message::MAX_WITHDRAWN`].
    pub spare: Vec<Accepted>,
    /// Acceptances that do not count, at most [`super::message::MAX_WITHDRAWN`].
    pub withdrawn: Vec<u64>,
    /// The time it was scheduled for, or was told to wait for, has come.
    pub released: Option<Fact>,
    /// Its last place in the outbox, if that is not its acceptance.
    pub entered: Option<Position>,
    /// Told to wait for so long that it has left the outbox: the due index brings it back.
    pub parked: bool,
    /// It left the outbox for an operator's gate: since which closing. While it is queued, its opening brings it back.
    pub gated: Option<EventId>,
    /// The last attempts, at most [`super::message::MAX_ATTEMPTS_KEPT`].
    pub attempts: Vec<Attempt>,
    /// Attempts that were its own fault: what its tries are bounded by.
    pub counted: u16,
    /// Not tried before this.
    pub not_before: Option<Micros>,
    /// The provider's id of the attempt that counts.
    pub provider: Option<(Tag, Option<SealedV1>)>,
    /// On the provider's servers.
    pub sent: Option<Fact>,
    /// On the device.
    pub delivered: Option<Fact>,
    /// Seen.
    pub read: Option<Fact>,
    /// Played.
    pub played: Option<Fact>,
    /// Not delivered, for good.
    pub failed: Option<Failure>,
    /// Called off.
    pub cancelled: Option<Fact>,
    /// Ran out of time.
    pub expired: Option<Fact>,
    /// Attempts beyond the first that the provider confirmed: sent more than once.
    pub duplicates: u16,
    /// What the provider charges for it.
    pub price: Option<Price>,
    /// The round it is in: 0 until it is queued again after it failed or ran out of time.
    pub round: u16,
    /// The last round that was asked for, begun or not.
    pub asked: u16,
    /// Attempts of earlier rounds, up to this number: their tries count no more, and that they failed is past.
    pub past: u16,
}
