//! Events in an endpoint's mailbox: its declaration and how far its customer has been told.

use minicbor::{Decode, Encode};

use super::super::id::{EndpointId, EventId, TenantId};
use super::super::record::{Micros, Position};

/// An endpoint exists, with these settings. A later declaration replaces an earlier one. Its secret is in the vault.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EndpointDeclaredV1 {
    /// Derived from tenant and name.
    #[n(0)]
    pub endpoint: EndpointId,
    /// Whose it is.
    #[n(1)]
    pub tenant: TenantId,
    /// Slug, unique in the tenant.
    #[n(2)]
    pub name: String,
    /// Where to post.
    #[n(3)]
    pub url: String,
    /// Which notifications: exact types or `message.*`; empty means all.
    #[n(4)]
    pub events: Vec<String>,
    /// From where each feed is read: `None` means from the beginning.
    #[n(5)]
    pub since: Option<Micros>,
}

/// How far one feed has been told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(map)]
pub struct CursorV1 {
    /// The partition whose feed it is.
    #[n(0)]
    pub partition: u16,
    /// Everything up to and including this position is settled or listed as failing.
    #[n(1)]
    pub position: Position,
}

/// A notification that was not taken yet, or was given up.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode, serde::Serialize, serde::Deserialize)]
#[cbor(map)]
pub struct FailingV1 {
    /// The notification: also its `webhook-id`.
    #[n(0)]
    pub notification: EventId,
    /// Where it stands: partition and position of the feed row.
    #[n(1)]
    pub at: CursorV1,
    /// Tries so far.
    #[n(2)]
    pub tries: u16,
    /// Next try; `None` when given up.
    #[n(3)]
    pub next: Option<Micros>,
    /// What the last try met (`status 500`, `timed out`).
    #[n(4)]
    pub why: String,
}

/// A batch of deliveries is settled: cursors that moved, details of failures only.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeliveriesSettledV1 {
    /// The endpoint.
    #[n(0)]
    pub endpoint: EndpointId,
    /// Cursors that moved, at most one a partition.
    #[n(1)]
    pub cursors: Vec<CursorV1>,
    /// How many notifications were taken.
    #[n(2)]
    pub delivered: u32,
    /// What failed in this batch.
    #[n(3)]
    pub failing: Vec<FailingV1>,
    /// Earlier failures that were taken now.
    #[n(4)]
    pub recovered: Vec<EventId>,
}

/// The endpoint is told nothing until it is enabled again.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EndpointDisabledV1 {
    /// The endpoint.
    #[n(0)]
    pub endpoint: EndpointId,
    /// Why, in words.
    #[n(1)]
    pub reason: String,
}

/// It is told again, from its cursors on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EndpointEnabledV1 {
    /// The endpoint.
    #[n(0)]
    pub endpoint: EndpointId,
}
