//! The embedded journal's handle.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;

use parking_lot::Mutex;

use super::super::error::{JournalError, Refusal};
use super::super::genesis::Genesis;
use super::super::seam::{Appended, Appending, Entry, Journal, Limits, Tail, refusal};
use super::folder::segments_dir;
use super::lock::Lock;
use super::options::Options;
use super::prepare::Preparer;
use super::queue::{Job, Queue};
use super::recent::Recent;
use super::recover::{OpenReport, recover};
use super::shared::Shared;
use super::stats::JournalStats;
use super::tail::{SegmentTail, read};
use super::writer::Writer;
use crate::domain::record::{Micros, Position, Record};
use crate::runtime::{BoxFuture, Clock};

/// A journal in a data folder. Tails and reads need a tokio runtime around them; appends do not.
///
/// Dropping it without [`Journal::close`] ends it as a crash would, and waits for the batch that is being written.
pub struct EmbeddedJournal {
    shared: Arc<Shared>,
    limits: Limits,
    running: Arc<Mutex<Running>>,
}

/// What lives as long as the journal is open. The lock is let go only after the writer has ended.
struct Running {
    writer: Option<JoinHandle<()>>,
    lock: Option<Lock>,
}

impl Running {
    /// Waits for the writer, then lets the folder go.
    fn end(&mut self) {
        if let Some(writer) = self.writer.take() {
            // A panic of it has let the latch fall already.
            drop(writer.join());
        }
        self.lock = None;
    }
}

impl EmbeddedJournal {
    /// Makes a new journal in `dir` (see [`Genesis::new`]); `at` is the wall time its genesis records name.
    ///
    /// # Errors
    /// [`JournalError::AlreadyInitialised`], [`JournalError::Locked`], [`JournalError::Options`], [`JournalError::Io`].
    pub fn init(dir: &Path, genesis: Genesis, at: Micros, options: &Options) -> Result<(), JournalError> {
        super::init::init(dir, genesis, at, options)
    }

    /// Opens the journal in `dir`, checks it, cuts off a torn end (see the report), and starts the writer. Blocks while
    /// it reads the last segments.
    ///
    /// # Errors
    /// [`JournalError::Corrupt`], [`JournalError::Foreign`], [`JournalError::Version`], [`JournalError::NotInitialised`],
    /// [`JournalError::Locked`], [`JournalError::Options`], [`JournalError::Io`].
    pub fn open(dir: &Path, options: Options, clock: Arc<dyn Clock>) -> Result<(Self, OpenReport), JournalError> {
        let lock = if segments_dir(dir).is_dir() { Some(Lock::take(dir)?) } else { None };
        let found = recover(dir, &options)?;
        let ends = &found.active.ends;
        let queue = Queue::new(options.queue_events, options.queue_bytes);
        let recent = Recent::new(ends, options.tail_memory);
        let shared = Arc::new(Shared::new(found.genesis, ends, queue, recent, found.catalog));
        let noted = Arc::clone(&shared);
        let note = move |error| noted.counters.next_segment(error);
        let medium = Arc::clone(&options.medium);
        let preparer = Preparer::start(segments_dir(dir), options.segment_bytes, medium, note)?;
        let limits = options.limits();
        let writer = Writer::new(Arc::clone(&shared), found.active, preparer, options, clock, !found.report.clean);
        let thread = std::thread::Builder::new()
            .name("journal-writer".to_owned())
            .spawn(move || writer.run())
            .map_err(|error| JournalError::io("start a thread for", dir, &error))?;
        let running = Arc::new(Mutex::new(Running { writer: Some(thread), lock }));
        Ok((Self { shared, limits, running }, found.report))
    }

    /// Figures since it was opened.
    #[must_use]
    pub fn stats(&self) -> JournalStats {
        let (queue_records, queue_bytes) = self.shared.queue.depth();
        let segments = self.shared.catalog.count();
        JournalStats { queue_records, queue_bytes, segments, ..self.shared.counters.snapshot() }
    }

    async fn finish(&self) -> Result<(), JournalError> {
        self.shared.queue.close();
        let running = Arc::clone(&self.running);
        let ended = tokio::task::spawn_blocking(move || running.lock().end()).await;
        ended.map_err(|error| JournalError::Failed(format!("closing was interrupted: {error}")))?;
        self.shared.failed().map_or(Ok(()), |why| Err(JournalError::Failed(why)))
    }
}

impl Journal for EmbeddedJournal {
    fn genesis(&self) -> Genesis {
        self.shared.genesis
    }

    fn append(&self, partition: u16, records: Vec<Record>) -> Appending {
        match refusal(self.shared.genesis, self.limits, partition, &records) {
            Ok(bytes) => {
                let (answer, appending) = Appending::pair();
                self.shared.queue.push(Job { partition, records, bytes, answer });
                appending
            }
            Err(refusal) => Appending::answered(Appended::Refused(refusal)),
        }
    }

    fn tail(&self, partition: u16, from: Position) -> Box<dyn Tail> {
        Box::new(SegmentTail::new(Arc::clone(&self.shared), partition, from))
    }

    fn read(&self, partition: u16, at: Position) -> BoxFuture<'_, Result<Arc<Entry>, JournalError>> {
        Box::pin(read(Arc::clone(&self.shared), partition, at))
    }

    fn end(&self, partition: u16) -> Position {
        self.shared.end(partition).unwrap_or_default()
    }

    fn fresh_end(&self, partition: u16) -> BoxFuture<'_, Result<Position, JournalError>> {
        // Nobody else appends here.
        Box::pin(std::future::ready(Ok(self.end(partition))))
    }

    fn distance(&self, _: u16, from: Position, to: Position) -> u64 {
        to.0.saturating_sub(from.0)
    }

    fn adjoins(&self, _: u16, before: Position, after: Position) -> bool {
        after == before.next()
    }

    fn failed(&self) -> Option<String> {
        self.shared.failed()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), JournalError>> {
        Box::pin(self.finish())
    }
}

impl Drop for EmbeddedJournal {
    fn drop(&mut self) {
        // What waits was not written, and now never will be.
        self.shared.queue.shut(Refusal::Closed);
        self.running.lock().end();
    }
}
