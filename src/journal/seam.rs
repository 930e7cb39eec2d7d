//! The seam: what the floors above know of a journal, and nothing else.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::error::{JournalError, Refusal};
use super::genesis::Genesis;
use crate::domain::record::{Position, Record};
use crate::runtime::BoxFuture;

/// A record where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which partition.
    pub partition: u16,
    /// Where in it.
    pub position: Position,
    /// What was appended. Its body is empty when there was none or when it was dropped later.
    pub record: Record,
}

/// The answer to an append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Appended {
    /// The records stand at `first..=last`, one at each of these positions, and survive any crash.
    Durable {
        /// Position of the first record of the call.
        first: Position,
        /// Position of the last.
        last: Position,
    },
    /// They do not stand there and never will.
    Refused(Refusal),
    /// Nobody knows: they may still appear, also twice, also late.
    Doubtful,
}

/// The answer on its way. Dropping it takes nothing back; an implementation that dies without answering is doubtful.
#[derive(Debug)]
#[must_use = "an append is not durable before its answer says so"]
pub struct Appending(oneshot::Receiver<Appended>);

/// The other end of an [`Appending`]: held by the implementation.
#[derive(Debug)]
pub struct Answer(oneshot::Sender<Appended>);

impl Answer {
    /// Gives the answer. That nobody waits for it any more is no error.
    pub fn give(self, answer: Appended) {
        drop(self.0.send(answer));
    }
}

impl Appending {
    /// A question and the means to answer it. Dropping the [`Answer`] answers [`Appended::Doubtful`].
    pub fn pair() -> (Answer, Self) {
        let (sender, receiver) = oneshot::channel();
        (Answer(sender), Self(receiver))
    }

    /// One that is answered already.
    pub fn answered(answer: Appended) -> Self {
        let (sender, appending) = Self::pair();
        sender.give(answer);
        appending
    }
}

impl Future for Appending {
    type Output = Appended;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Appended> {
        Pin::new(&mut self.0).poll(context).map(|answer| answer.unwrap_or(Appended::Doubtful))
    }
}

/// An append-only log in partitions. Shared by reference between all that append and read.
///
/// Positions ascend. The records of one append have consecutive ones; between two appends positions may be left out, and
/// hold nothing for ever. So nobody may take `position + 1` for the next record, or a difference for a number of records:
/// the next record is what a tail from `position + 1` gives, and [`Journal::distance`] counts.
pub trait Journal: Send + Sync + 'static {
    /// What this journal is: installation, partitions, routing.
    fn genesis(&self) -> Genesis;

    /// Appends records to one partition. They will stand in order and together (nothing between them), or not at all.
    /// Never blocks; two calls of one thread to one partition keep their order unless one is answered doubtful.
    fn append(&self, partition: u16, records: Vec<Record>) -> Appending;

    /// Reads a partition from the first record at or after `from` on, waiting for what is not there yet.
    fn tail(&self, partition: u16, from: Position) -> Box<dyn Tail>;

    /// Reads one record.
    ///
    /// # Errors
    /// [`JournalError::Missing`] where none stands, as beyond the end; damage and failures of the disk as they are found.
    fn read(&self, partition: u16, at: Position) -> BoxFuture<'_, Result<Arc<Entry>, JournalError>>;

    /// One more than the position of the last durable record, as far as this node knows: the next one will stand here or
    /// later. 0 for a partition that does not exist.
    fn end(&self, partition: u16) -> Position;

    /// The same, asked anew of whoever keeps the records: what other nodes have appended is in it too.
    ///
    /// # Errors
    /// When nobody answers.
    fn fresh_end(&self, partition: u16) -> BoxFuture<'_, Result<Position, JournalError>>;

    /// About how many records stand from `from` up to before `to`: a measure of lag. Exact where positions are dense;
    /// where several records may share one place of the log below, those places are counted.
    fn distance(&self, partition: u16, from: Position, to: Position) -> u64;

    /// Whether, as far as positions alone say it, no record stands between these two, of which `before` stands first. Where
    /// they are dense that is exact; elsewhere it is only that they ascend, and the tail is to be believed.
    fn adjoins(&self, partition: u16, before: Position, after: Position) -> bool;

    /// Why it takes nothing more, if it does not: a latch, it never opens again.
    fn failed(&self) -> Option<String>;

    /// Takes no more, makes durable what was taken, and leaves an orderly end behind. Closing twice is closing once.
    ///
    /// # Errors
    /// When the end could not be written; what was answered durable stays durable.
    fn close(&self) -> BoxFuture<'_, Result<(), JournalError>>;
}

/// A reader at a place in one partition.
pub trait Tail: Send {
    /// The next entries in order: at least one, at most [`PAGE`]. Waits until there are some. Cancel-safe: a dropped call has
    /// taken nothing.
    ///
    /// # Errors
    /// Damage found while reading; [`JournalError::Closed`] or [`JournalError::Failed`] once everything durable was read
    /// and nothing more can come.
    fn next(&mut self) -> BoxFuture<'_, Result<Vec<Arc<Entry>>, JournalError>>;

    /// The next entry this will give stands here or later; everything before was given.
    fn position(&self) -> Position;
}

/// Entries in one answer of [`Tail::next`]. At 1 MiB a record that would be 1 GiB, so implementations also end a page
/// after 4 MiB of records.
pub const PAGE: usize = 1024;

/// Bytes after which a page ends, once it holds an entry.
pub const PAGE_BYTES: usize = 4 * 1024 * 1024;

/// Checks what every implementation must check of an append. `overhead` is what each record costs beside its own bytes.
pub(crate) fn refusal(genesis: Genesis, limits: Limits, partition: u16, records: &[Record]) -> Result<usize, Refusal> {
    let count = genesis.count;
    if partition >= count {
        return Err(Refusal::NoSuchPartition { partition, count });
    }
    if records.is_empty() {
        return Err(Refusal::Empty);
    }
    for (index, record) in records.iter().enumerate() {
        let expected = record.header.body.map_or(0, |digest| digest.len as usize);
        // An empty body beside a digest is a dropped one, which replication and migration carry on.
        if !record.body.is_empty() && record.body.len() != expected {
            return Err(Refusal::Body { index, found: record.body.len(), expected });
        }
    }
    let bytes = records.iter().map(|record| record.len() + limits.overhead).sum();
    if records.len() > limits.records || bytes > limits.bytes {
        let (max_records, max_bytes) = (limits.records, limits.bytes);
        return Err(Refusal::TooLarge { records: records.len(), bytes, max_records, max_bytes });
    }
    Ok(bytes)
}

/// What one append may hold.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// Records a call.
    pub records: usize,
    /// Bytes a call.
    pub bytes: usize,
    /// Bytes a record costs beside header and body.
    pub overhead: usize,
}

impl Limits {
    /// 256 records and 4 MiB: four of the largest records, and what one group commit holds.
    pub const DEFAULT: Self = Self { records: 256, bytes: 4 * 1024 * 1024, overhead: 32 };
}

/// Takes entries from an iterator until a page is full.
pub(crate) fn page<'a>(entries: impl Iterator<Item = &'a Arc<Entry>>) -> Vec<Arc<Entry>> {
    let mut page = Vec::new();
    let mut bytes = 0;
    for entry in entries.take(PAGE) {
        bytes += entry.record.len();
        if bytes > PAGE_BYTES && !page.is_empty() {
            break;
        }
        page.push(Arc::clone(entry));
    }
    page
}
