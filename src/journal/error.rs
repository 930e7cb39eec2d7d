//! What a journal answers when it cannot: refusals of one append, and errors of the journal itself.

use std::io;
use std::path::{Path, PathBuf};

use super::genesis::Genesis;
use super::kafka::TopicError;
use crate::domain::record::Position;

/// Why an append was not taken. A refused append never appears.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The queue is full: come back later (HTTP 503 with Retry-After).
    #[error("the journal's queue is full; try again in a moment")]
    Overloaded,
    /// One call carries more than a batch may hold; it would be refused again.
    #[error(
        "an append of {records} records and {bytes} bytes passes the limit of {max_records} records and {max_bytes} bytes"
    )]
    TooLarge {
        /// Records in the call.
        records: usize,
        /// Bytes of headers, bodies and framing.
        bytes: usize,
        /// Records a call may have.
        max_records: usize,
        /// Bytes a call may have.
        max_bytes: usize,
    },
    /// A call without records.
    #[error("an append without records")]
    Empty,
    /// A record whose body has not the length that its header's digest names.
    #[error("record {index} of the append has a body of {found} bytes, but its header names {expected}")]
    Body {
        /// Which record of the call, from 0.
        index: usize,
        /// Bytes of the body.
        found: usize,
        /// Bytes the header names.
        expected: usize,
    },
    /// The genesis has fewer partitions.
    #[error("partition {partition} does not exist; this journal has {count}")]
    NoSuchPartition {
        /// Asked for.
        partition: u16,
        /// Partitions there are.
        count: u16,
    },
    /// The latch has fallen: this journal takes nothing more until the process was restarted.
    #[error("the journal has failed and takes nothing more: {0}")]
    Failed(String),
    /// The journal is closing or closed.
    #[error("the journal is closed")]
    Closed,
}

/// What is wrong with a journal, where, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    /// Bytes that no crash leaves behind: somebody or something changed or lost them.
    #[error("{}, byte {offset}: {what}. {remedy}", file.display())]
    Corrupt {
        /// The damaged file (or the missing one).
        file: PathBuf,
        /// Where in it, bytes from its beginning.
        offset: u64,
        /// What is wrong there.
        what: String,
        /// What to do about it.
        remedy: String,
    },
    /// The folder or topic belongs to another installation, or was made with another number of partitions.
    #[error("this is the journal of {found}, but {expected} was expected; check the data folder and the configuration")]
    Foreign {
        /// What stands in the genesis.
        found: Genesis,
        /// What the caller expected.
        expected: Genesis,
    },
    /// Written by a version that this one cannot follow.
    #[error("{} has {what} {found}; this version knows up to {known}. Use a newer version of waybill", file.display())]
    Version {
        /// Where it stands.
        file: PathBuf,
        /// Which number (`format version`, `routing version`).
        what: &'static str,
        /// The number found.
        found: u16,
        /// The highest this version knows.
        known: u16,
    },
    /// There is no journal.
    #[error("{} holds no journal; create one with `waybill init`", dir.display())]
    NotInitialised {
        /// The data folder.
        dir: PathBuf,
    },
    /// There is one already.
    #[error("{} already holds a journal; it is never overwritten", dir.display())]
    AlreadyInitialised {
        /// The data folder.
        dir: PathBuf,
    },
    /// Another process (or another handle in this one) has it open.
    #[error("{} is held by {holder}; stop that process first", file.display())]
    Locked {
        /// The lock file.
        file: PathBuf,
        /// What the lock file says of its holder.
        holder: String,
    },
    /// The operating system refused.
    #[error("cannot {doing} {}: {why}", path.display())]
    Io {
        /// What was tried (`create`, `write`, `sync`, …).
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the system said, and what to do.
        why: String,
    },
    /// Nothing stands there, or nothing yet.
    #[error("no record stands at {partition}:{position}; the partition ends before {end}", position = position.0, end = end.0)]
    Missing {
        /// Asked for.
        partition: u16,
        /// Asked for.
        position: Position,
        /// Position of the next record.
        end: Position,
    },
    /// The genesis has fewer partitions.
    #[error("partition {partition} does not exist; this journal has {count}")]
    NoSuchPartition {
        /// Asked for.
        partition: u16,
        /// Partitions there are.
        count: u16,
    },
    /// Settings that cannot work.
    #[error("journal settings: {0}")]
    Options(String),
    /// A topic cannot be this journal, or cannot be read.
    #[error(transparent)]
    Topic(#[from] TopicError),
    /// The latch has fallen; nothing more will come.
    #[error("the journal has failed: {0}")]
    Failed(String),
    /// Closed; nothing more will come.
    #[error("the journal is closed")]
    Closed,
}

impl JournalError {
    /// An error of the operating system, with advice where there is any.
    pub(crate) fn io(doing: &'static str, path: &Path, error: &io::Error) -> Self {
        let advice = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "; free space on this file system",
            io::ErrorKind::PermissionDenied => "; give the user that runs waybill read and write access",
            io::ErrorKind::ReadOnlyFilesystem => "; mount it writable, a journal must be written to",
            io::ErrorKind::NotADirectory => "; the data folder must be a folder",
            _ => "",
        };
        Self::Io { doing, path: path.to_owned(), why: format!("{error}{advice}") }
    }
}
