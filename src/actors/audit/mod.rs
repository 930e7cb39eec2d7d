//! The audit's actor: it has the instance's log signed.
//!
//! | card | |
//! | --- | --- |
//! | parent | the partition that the audit's address hashes to |
//! | count | one |
//! | mail | a nudge; what was read back stands in its inbox |
//! | bound | one checkpoint to be signed at a time |
//! | restart | by the partition |
//! | stops when | the partition's claim is lost |
//! | lost if it dies | nothing: what is to be signed stands in the log's row |
//!
//! The log itself is a fold of the events in this mailbox, made by `apply` like any other row. When it has grown, an event
//! says that it is to be signed as it is at that event's place. Only when that was read back are size and root known: they
//! are durable before anything is signed, and a node that wakes up late can sign nothing else for them than whoever owns the
//! partition now. Each checkpoint must extend the last one that is known to be signed, or nothing is signed any more.
//!
//! What is known after a restart is the last one in the journal, and one in the vault that is at most ten minutes older: the
//! vault has its own backup, so a journal that was put back to an earlier state, or is another one, is found out. (For the
//! minutes between, the vault's marks hold the whole node, and a node that is held signs nothing.) If that was on purpose an
//! operator has another log begun, under another origin, with what the partitions then have.
//!
//! One log has one key: the first one that signed. It is drawn once for all nodes that share the vault; one that is another, or
//! gone, signs nothing.
//!
//! | file | |
//! | --- | --- |
//! | [`actor`] | mail → what is proposed, signed and published |
//! | [`log`] | the log's hashes in the store |
//! | [`keep`] | key and last head in the vault |
//! | [`publish`] | telling customers |
//! | [`unsealed`] | since when events wait to be signed for, for the gauge |

pub mod actor;
pub mod keep;
pub mod log;
pub mod publish;
pub mod unsealed;

pub use actor::{Audit, AuditArgs, end};
