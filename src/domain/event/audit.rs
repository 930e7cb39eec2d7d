//! Events in the mailbox of the audit: what partitions say of their trees, and what was signed.

use minicbor::{Decode, Encode};

use super::super::id::TenantId;
use super::super::record::{Micros, Position};

/// The head of one tree of a partition.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HeadV1 {
    /// Whose; zeros for the installation's own.
    #[n(0)]
    pub tenant: TenantId,
    /// How many leaves it has.
    #[n(1)]
    pub size: u64,
    /// The root over them.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub root: [u8; 32],
}

/// A partition's owner says how far its trees are that grew. It counts if (`through`, `part`) is beyond the last one of that
/// partition that did: later ones name every tree that grew since `whole` ones, so nothing is missing for one that is void.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HeadsReportedV1 {
    /// Which partition.
    #[n(0)]
    pub partition: u16,
    /// The trees are as they were after the event there.
    #[n(1)]
    pub through: Position,
    /// Which one of several that name the same place.
    #[n(2)]
    pub part: u16,
    /// No other tree grew up to there that was not reported.
    #[n(3)]
    pub whole: bool,
    /// When the oldest event happened that is new in it, by its writer's clock.
    #[n(4)]
    pub since: Micros,
    /// At most [`MAX_HEADS`](super::super::audit::entry::MAX_HEADS).
    #[n(5)]
    pub heads: Vec<HeadV1>,
    /// For which of the installation's logs: one that was begun meanwhile is told anew, of all trees.
    #[n(6)]
    pub era: u32,
}

/// The instance's log is to be signed as it is here, at this event's own place: size and root follow from the events up to
/// it, whoever reads them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CheckpointSealedV1 {
    /// Which of the installation's logs: 0 for the first.
    #[n(0)]
    pub era: u32,
}

/// It was signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CheckpointSignedV1 {
    /// Which log.
    #[n(0)]
    pub origin: String,
    /// Its leaves.
    #[n(1)]
    pub size: u64,
    /// The root over them.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub root: [u8; 32],
    /// The public key.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub key: [u8; 32],
    /// The signature over the checkpoint's text.
    #[cbor(n(4), with = "minicbor::bytes")]
    pub signature: [u8; 64],
}

/// A partition's journal ends before the place up to which its trees were reported: it was put back from a backup, or lost its
/// end. Its trees would contradict the log, so nothing more of it counts there until another log begins.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HeadsLostV1 {
    /// Which partition.
    #[n(0)]
    pub partition: u16,
    /// Up to where the log has its trees.
    #[n(1)]
    pub through: Position,
    /// Where its owner began, after everything that it found there.
    #[n(2)]
    pub found: Position,
}

/// An operator has another log begun, under another origin: the journal is not the one that the last one was signed for. It
/// begins empty, and every partition reports all its trees as they are now; what was signed under the old origin speaks no
/// more for this installation, and whoever kept it sees that.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LogBegunV1 {
    /// More than that of any log before that is known.
    #[n(0)]
    pub era: u32,
    /// Why, in the operator's words.
    #[n(1)]
    pub reason: String,
}

/// Customers are told of a checkpoint, so that each of them can keep it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CheckpointPublishedV1 {
    /// The signed note.
    #[n(0)]
    pub note: String,
    /// Its size: what the notification is named by.
    #[n(1)]
    pub size: u64,
    /// Who is told; at most 500.
    #[n(2)]
    pub tenants: Vec<TenantId>,
    /// Which of the installation's logs: each has a checkpoint of a size of its own.
    #[n(3)]
    pub era: u32,
}
