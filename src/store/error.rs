//! What can go wrong with the store, where, and what to do about it.
//!
//! Nothing here loses anything: the remedy for a store that cannot be used is always to delete its folder and let it be
//! rebuilt from the journal.

use std::path::PathBuf;

use crate::cql::CqlError;
use crate::domain::id::InstallationId;
use crate::domain::record::Position;
use crate::domain::table::{RowKey, Table};

/// An error of the store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// The folder was written by a later version.
    #[error(
        "the store in {path} has format {found}, and this version knows only up to {known}; run the newer version, or delete {path}: it is rebuilt from the journal"
    )]
    Newer {
        /// The store's folder.
        path: PathBuf,
        /// Format found.
        found: u16,
        /// Highest format known.
        known: u16,
    },
    /// The folder was written by an earlier version whose rows this one does not read.
    #[error(
        "the store in {path} has the old format {found}, and this version needs {known}; delete {path}: it is rebuilt from the journal"
    )]
    Older {
        /// The store's folder.
        path: PathBuf,
        /// Format found.
        found: u16,
        /// Format needed.
        known: u16,
    },
    /// The folder belongs to another installation.
    #[error(
        "the store in {path} belongs to installation {found}, not to {expected}; check `data_dir`, or delete {path} if it was copied here: it is rebuilt from the journal"
    )]
    OtherInstallation {
        /// The store's folder.
        path: PathBuf,
        /// Whose it is.
        found: InstallationId,
        /// Who asked.
        expected: InstallationId,
    },
    /// Another process has the folder open.
    #[error("the store in {path} is in use by another process; stop it first")]
    InUse {
        /// The store's folder.
        path: PathBuf,
    },
    /// The folder holds something that cannot be read.
    #[error("the store in {path} cannot be read ({why}); delete {path}: it is rebuilt from the journal")]
    Corrupt {
        /// The store's folder.
        path: PathBuf,
        /// What the engine said.
        why: String,
    },
    /// The disk or the file system refused.
    #[error("the store in {path} cannot be used: {why}; check that the disk is writable and has room")]
    Io {
        /// The store's folder.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
    /// A row's bytes are not what this version writes.
    #[error("{} does not decode: {why}; if it stays so, delete the store's folder or drop its keyspace: it is rebuilt from the journal", row(.key.as_deref()))]
    Row {
        /// Which row, if known.
        key: Option<Box<RowKey>>,
        /// What is wrong.
        why: String,
    },
    /// A key, a value, a scan or a list is larger than allowed.
    #[error("{what} is {len}, at most {max} is allowed")]
    Limit {
        /// What is too large, with its table.
        what: String,
        /// How large it is.
        len: usize,
        /// How large it may be.
        max: usize,
    },
    /// A commit is behind what was applied: the caller has lost its order.
    #[error("partition {partition}: a commit through {through:?} comes after one through {applied:?}")]
    Backwards {
        /// The partition.
        partition: u16,
        /// Where its mark stands.
        applied: Position,
        /// What was asked.
        through: Position,
    },
    /// A put is stamped with a position that its commit does not reach.
    #[error("partition {partition}: a row is stamped {at:?}, beyond its commit's {through:?}")]
    Beyond {
        /// The partition.
        partition: u16,
        /// The row's stamp.
        at: Position,
        /// The commit's end.
        through: Position,
    },
    /// A drop in a table whose rows are never dropped.
    #[error("rows of table `{0}` are never dropped; only append-only tables are")]
    NotDroppable(Table),
    /// The cluster or its keyspace.
    #[error(transparent)]
    Cql(#[from] CqlError),
    /// An earlier error latched.
    #[error("the store takes no commits since: {0}; restart")]
    Failed(String),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

fn row(key: Option<&RowKey>) -> String {
    key.map_or_else(|| "a row".to_owned(), |key| format!("row {key:?}"))
}

impl StoreError {
    /// The same error, saying which row it is about.
    #[must_use]
    pub fn in_row(self, key: &RowKey) -> Self {
        match self {
            Self::Row { why, .. } => Self::Row { key: Some(Box::new(key.clone())), why },
            other => other,
        }
    }

    /// Whether the caller broke a rule of the seam, and nothing else is wrong: no reason to latch.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        matches!(
            self,
            Self::Limit { .. }
                | Self::Backwards { .. }
                | Self::Beyond { .. }
                | Self::NotDroppable(_)
                | Self::Closed
                | Self::Failed(_)
        )
    }

    /// Whether the same read may be good later, with nobody doing anything here: a database that is away, or too slow.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Cql(CqlError::Silent { .. } | CqlError::Unavailable { .. } | CqlError::Unreachable { .. }))
    }

    /// Whether deleting the store's folder or keyspace (and replaying the journal) is the remedy.
    #[must_use]
    pub fn is_rebuildable(&self) -> bool {
        matches!(
            self,
            Self::Older { .. } | Self::Corrupt { .. } | Self::Row { .. } | Self::Cql(CqlError::OlderFormat { .. })
        )
    }
}
