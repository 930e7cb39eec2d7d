//! The writer: one thread, one batch at a time: drain, write, sync, show, answer.

#![expect(clippy::disallowed_methods, reason = "the writer is a thread of its own, it may sleep")]

use std::sync::Arc;
use std::time::Duration;

use super::super::error::{JournalError, Refusal};
use super::super::seam::{Answer, Appended, Entry};
use super::active::{Active, Batch};
use super::format::BatchKind;
use super::options::{Durability, Options};
use super::prepare::Preparer;
use super::queue::{Job, Work};
use super::shared::Shared;
use super::stats::BatchStats;
use crate::domain::record::Position;
use crate::runtime::Clock;

/// Batches of more records than this are followed by a linger: under load waiting pays, alone it only delays.
const BUSY: usize = 4;

/// The one that writes.
pub struct Writer {
    shared: Arc<Shared>,
    active: Active,
    preparer: Preparer,
    options: Options,
    clock: Arc<dyn Clock>,
    batch: Batch,
    /// Something was written since the last clean-close marker.
    dirty: bool,
}

/// Who waits for an append, and for which positions.
type Waiting = (Answer, Position, Position);

/// However the thread ends, nobody waits for it in vain.
struct LastWord(Arc<Shared>);

impl Drop for LastWord {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.fail("the journal's writer has panicked");
        }
        self.0.queue.shut(Refusal::Closed);
        self.0.end_all();
    }
}

/// What stands before the write of a batch failed, what after.
enum Failed {
    /// Not a byte of the batch was written.
    Before(JournalError),
    /// Some bytes may have been.
    Perhaps(JournalError),
}

impl Writer {
    /// Ready to go on where `active` ends. `dirty` unless the journal ends with a clean-close marker.
    pub fn new(
        shared: Arc<Shared>,
        active: Active,
        preparer: Preparer,
        options: Options,
        clock: Arc<dyn Clock>,
        dirty: bool,
    ) -> Self {
        Self { shared, active, preparer, options, clock, batch: Batch::default(), dirty }
    }

    /// Works until the queue is closed, abandoned, or the latch falls.
    pub fn run(mut self) {
        let _last_word = LastWord(Arc::clone(&self.shared));
        let mut busy = false;
        loop {
            let linger = (busy && !self.options.linger.is_zero()).then_some(self.options.linger);
            match self.shared.queue.take(self.options.limits(), linger) {
                Work::Write(jobs) => {
                    busy = jobs.iter().map(|job| job.records.len()).sum::<usize>() > BUSY;
                    if !self.commit(jobs) {
                        return;
                    }
                }
                Work::Close => {
                    if let Err(error) = self.mark() {
                        self.shared.fail(&error.to_string());
                    }
                    return;
                }
                Work::Abandon => return,
            }
        }
    }

    /// Commits a batch and answers it. Says whether to go on.
    fn commit(&mut self, jobs: Vec<Job>) -> bool {
        if let Err(error) = self.make_room(jobs.iter().map(|job| job.bytes).sum()) {
            return self.give_up(answers(jobs), &Failed::Before(error));
        }
        let (entries, mut waiting) = self.encode(jobs);
        if self.hold_back().is_some() {
            self.shared.publish(&entries);
            waiting.drain(..).for_each(answer_durable);
            std::thread::sleep(self.hold_back().unwrap_or_default());
        }
        match self.write(BatchKind::Records) {
            Ok(stats) => {
                self.finish(&entries, waiting, &stats);
                true
            }
            Err(failed) => self.give_up(waiting.into_iter().map(|(answer, ..)| answer).collect(), &failed),
        }
    }

    /// How long a mutant holds a batch back after acknowledging it. Always `None` in an honest build.
    fn hold_back(&self) -> Option<Duration> {
        match self.options.durability {
            Durability::Synced => None,
            #[cfg(feature = "mutants")]
            Durability::AckBeforeSync(hold) => Some(hold),
        }
    }

    /// Goes over to the next segment if a batch of so many bytes does not fit.
    fn make_room(&mut self, bytes: usize) -> Result<(), JournalError> {
        if self.active.fits(bytes) {
            return Ok(());
        }
        let fresh = self.preparer.take()?;
        let size = self.options.segment_bytes;
        self.active.roll(self.shared.genesis, fresh, size, &*self.options.medium)?;
        self.shared.catalog.roll(&self.active);
        self.preparer.ask();
        Ok(())
    }

    /// Gives out positions and puts everything into the batch buffer.
    fn encode(&mut self, jobs: Vec<Job>) -> (Vec<Arc<Entry>>, Vec<Waiting>) {
        self.batch.clear();
        let mut entries = Vec::with_capacity(jobs.iter().map(|job| job.records.len()).sum());
        let mut waiting = Vec::with_capacity(jobs.len());
        for job in jobs {
            let partition = job.partition;
            let end = &mut self.active.ends[usize::from(partition)];
            let first = Position(*end);
            for record in job.records {
                let position = Position(*end);
                *end += 1;
                self.batch.put(partition, position, &record);
                entries.push(Arc::new(Entry { partition, position, record }));
            }
            // At least one record: an append without any was refused.
            waiting.push((job.answer, first, Position(*end - 1)));
        }
        (entries, waiting)
    }

    /// Writes the batch buffer and syncs it.
    fn write(&mut self, kind: BatchKind) -> Result<BatchStats, Failed> {
        let medium = &*self.options.medium;
        let begun = self.clock.steady();
        self.active.write(&mut self.batch, kind, medium).map_err(Failed::Perhaps)?;
        let written = self.clock.steady();
        self.active.sync(medium).map_err(Failed::Perhaps)?;
        let synced = self.clock.steady();
        Ok(BatchStats {
            records: self.batch.offsets.len(),
            bytes: self.batch.bytes.len(),
            write_micros: micros(written.saturating_sub(begun)),
            sync_micros: micros(synced.saturating_sub(written)),
        })
    }

    /// The batch is durable: show it, answer it, count it.
    fn finish(&mut self, entries: &[Arc<Entry>], waiting: Vec<Waiting>, stats: &BatchStats) {
        let begin = self.active.offset;
        let offsets = self.batch.offsets.iter().map(|&offset| begin + u64::from(offset));
        self.shared.catalog.extend(entries.iter().map(|entry| entry.partition).zip(offsets));
        if self.hold_back().is_none() {
            self.shared.publish(entries);
        }
        waiting.into_iter().for_each(answer_durable);
        // The segment's digest goes on after the answers: nobody waits for it.
        self.active.advance(&self.batch);
        self.dirty = true;
        self.shared.counters.count(stats);
        if let Some(observer) = &self.options.observer {
            observer(stats);
        }
    }

    /// The latch falls. What may have been written is doubtful, everything else refused.
    fn give_up(&self, waiting: Vec<Answer>, failed: &Failed) -> bool {
        let (why, answer) = match failed {
            Failed::Before(error) => (error.to_string(), Appended::Refused(Refusal::Failed(error.to_string()))),
            Failed::Perhaps(error) => (error.to_string(), Appended::Doubtful),
        };
        self.shared.fail(&why);
        waiting.into_iter().for_each(|waiting| waiting.give(answer.clone()));
        false
    }

    /// Leaves the clean-close marker, unless the journal ends with one.
    fn mark(&mut self) -> Result<(), JournalError> {
        if !self.dirty {
            return Ok(());
        }
        self.make_room(0)?;
        self.batch.clear();
        match self.write(BatchKind::Closed) {
            Ok(_) => Ok(()),
            Err(Failed::Before(error) | Failed::Perhaps(error)) => Err(error),
        }
    }
}

fn answers(jobs: Vec<Job>) -> Vec<Answer> {
    jobs.into_iter().map(|job| job.answer).collect()
}

fn answer_durable((answer, first, last): Waiting) {
    answer.give(Appended::Durable { first, last });
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
