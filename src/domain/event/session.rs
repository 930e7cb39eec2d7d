//! Events in a session's mailbox that concern the session itself.

use minicbor::{Decode, Encode};

use super::super::id::{SessionId, TenantId};
use super::super::record::Micros;

/// A session exists, with these settings. A later declaration replaces an earlier one. Its token is in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SessionDeclaredV1 {
    /// Derived from tenant and name.
    #[n(0)]
    pub session: SessionId,
    /// Whose it is.
    #[n(1)]
    pub tenant: TenantId,
    /// Slug, unique in the tenant; what requests name as `from`.
    #[n(2)]
    pub name: String,
    /// `whatsapp`, later `whatsapp_web`, `messenger`, `instagram`. Only the channel's registry reads it.
    #[n(3)]
    pub channel: String,
    /// The provider's id of the sender: a phone number id on WhatsApp. A business number, not a person's.
    #[n(4)]
    pub account: String,
    /// The WhatsApp business account, if known.
    #[n(5)]
    pub waba: Option<String>,
    /// Messages a second this sender may send (and receive).
    #[n(6)]
    pub per_second: u32,
    /// How many of them at once after a rest.
    #[n(7)]
    pub burst: u32,
    /// A test session never reaches the provider.
    #[n(8)]
    pub test: bool,
    /// The provider's app whose token it has: sessions of one app share its limits. Absent: not known.
    #[n(9)]
    pub app: Option<String>,
    /// The business portfolio it belongs to, by name; absent: none that is declared.
    #[n(10)]
    pub portfolio: Option<String>,
}

/// An actor for this session came to life; its incarnation is this event's position. Intents of another are void.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SessionStartedV1 {
    /// The session.
    #[n(0)]
    pub session: SessionId,
}

/// An operator stops the session from sending. Every intent after this position is void.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SessionSuspendedV1 {
    /// The session.
    #[n(0)]
    pub session: SessionId,
    /// Why, in the operator's words.
    #[n(1)]
    pub reason: String,
}

/// An operator lets it send again, and take messages.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SessionResumedV1 {
    /// The session.
    #[n(0)]
    pub session: SessionId,
    /// In the operator's words.
    #[n(1)]
    pub reason: Option<String>,
}

/// The provider's answer stops a sender for a while, or nobody is reached.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SessionHeldV1 {
    /// The session.
    #[n(0)]
    pub session: SessionId,
    /// The provider's code that caused it (for example 130429).
    #[n(1)]
    pub code: i32,
    /// No attempt before this.
    #[n(2)]
    pub until: Micros,
    /// Failure class as a word, or `unreached`; absent: an older version did not say.
    #[n(3)]
    pub class: Option<String>,
    /// Whose rate was exceeded, if it was one: a word of the buckets.
    #[n(4)]
    pub bucket: Option<String>,
}

/// The provider's refusals lower a sender's rate, or time raises it again. At the declared rate it is as if never lowered.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SessionPacedV1 {
    /// The session.
    #[n(0)]
    pub session: SessionId,
    /// Which rate: a word of the buckets.
    #[n(1)]
    pub bucket: String,
    /// Messages a second from here on.
    #[n(2)]
    pub per_second: u32,
    /// When it is the declared rate again, unless more is refused.
    #[n(3)]
    pub until: Micros,
    /// The provider's code that caused it.
    #[n(4)]
    pub code: i32,
}

/// A sender is held no more: an attempt was through, or somebody lifted the hold, and a lowered rate with it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SessionReleasedV1 {
    /// The session.
    #[n(0)]
    pub session: SessionId,
    /// In the words of whoever lifted it; absent: the session itself, when an attempt was through.
    #[n(1)]
    pub reason: Option<String>,
}

/// An operator empties the session: it takes no more messages, and those that it has leave. It ends with
/// [`SessionResumedV1`].
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SessionDrainingV1 {
    /// The session.
    #[n(0)]
    pub session: SessionId,
    /// Why, in the operator's words.
    #[n(1)]
    pub reason: String,
}
