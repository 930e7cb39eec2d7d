//! The one thread that commits: in order, off the async runtime.

#![expect(clippy::disallowed_methods, reason = "the writer is a thread of its own, it may sleep")]

use std::collections::HashMap;
use std::time::Duration;

use fjall::OwnedWriteBatch;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::super::error::StoreError;
use super::super::seam::DropBelow;
use super::engine::{DROP_STEP, Engine, Fault, Mark, REMOVED};
use super::store::Shared;
use crate::domain::record::Position;

/// Commits that may wait: one for each partition of a default installation. Who finds no place, waits.
pub(super) const QUEUE: usize = 64;

/// How long the writer waits between two looks at an engine that lags; there is nothing to be woken by.
const LAG: Duration = Duration::from_millis(5);

/// What the writer is told.
pub(super) enum Mail {
    /// Commit this.
    Commit(Job),
    /// Finish what came before, and end.
    Close,
}

/// A commit on its way.
pub(super) struct Job {
    pub(super) batch: OwnedWriteBatch,
    /// What the batch adds to the memtable.
    pub(super) bytes: u64,
    pub(super) drops: Vec<DropBelow>,
    pub(super) mark: Mark,
    pub(super) answer: oneshot::Sender<Result<(), StoreError>>,
    /// Its place in the queue, free again once it is answered.
    pub(super) place: OwnedSemaphorePermit,
}

/// Takes commits until it is told to close, or its handle is gone.
pub(super) fn run(shared: &Shared, mut queue: mpsc::UnboundedReceiver<Mail>, memtable: u64) {
    let mut writer = Writer { marks: HashMap::new(), filled: 0, memtable };
    while let Some(Mail::Commit(job)) = queue.blocking_recv() {
        let Job { batch, bytes, drops, mark, answer, place } = job;
        let result = shared.write(|engine| writer.commit(engine, batch, bytes, &drops, mark));
        // Nobody waits any more where the commit's future was dropped.
        let _ = answer.send(result);
        drop(place);
    }
}

struct Writer {
    /// Up to where partitions are applied, as far as they were written to since the start.
    marks: HashMap<u16, Position>,
    /// Bytes put into the memtable since it was last turned. After a start it may hold as much again from the log.
    filled: u64,
    /// Bytes at which it is turned.
    memtable: u64,
}

impl Writer {
    fn commit(
        &mut self,
        engine: &Engine,
        batch: OwnedWriteBatch,
        bytes: u64,
        drops: &[DropBelow],
        mark: Mark,
    ) -> Result<(), Fault> {
        self.check(engine, mark)?;
        self.make_room(engine)?;
        let (removed, rest) = engine.commit(batch, drops, mark)?;
        self.marks.insert(mark.partition, mark.through);
        self.filled += bytes + removed as u64 * REMOVED;
        for drop in rest {
            let mut removed = DROP_STEP;
            while removed == DROP_STEP {
                self.make_room(engine)?;
                removed = engine.drop_on(drop)?;
                self.filled += removed as u64 * REMOVED;
            }
        }
        Ok(())
    }

    fn check(&mut self, engine: &Engine, mark: Mark) -> Result<(), Fault> {
        let Mark { partition, through } = mark;
        let applied = match self.marks.get(&partition) {
            Some(applied) => Some(*applied),
            None => engine.applied(partition)?,
        };
        match applied {
            Some(applied) if through < applied => Err(StoreError::Backwards { partition, applied, through }.into()),
            _ => Ok(()),
        }
    }

    /// Turns the memtable if it is full.
    fn make_room(&mut self, engine: &Engine) -> Result<(), Fault> {
        if self.filled < self.memtable {
            return Ok(());
        }
        while engine.lags() {
            engine.alive()?;
            std::thread::sleep(LAG);
        }
        engine.turn()?;
        self.filled = 0;
        Ok(())
    }
}
