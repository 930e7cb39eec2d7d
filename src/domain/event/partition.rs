//! Events of a partition itself: its genesis, who owns it, what it may contain, what it refuses to apply.

use minicbor::{Decode, Encode};

use super::super::gate::Gate;
use super::super::id::{EventId, InstallationId, NodeId};
use super::super::record::Position;

/// The first record of every partition. A folder or topic whose genesis does not match is refused.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GenesisV1 {
    /// The installation.
    #[n(0)]
    pub installation: InstallationId,
    /// This partition.
    #[n(1)]
    pub partition: u16,
    /// How many there are; fixed for ever.
    #[n(2)]
    pub count: u16,
    /// See [`super::super::routing::ROUTING_VERSION`].
    #[n(3)]
    pub routing: u16,
}

/// A node takes a partition over. The claim's epoch is its position. It is valid only if the claim it names is the last
/// valid one when it is read, so late, doubled and racing claims settle themselves.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClaimedV1 {
    /// Who claims.
    #[n(0)]
    pub node: NodeId,
    /// Position of the claim this one takes over from; `None` only for the first.
    #[n(1)]
    pub supersedes: Option<Position>,
}

/// An operator allows events of a newer version.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct FeatureLevelRaisedV1 {
    /// The new level.
    #[n(0)]
    pub level: u16,
}

/// An event that could not be applied is set aside: replay skips it too, at the same place.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct QuarantinedV1 {
    /// The event set aside.
    #[n(0)]
    pub position: Position,
    /// Why, in words for a person.
    #[n(1)]
    pub why: String,
    /// How often it was tried.
    #[n(2)]
    pub tries: u16,
}

/// An operator has a quarantined event applied after all, here.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RequeuedV1 {
    /// The event that was set aside.
    #[n(0)]
    pub position: Position,
}

/// A word on an operator's gate, copied from its tenant's mailbox into this partition. Intents after this position, for
/// messages behind a closed gate, are void.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct GateSetV1 {
    /// Which.
    #[n(0)]
    pub gate: Gate,
    /// The event by which it was asked for.
    #[n(1)]
    pub asked: EventId,
    /// Where that stands in the tenant's mailbox: of two words the later one holds, in whatever order they arrive here.
    #[n(2)]
    pub at: Position,
    /// Closed, or else open.
    #[n(3)]
    pub closed: bool,
    /// In the operator's words.
    #[n(4)]
    pub reason: String,
    /// For ever: it is a campaign's that is over.
    #[n(5)]
    pub over: Option<bool>,
}
