//! Partition actors.
//!
//! | card | |
//! | --- | --- |
//! | parent | root |
//! | count | one for each claimed partition |
//! | mail | a nudge; batches of the tail and notices of children stand in its inbox |
//! | bound | eight batches of the tail at once, [`rows::CACHE`] rows in memory, `commit::PENDING` events not committed |
//! | restart | by root, after a wait; it reads on from the applied mark |
//! | stops when | its claim is lost, it is not wanted here any more, or the node drains |
//! | lost if it dies | nothing: rows and mark are written together, its sessions' boxes are kept in the registry |
//!
//! | file | |
//! | --- | --- |
//! | [`actor`] | the actor: mail → one of the below |
//! | [`apply`] | events in order → rows at hand |
//! | `commit` | rows → store with the mark, once a window; then whoever reads the store is told |
//! | [`rows`] | the rows at hand, and how missing ones are loaded |
//! | [`poison`] | events that cannot be applied, and the durable count of tries |
//! | [`claim`] | becoming and staying the owner |
//! | `takeover` | rows that somebody else may still be writing |
//! | `stopped` | what is stopped, as a tenure begins |
//! | [`leaving`] | not being the owner any more: what is under way comes to its end |
//! | [`dispatch`] | whom an event concerns |
//! | `due` | releasing scheduled messages |
//! | `arrivals` | lines of messages that left, until they have come where they go |
//! | `moved` | what takes them in there |
//! | `pools` | starting pools |
//! | `early` | who waits for a time and need not: its portfolio's limit was raised, or its campaign is cancelled |
//! | `erasing` | forgetting people, one after the other |
//! | `gated` | letting messages out when an operator's gate is opened |
//! | `sealing` | each event as a leaf of its tree, and how far the trees are |
//! | [`children`] | starting, counting and restarting sessions, endpoints and tenants |
//!
//! To add a kind of child: a file beside `children/session.rs`, a case in [`children::Children`].

pub mod actor;
pub mod apply;
mod arrivals;
pub mod children;
pub mod claim;
mod commit;
pub mod dispatch;
mod due;
mod early;
mod erasing;
mod gated;
pub mod leaving;
mod moved;
#[cfg(feature = "mutants")]
mod mutants;
pub mod poison;
mod pools;
pub mod rows;
mod sealing;
mod stopped;
mod takeover;

pub use actor::{Partition, PartitionArgs};

use std::sync::Arc;

use tokio::sync::OwnedSemaphorePermit;

use crate::domain::address::Address;
use crate::domain::id::{EventId, MessageId, SessionId};
use crate::domain::record::{Micros, Position};
use crate::journal::{Entry, JournalError};

/// What becomes of a partition here, as it was proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// This node is to own it.
    Here,
    /// Another one may.
    Elsewhere,
    /// Another one must: this node stops.
    Stop,
}

/// What a partition hears.
#[derive(Debug)]
pub enum Notice {
    /// The tail grew. The permit is the pump's credit.
    Batch(Vec<Arc<Entry>>, OwnedSemaphorePermit),
    /// The tail broke.
    TailEnded(JournalError),
    /// From where on a session's outbox is unsettled, as far as it has seen it.
    Low {
        /// The session.
        session: SessionId,
        /// The first unsettled position; `None` when everything seen is settled.
        low: Option<Position>,
        /// The last acceptance it has seen.
        seen: Position,
    },
    /// The window of a commit is over.
    Commit,
    /// A session wants to see a message's row.
    Look(SessionId, MessageId),
    /// Releases were recorded, up to there; `None` when they were not, and the next sweep proposes them again.
    Released(Option<Position>),
    /// A page of those who left for that partition has come there; false when that was not recorded, and is proposed again by
    /// the next sweep.
    Arrived(u16, bool),
    /// How far the trees are stands in the audit's mailbox.
    Reported,
    /// The oldest event that is not reported there happened then.
    Unreported(Micros),
    /// The due index is to be read on.
    Due,
    /// A page of those who waited since this closing was let out; false when that was not recorded, and is proposed again.
    LetOut(EventId, bool),
    /// A session ended of its own accord: said after everything that it said itself.
    Ended(SessionId),
    /// A child may live again.
    Restart(Address),
    /// Our claim stands there.
    ClaimStands(EventId, Position),
    /// A claim was refused or is in doubt: try again.
    ClaimAgain,
    /// Root: whether this node is to own the partition.
    Wish(Wish),
    /// While it leaves: is it over?
    Leave,
    /// An erasure was carried out, or could not be.
    Forgot(bool),
    /// Each second: whoever may have missed a nudge is nudged.
    Sweep,
}
