//! Events in a tenant's mailbox: its declaration, its API keys, its gates.

use minicbor::{Decode, Encode};

use super::super::gate::Gate;
use super::super::id::{ApiKeyId, EventId, TenantId, derive};
use super::super::quiet::QuietHours;

/// A tenant exists, with these settings. A later declaration replaces an earlier one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TenantDeclaredV1 {
    /// Derived from the name.
    #[n(0)]
    pub tenant: TenantId,
    /// Slug, unique in the installation.
    #[n(1)]
    pub name: String,
    /// For people; may be empty.
    #[n(2)]
    pub display_name: String,
    /// Messages a second this tenant may send, over all its sessions.
    #[n(3)]
    pub per_second: u32,
    /// How many of them at once after a rest.
    #[n(4)]
    pub burst: u32,
    /// Whether marketing needs a recorded opt-in; absent: as the installation has it.
    #[n(5)]
    pub require_opt_in: Option<bool>,
    /// Whether free-form content needs an open window; absent: as the installation has it.
    #[n(6)]
    pub require_window: Option<bool>,
    /// When its marketing leaves people alone; absent: never.
    #[n(7)]
    pub quiet_hours: Option<QuietHours>,
    /// How many of its messages may wait; absent: as the installation has it.
    #[n(8)]
    pub queue_max: Option<u32>,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(index_only)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Declares sessions, endpoints and keys of its tenant; everything the others may.
    #[n(0)]
    Admin,
    /// Sends messages and reads their story.
    #[n(1)]
    Sender,
    /// Reads only.
    #[n(2)]
    Auditor,
}

/// An API key exists. Its secret is 256 random bits, so a plain SHA-256 of it is safe to store.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ApiKeyIssuedV1 {
    /// Public half.
    #[n(0)]
    pub key: ApiKeyId,
    /// Whose it is.
    #[n(1)]
    pub tenant: TenantId,
    /// Slug, unique in the tenant.
    #[n(2)]
    pub name: String,
    /// What it may do.
    #[n(3)]
    pub role: Role,
    /// A test key: what it sends never reaches Meta.
    #[n(4)]
    pub test: bool,
    /// SHA-256 of the whole key text.
    #[cbor(n(5), with = "minicbor::bytes")]
    pub hash: [u8; 32],
}

/// A key works no more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ApiKeyRevokedV1 {
    /// Public half.
    #[n(0)]
    pub key: ApiKeyId,
}

/// Somebody closes a gate of the tenant's, or opens it again. Its tenant's actor copies that into each partition.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GateAskedV1 {
    /// Which.
    #[n(0)]
    pub gate: Gate,
    /// To close it, or else to open it.
    #[n(1)]
    pub closed: bool,
    /// In the operator's words.
    #[n(2)]
    pub reason: String,
}

impl GateAskedV1 {
    /// The provider says that a template is paused or disabled. `last` is the last word on its gate: after the same one
    /// everybody who is refused for it says the same, and after another it is said anew.
    #[must_use]
    pub fn paused(tenant: TenantId, name: String, code: i32, last: Option<EventId>) -> (EventId, Self) {
        let last = last.map_or([0; 16], |last| last.0);
        let parts: [&[u8]; 4] = [&tenant.0, name.as_bytes(), &code.to_be_bytes(), &last];
        let id = EventId(derive("waybill paused template", &parts));
        let reason = format!("Meta answered {code}: the template is paused or disabled");
        (id, Self { gate: Gate::Template { tenant, name }, closed: true, reason })
    }
}

/// A word on a gate is applied in each partition.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GateEffectiveV1 {
    /// Which.
    #[n(0)]
    pub gate: Gate,
    /// The event by which it was asked for.
    #[n(1)]
    pub asked: EventId,
}
