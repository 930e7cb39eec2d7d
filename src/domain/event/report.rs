//! Events in a session's mailbox that say what others said: a provider's callbacks, and decisions about unknown outcomes.

use minicbor::{Decode, Encode};

use super::super::id::{KeyId, SessionId, Tag};
use super::super::record::Micros;
use super::{AttemptRef, SealedV1};

/// What a provider says of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// On the provider's servers.
    #[n(0)]
    Sent,
    /// On the person's device.
    #[n(1)]
    Delivered,
    /// Seen.
    #[n(2)]
    Read,
    /// A voice note was played.
    #[n(3)]
    Played,
    /// Not delivered, for good.
    #[n(4)]
    Failed,
    /// A word this version does not know; the callback's own text is in the sealed body.
    #[n(5)]
    Other,
}

/// A callback's word on one message: matched by our own token, else by the provider's id, else kept as an orphan.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StatusReportedV1 {
    /// The session whose account it named.
    #[n(0)]
    pub session: SessionId,
    /// From our token, if it came back and its check matched.
    #[n(1)]
    pub of: Option<AttemptRef>,
    /// Keyed tag of the provider's message id.
    #[n(2)]
    pub tag: Tag,
    /// What it says.
    #[n(3)]
    pub status: Status,
    /// When, by the provider's clock; seconds precision.
    #[n(4)]
    pub provider_at: Micros,
    /// The provider's error code with `failed`, else 0.
    #[n(5)]
    pub code: i32,
    /// Failure class as a word with `failed`, else empty.
    #[n(6)]
    pub class: String,
    /// The provider's price category, if it named one.
    #[n(7)]
    pub pricing: Option<String>,
    /// The provider's message id, sealed, when the contact is known.
    #[n(8)]
    pub provider_id: Option<SealedV1>,
    /// Whether the provider charges for it, if it said so.
    #[n(9)]
    pub billable: Option<bool>,
    /// The provider's pricing model, if it named one.
    #[n(10)]
    pub pricing_model: Option<String>,
    /// The provider's pricing type, if it named one.
    #[n(11)]
    pub pricing_type: Option<String>,
}

/// What an operator, or the message's policy after the window, decides about an unknown outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    /// Treat it as sent.
    #[n(0)]
    Sent,
    /// Send once more.
    #[n(1)]
    Resend,
    /// Give up.
    #[n(2)]
    GiveUp,
}

/// An unknown outcome is decided.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct UnknownResolvedV1 {
    /// The attempt that is unknown.
    #[n(0)]
    pub of: AttemptRef,
    /// What was decided.
    #[n(1)]
    pub resolution: Resolution,
    /// In the words of whoever decided for many at once.
    #[n(2)]
    pub reason: Option<String>,
}

/// A person wrote to the session. The sealed body is Meta's message object and profile.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct InboundReceivedV1 {
    /// The session written to.
    #[n(0)]
    pub session: SessionId,
    /// Who wrote.
    #[n(1)]
    pub contact: KeyId,
    /// Keyed tag of the provider's message id: the same message delivered twice is one.
    #[n(2)]
    pub tag: Tag,
    /// Meta's word for the content (`text`, `image`, `button`, …), or `other`.
    #[n(3)]
    pub content: String,
    /// When, by the provider's clock.
    #[n(4)]
    pub provider_at: Micros,
}

/// A part of a callback that moves nothing here: carried, so that nothing Meta said is lost.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CallbackCarriedV1 {
    /// The session whose account it named, if it is one of ours.
    #[n(0)]
    pub session: Option<SessionId>,
    /// Meta's field name (`messages`, `account_update`, …).
    #[n(1)]
    pub field: String,
    /// Keyed tag of the part: a repeat is the same part.
    #[n(2)]
    pub tag: Tag,
}
