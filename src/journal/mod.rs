//! Journal: the durable mailbox of every actor, as a seam, its embedded implementation, and its misbehaving double.
//!
//! What it promises: records of one append stand in order and together in one partition; positions ascend in each
//! partition, from 0 (the genesis), but need not be dense; what was answered [`Appended::Durable`] is there after any
//! crash; what was answered [`Appended::Refused`] never appears. What it must never know: what an event means, who acts on it, who owns a
//! partition. It reads of a header only the digest of the body.
//!
//! | file | holds |
//! | --- | --- |
//! | [`seam`] | [`Journal`], [`Tail`], [`Appended`]: all that the floors above see |
//! | [`segments`] | the embedded journal: segmented files, one writer, group commit; bytes in `FORMAT.md` |
//! | [`kafka`] | the journal of a cluster: one topic |
//! | [`unruly`] | the double: in memory, and able to do everything Kafka does badly |
//! | `frame` | the bytes of one record, the same in every column |
//! | [`genesis`] | the first record of every partition |
//! | `contract` | one suite of tests that every implementation passes |
//!
//! To add an implementation: a folder with a struct that implements [`Journal`], its own `#[cfg(test)]` call of
//! `contract::all`, and a line in the table above. Nothing above this room changes.

pub mod error;
mod frame;
pub mod genesis;
pub mod kafka;
pub mod seam;
pub mod segments;
pub mod unruly;

#[cfg(test)]
mod contract;

pub use error::{JournalError, Refusal};
pub use genesis::Genesis;
pub use kafka::{GroupOptions, GroupStanding, KafkaGroup, KafkaJournal, KafkaOptions};
pub use seam::{Answer, Appended, Appending, Entry, Journal, Tail};
pub use segments::{EmbeddedJournal, FolderLock, OpenReport, Options};
pub use unruly::{Deed, Odds, Unruly, When};
