//! Rows of the audit: a partition's trees, and the instance's log over their heads.

use serde::{Deserialize, Serialize};

use super::super::audit::leaf::Leaf;
use super::super::audit::{Checkpoint, Hash, Range};
use super::super::id::TenantId;
use super::super::record::{Micros, Position};

/// A tenant's tree in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TreeId {
    /// Where.
    pub partition: u16,
    /// Whose; zeros for the installation's own.
    pub tenant: TenantId,
}

/// What must be kept of a tree to append to it. Its leaves are made of the journal again when they are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeRow {
    /// Its size and the roots of its subtrees.
    pub range: Range,
    /// Where its last leaf's event stands.
    pub last: Option<Position>,
    /// Where its last leaf's event stands that is not about sealing: sealing alone is nothing to be sealed.
    pub stirred: Option<Position>,
}

impl TreeRow {
    /// Appends an event, unless it is in the tree already.
    pub fn grow(&mut self, leaf: &Leaf, at: Position, stirs: bool) {
        if self.last.is_some_and(|last| at <= last) {
            return;
        }
        self.range.push(leaf.hash());
        self.last = Some(at);
        if stirs {
            self.stirred = Some(at);
        }
    }
}

/// What a partition said last that counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportedRow {
    /// Of which of the installation's logs that was: in another one nothing was said yet.
    pub era: u32,
    /// Up to where it said it.
    pub through: Position,
    /// In which part.
    pub part: u16,
    /// Up to where every tree that grew was reported.
    pub whole: Option<Position>,
    /// Its journal does not reach so far any more: nothing that it says counts in this log.
    pub lost: bool,
}

/// Size and root of the instance's log where it was to be signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealedRow {
    /// Leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The place that says so.
    pub position: Position,
}

/// What was signed last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedRow {
    /// Which log.
    pub origin: String,
    /// Leaves.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
    /// The public key.
    pub key: [u8; 32],
    /// The signature: 64 bytes.
    pub signature: Vec<u8>,
    /// When that was recorded, by our clock.
    pub at: Micros,
    /// Where.
    pub position: Position,
    /// Where the log stood then: entries that count up to there are in it.
    pub sealed_at: Position,
}

impl SignedRow {
    /// What it says.
    #[must_use]
    pub fn checkpoint(&self) -> Checkpoint {
        Checkpoint { origin: self.origin.clone(), size: self.size, root: self.root }
    }
}

/// The instance's log.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceRow {
    /// Its size and the roots of its subtrees.
    pub range: Range,
    /// Which of the installation's logs it is.
    pub era: u32,
    /// The last event that it took in.
    pub through: Option<Position>,
    /// What is to be signed.
    pub sealed: Option<SealedRow>,
    /// What was.
    pub signed: Option<SignedRow>,
    /// When customers were told last, by our clock.
    pub published: Option<Micros>,
}
