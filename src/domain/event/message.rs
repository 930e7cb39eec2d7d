//! Events in a session's mailbox that move a message.

use minicbor::{Decode, Encode};

use super::super::id::{CampaignId, EventId, KeyId, MessageId, SessionId, Tag, derive};
use super::super::record::{Micros, Position};

/// What a message is for; decides defaults (expiry, unknown policy) and which gates bar it.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "lowercase")]
pub enum Category {
    /// One-time codes.
    #[n(0)]
    Authentication,
    /// Order updates, reminders, confirmations.
    #[n(1)]
    Utility,
    /// Promotion: needs opt-in, bows to opt-out.
    #[n(2)]
    Marketing,
    /// Free-form answers inside the service window.
    #[n(3)]
    Service,
}

/// Who goes first on one session.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Encode, Decode, serde::Serialize, serde::Deserialize,
)]
#[cbor(index_only)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// One-time codes and alerts.
    #[n(0)]
    Urgent,
    /// The default.
    #[n(1)]
    Normal,
    /// Campaigns.
    #[n(2)]
    Bulk,
}

/// Something for each priority, in their order.
pub type ByPriority<T> = [T; 3];

impl Priority {
    /// All, the first first.
    pub const ALL: ByPriority<Self> = [Self::Urgent, Self::Normal, Self::Bulk];

    /// Its place in a [`ByPriority`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// What happens to an attempt whose outcome stays unknown after the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "lowercase")]
pub enum UnknownPolicy {
    /// Stay `unknown` until a callback or an operator settles it.
    #[n(0)]
    Hold,
    /// Send once more: the message may arrive twice, and is listed.
    #[n(1)]
    Resend,
    /// Give up when the message expires.
    #[n(2)]
    Expire,
}

/// Bytes sealed under a contact's key: erasable wherever they stand.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(map)]
pub struct SealedV1 {
    /// The contact's key.
    #[n(0)]
    pub key: KeyId,
    /// Nonce and ciphertext, as the vault wrote them.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub bytes: Vec<u8>,
}

/// A message was taken: Waybill owes it an outcome. The sealed body holds address, content and references.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MessageAcceptedV1 {
    /// The message.
    #[n(0)]
    pub message: MessageId,
    /// The sender.
    #[n(1)]
    pub session: SessionId,
    /// The recipient: key id of the contact, also its lane.
    #[n(2)]
    pub contact: KeyId,
    /// What it is for.
    #[n(3)]
    pub category: Category,
    /// Who goes first.
    #[n(4)]
    pub priority: Priority,
    /// What to do about an unknown outcome.
    #[n(5)]
    pub unknown: UnknownPolicy,
    /// Not sent after this.
    #[n(6)]
    pub expires_at: Micros,
    /// Drawn anew for each acceptance, so that a doubtful one can be withdrawn by name.
    #[n(7)]
    pub nonce: u64,
    /// Keyed tag of the idempotency key within its scope (tenant, sender), if there was one.
    #[n(8)]
    pub idempotency: Option<Tag>,
    /// Name of the template, if it is one: a business name, not a person's data.
    #[n(9)]
    pub template: Option<String>,
    /// Position of the contact's consent it was judged by, if any.
    #[n(10)]
    pub consent: Option<Position>,
    /// Position of the session's declaration it was judged by.
    #[n(11)]
    pub policy: Option<Position>,
    /// Asked for with a test key: never reaches the provider.
    #[n(12)]
    pub test: bool,
    /// Blocks its recipient's lane until it is settled.
    #[n(13)]
    pub ordered: bool,
    /// Not queued before this: it waits for a [`MessageReleasedV1`].
    #[n(14)]
    pub send_at: Option<Micros>,
    /// Calling code of the recipient's phone number; none for who is written to without one.
    #[n(15)]
    pub country: Option<u16>,
    /// The campaign it was loaded into: it stands behind its gate.
    #[n(16)]
    pub campaign: Option<CampaignId>,
}

/// A doubtful acceptance is void: whichever of the two lands first, the acceptance with this nonce does not count.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MessageWithdrawnV1 {
    /// The message.
    #[n(0)]
    pub message: MessageId,
    /// Which acceptance of it.
    #[n(1)]
    pub nonce: u64,
}

/// One attempt of a batch of intents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(map)]
pub struct AttemptRef {
    /// The message.
    #[n(0)]
    pub message: MessageId,
    /// 1 for the first try.
    #[n(1)]
    pub attempt: u16,
}

/// Intents: these attempts are about to leave. Each is judged on its own when it is read back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AttemptsStartedV1 {
    /// The session.
    #[n(0)]
    pub session: SessionId,
    /// Position of the [`super::SessionStartedV1`] of the actor that proposes.
    #[n(1)]
    pub incarnation: Position,
    /// Milliseconds after its proposal, on a clock that runs while suspended, after which no first byte may leave.
    #[n(2)]
    pub deadline_ms: u32,
    /// What is about to leave, at most 64.
    #[n(3)]
    pub attempts: Vec<AttemptRef>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum OutcomeV1 {
    /// The provider took it. `tag` finds it again by the provider's id, which is personal data and so sealed.
    #[n(0)]
    Sent {
        /// Keyed tag of the provider's message id.
        #[n(0)]
        tag: Tag,
        /// The provider's message id, sealed.
        #[n(1)]
        provider_id: SealedV1,
    },
    /// It certainly did not leave, or was refused for now; it is tried again.
    #[n(1)]
    Retry {
        /// Failure class as a word, for people (`throttle`, `not_sent`).
        #[n(0)]
        class: String,
        /// The provider's code, 0 if there was none.
        #[n(1)]
        code: i32,
        /// Not before this.
        #[n(2)]
        not_before: Micros,
        /// Whether it is one of the message's tries; absent: it is.
        #[n(3)]
        counts: Option<bool>,
    },
    /// It was refused for good.
    #[n(2)]
    Failed {
        /// Failure class as a word.
        #[n(0)]
        class: String,
        /// The provider's code, 0 if there was none.
        #[n(1)]
        code: i32,
    },
    /// It may have been sent.
    #[n(3)]
    Unknown {
        /// Why nobody knows, as a word (`timeout`, `reset`, `crashed`).
        #[n(0)]
        why: String,
    },
    /// A gate barred it between read-back and write; nothing left.
    #[n(4)]
    Withdrawn {
        /// Which gate.
        #[n(0)]
        why: String,
    },
}

/// One ended attempt of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClosedV1 {
    /// The attempt.
    #[n(0)]
    pub of: AttemptRef,
    /// How it ended.
    #[n(1)]
    pub outcome: OutcomeV1,
    /// When the answer was there.
    #[n(2)]
    pub at: Micros,
}

/// Outcomes: facts, never fenced by a claim; each closes its attempt once.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AttemptsClosedV1 {
    /// The session.
    #[n(0)]
    pub session: SessionId,
    /// What ended, at most 64.
    #[n(1)]
    pub closed: Vec<ClosedV1>,
}

/// Someone called the message off before it left.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MessageCancelledV1 {
    /// The message.
    #[n(0)]
    pub message: MessageId,
    /// Which round of it, by whoever said so; none is the first. In another round it means nothing.
    #[n(1)]
    pub round: Option<u16>,
}

/// The message's time has run out.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MessageExpiredV1 {
    /// The message.
    #[n(0)]
    pub message: MessageId,
    /// Which round of it, by whoever said so; none is the first. In another round it means nothing.
    #[n(1)]
    pub round: Option<u16>,
}

impl MessageExpiredV1 {
    /// What says that this round of a message is over, and the id that it has whoever says it.
    #[must_use]
    pub fn named(message: MessageId, round: u16) -> (EventId, Self) {
        let round = Some(round).filter(|round| *round > 0);
        let number = round.unwrap_or_default().to_be_bytes();
        let parts: [&[u8]; 2] = [&message.0, &number];
        let named = if round.is_none() { &parts[..1] } else { &parts[..] };
        (EventId(derive("waybill expiry", named)), Self { message, round })
    }
}

/// The time a message was scheduled for has come, or the gate that it waits for is open: it is queued from here on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MessageReleasedV1 {
    /// The message.
    #[n(0)]
    pub message: MessageId,
    /// The closing since which it waits; none for one that waited for its time.
    #[n(1)]
    pub closing: Option<EventId>,
    /// The number that its next attempt had, which names the wait that ends: said late, it ends no later one. None where it was
    /// written before waits were named, and where `closing` names it.
    #[n(2)]
    pub attempt: Option<u16>,
}

/// Messages that were queued stand behind a closed gate: they leave the outbox until it opens.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MessagesGatedV1 {
    /// The session.
    #[n(0)]
    pub session: SessionId,
    /// Since which closing. If that is over, the messages stay where they are.
    #[n(1)]
    pub closing: EventId,
    /// Which, at most [`super::super::gate::MAX_BATCH`].
    #[n(2)]
    pub messages: Vec<MessageId>,
}

/// A message that failed or ran out of time is queued again: its next round begins, its tries count afresh.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MessageRequeuedV1 {
    /// The message.
    #[n(0)]
    pub message: MessageId,
    /// Which round this begins; 1 is the first after that of its acceptance. It names the step: said twice it is one.
    #[n(1)]
    pub round: u16,
    /// Not sent after this.
    #[n(2)]
    pub expires_at: Micros,
    /// In the words of whoever asked for it.
    #[n(3)]
    pub reason: String,
    /// The campaign that it belongs to is finished: its gate has no say in this message any more.
    #[n(4)]
    pub past_campaign: Option<bool>,
}
