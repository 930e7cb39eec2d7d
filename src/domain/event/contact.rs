//! Events in a contact's mailbox: a person's consent, service window and aliases. The contact's address is the id of its
//! key; who it is stands in the vault only.

use minicbor::{Decode, Encode};

use super::super::id::{KeyId, SessionId};
use super::super::record::Micros;

/// The person allowed or forbade marketing.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ConsentChangedV1 {
    /// The contact.
    #[n(0)]
    pub contact: KeyId,
    /// Whether marketing is allowed from here on.
    #[n(1)]
    pub marketing: bool,
    /// Where it came from (`api`, `user_preferences`, `131050`).
    #[n(2)]
    pub source: String,
    /// When it was said.
    #[n(3)]
    pub said_at: Micros,
    /// How many bytes of evidence lie sealed in the body; absent: none was given. Meta's own text in a body is none.
    #[n(4)]
    pub evidence: Option<u16>,
}

/// The provider asked to leave the person alone with marketing for a while; nobody said no.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ContactHeldV1 {
    /// The contact.
    #[n(0)]
    pub contact: KeyId,
    /// No marketing before this.
    #[n(1)]
    pub until: Micros,
    /// The provider's code.
    #[n(2)]
    pub code: i32,
}

/// The person wrote: free-form answers are allowed for a while.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct WindowOpenedV1 {
    /// The contact.
    #[n(0)]
    pub contact: KeyId,
    /// On which session.
    #[n(1)]
    pub session: SessionId,
    /// Until when: 24 h after the person's last message.
    #[n(2)]
    pub until: Micros,
}

/// What an alias is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "lowercase")]
pub enum AliasKind {
    /// A phone number, digits with country code.
    #[n(0)]
    Phone,
    /// A business-scoped user id of Meta.
    #[n(1)]
    Bsuid,
}

/// The vault knows one more name of this contact. The name itself is not here.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AliasAddedV1 {
    /// The contact.
    #[n(0)]
    pub contact: KeyId,
    /// What kind of name.
    #[n(1)]
    pub kind: AliasKind,
}
