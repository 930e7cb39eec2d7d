//! What the handle, its tails and the writer share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::super::error::{JournalError, Refusal};
use super::super::genesis::Genesis;
use super::super::seam::Entry;
use super::catalog::Catalog;
use super::queue::Queue;
use super::recent::Recent;
use super::stats::Counters;
use crate::domain::record::Position;

/// Shared state of one open journal.
pub struct Shared {
    /// What this journal is.
    pub genesis: Genesis,
    /// Appends that wait.
    pub queue: Queue,
    /// Entries in memory.
    pub recent: Mutex<Recent>,
    /// Segments on disk.
    pub catalog: Catalog,
    /// Figures.
    pub counters: Counters,
    ends: Vec<AtomicU64>,
    wakers: Vec<Notify>,
    latch: Mutex<Option<String>>,
    /// The writer has ended: nothing more will come.
    ended: AtomicBool,
}

impl Shared {
    /// A journal that ends at these positions.
    pub fn new(genesis: Genesis, ends: &[u64], queue: Queue, recent: Recent, catalog: Catalog) -> Self {
        Self {
            genesis,
            queue,
            recent: Mutex::new(recent),
            catalog,
            counters: Counters::default(),
            ends: ends.iter().map(|&end| AtomicU64::new(end)).collect(),
            wakers: ends.iter().map(|_| Notify::new()).collect(),
            latch: Mutex::new(None),
            ended: AtomicBool::new(false),
        }
    }

    /// Position of the next record of a partition that exists.
    pub fn end(&self, partition: u16) -> Option<Position> {
        self.ends.get(usize::from(partition)).map(|end| Position(end.load(Ordering::Acquire)))
    }

    /// Wakes those who wait for this partition.
    pub fn waker(&self, partition: u16) -> Option<&Notify> {
        self.wakers.get(usize::from(partition))
    }

    /// Shows durable entries to readers. The index on disk must know them already.
    pub fn publish(&self, entries: &[Arc<Entry>]) {
        let mut recent = self.recent.lock();
        entries.iter().for_each(|entry| recent.push(Arc::clone(entry)));
        drop(recent);
        for entry in entries {
            self.ends[usize::from(entry.partition)].store(entry.position.0 + 1, Ordering::Release);
        }
        let mut woken = None;
        for entry in entries.iter().filter(|entry| woken.replace(entry.partition) != Some(entry.partition)) {
            self.wakers[usize::from(entry.partition)].notify_waiters();
        }
    }

    /// Lets the latch fall: the first reason stays, and everything that waits is refused.
    pub fn fail(&self, why: &str) {
        let why = self.latch.lock().get_or_insert_with(|| why.to_owned()).clone();
        self.queue.shut(Refusal::Failed(why));
    }

    /// Why the latch fell.
    pub fn failed(&self) -> Option<String> {
        self.latch.lock().clone()
    }

    /// The writer has ended.
    pub fn end_all(&self) {
        self.ended.store(true, Ordering::Release);
        self.wakers.iter().for_each(Notify::notify_waiters);
    }

    /// Why nothing more will come, if nothing will.
    pub fn ended(&self) -> Option<JournalError> {
        let ended = self.ended.load(Ordering::Acquire);
        ended.then(|| self.failed().map_or(JournalError::Closed, JournalError::Failed))
    }
}
