//! The seam: what a store promises, whichever machine is behind it.
//!
//! 1. **Prefix.** After a crash the rows and the applied mark are those of a prefix of the commits, in the order in
//!    which they were answered (per partition in a cluster). The mark is never ahead of the rows. Which prefix is not
//!    promised: a commit is not synced, the journal is the truth and replay goes on from the mark.
//! 2. **Last position wins.** Two puts to one key: the higher `at` stays, which CQL does with `USING TIMESTAMP`. Within
//!    one partition positions only grow, and no two partitions share a `(table, pk)`, so for the embedded store this is
//!    plain overwriting; the double checks that it is so. A commit that goes back behind the mark is refused.
//! 3. **Drops are for ever.** A bucket once dropped is not written to again, except by a replay that drops it again.
//!    Drops act after the puts of their own commit. A drop that a crash cuts short leaves garbage below the reader's
//!    low-water mark, never a hole above it; the next drop takes it away.
//! 4. **Read your commits.** Once `commit` has answered, every read sees it. Before that a read may see some of its rows,
//!    but never its mark without all of them.

use crate::domain::record::Position;
use crate::domain::table::{KeyPart, RowKey, Table};
use crate::runtime::BoxFuture;

use super::error::StoreError;

/// Rows one scan may ask for: with rows of a few hundred bytes some megabytes, and some milliseconds of one thread.
pub const MAX_SCAN: usize = 10_000;

/// Rows one commit may put: eight journal batches of 256 events of 32 rows each.
pub const MAX_PUTS: usize = 8 * 256 * 32;

/// Bytes of one row's value. A record is at most 1 MiB, and a row is never more than what an event said.
pub const MAX_VALUE: usize = 1024 * 1024;

/// An upsert of a whole row, stamped with the position of the event that caused it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Put {
    /// Which row.
    pub key: RowKey,
    /// Its bytes, from [`super::codec::encode`]; at most [`MAX_VALUE`].
    pub value: Vec<u8>,
    /// The event's position: at most the commit's `through`.
    pub at: Position,
}

/// All rows of `(table, pk)` with a clustering key below `ck` are gone: one range tombstone. Append-only tables only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DropBelow {
    /// An append-only table.
    pub table: Table,
    /// Whose rows.
    pub pk: KeyPart,
    /// The first clustering key that stays.
    pub ck: KeyPart,
}

/// What applying some events of one partition changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commit {
    /// Number of the journal partition.
    pub partition: u16,
    /// The last event that is applied once this commit stands. Never below the mark of the commit before.
    pub through: Position,
    /// Upserts, positions not descending; at most [`MAX_PUTS`]. Of two for one row the later stays.
    pub puts: Vec<Put>,
    /// Buckets that are done with.
    pub drops: Vec<DropBelow>,
}

/// A range of rows of one partition key, both ends exclusive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan {
    /// Which table.
    pub table: Table,
    /// Whose rows.
    pub pk: KeyPart,
    /// Only clustering keys above this one. A reader of a table with drops starts at its low-water mark: what lies
    /// below may be tombstones, and walking over them is slow.
    pub after: Option<KeyPart>,
    /// Only clustering keys below this one.
    pub before: Option<KeyPart>,
    /// At most this many rows, and at most [`MAX_SCAN`].
    pub limit: usize,
    /// From the highest clustering key downwards.
    pub reverse: bool,
}

impl Scan {
    /// All rows of `(table, pk)` upwards, at most `limit`.
    #[must_use]
    pub fn of(table: Table, pk: impl Into<KeyPart>, limit: usize) -> Self {
        Self { table, pk: pk.into(), after: None, before: None, limit, reverse: false }
    }

    /// Only above this clustering key.
    #[must_use]
    pub fn after(mut self, ck: impl Into<KeyPart>) -> Self {
        self.after = Some(ck.into());
        self
    }

    /// Only below this clustering key.
    #[must_use]
    pub fn before(mut self, ck: impl Into<KeyPart>) -> Self {
        self.before = Some(ck.into());
        self
    }

    /// Downwards.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.reverse = true;
        self
    }
}

/// Clustering key and value of a row a scan found.
pub type Row = (KeyPart, Vec<u8>);

/// Rows, rebuilt by replay. See the four promises at the head of this file.
pub trait Store: Send + Sync + 'static {
    /// Applies rows and moves the applied mark, atomically or in that order.
    ///
    /// The future may be dropped: the commit then still happens, or does not. One commit of a partition at a time.
    ///
    /// # Errors
    /// A commit that breaks the rules of [`Commit`] is refused and changes nothing. Any other error latches
    /// ([`Store::failed`]): the rows are in doubt, and nothing is committed until the store is opened again.
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Whether reading a row takes a way over the network: who will need many reads them together.
    fn is_far(&self) -> bool {
        false
    }

    /// Up to where this partition's events are in the rows; `None` before its first commit.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn applied(&self, partition: u16) -> BoxFuture<'_, Result<Option<Position>, StoreError>>;

    /// The same, once every commit of the partition has ended that had begun by now, and what was cut short is finished: if
    /// nobody begins another one, no row is ahead of it. For whoever is about to apply the partition; where processes share a
    /// store, it waits for others.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn settled(&self, partition: u16) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        self.applied(partition)
    }

    /// One row's value.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn get<'a>(&'a self, key: &'a RowKey) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>>;

    /// Several rows' values, in the order of the keys; at most [`MAX_SCAN`] keys.
    ///
    /// # Errors
    /// When there are too many keys, or the store cannot be read.
    fn get_many<'a>(&'a self, keys: &'a [RowKey]) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StoreError>>;

    /// A range of rows, in the order asked for.
    ///
    /// # Errors
    /// When the limit is above [`MAX_SCAN`], or the store cannot be read.
    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<Row>, StoreError>>;

    /// SHA-256 over all rows of these tables, in the order of their keys: the same rows give the same digest in every
    /// implementation, so a rebuild can be compared with what it replaces. Reads everything; for tests and `replay`.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn digest<'a>(&'a self, tables: &'a [Table]) -> BoxFuture<'a, Result<[u8; 32], StoreError>>;

    /// Why no commit is taken any more, if so. Part of the health latch.
    fn failed(&self) -> Option<String>;

    /// What commits wait for at the moment, if they have waited for a while: a database that is away. Nothing has failed, and
    /// they go on by themselves. Part of the health latch.
    fn held(&self) -> Option<String> {
        None
    }

    /// Waits for what is under way and lets go of the folder. Later calls are refused with [`StoreError::Closed`].
    ///
    /// # Errors
    /// When the last rows could not be written; they are rebuilt at the next start.
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>>;
}
