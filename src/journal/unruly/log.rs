//! The log that several nodes share: partitions in memory, and copies that have not landed yet.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::super::error::JournalError;
use super::super::genesis::Genesis;
use super::super::seam::{Entry, page};
use super::script::When;
use crate::domain::record::{Position, Record};

/// What really stands in the log.
pub(super) struct Log {
    pub(super) genesis: Genesis,
    state: Mutex<State>,
    wakers: Vec<Notify>,
}

struct State {
    partitions: Vec<Vec<Arc<Entry>>>,
    /// What an append's first position is a multiple of: 1 where positions are dense.
    stride: u64,
    late: Vec<Late>,
}

/// A copy on its way: lands after so many appends, or only on demand.
struct Late {
    after: Option<u64>,
    partition: u16,
    records: Vec<Record>,
}

/// One more than the last position.
fn after(log: &[Arc<Entry>]) -> u64 {
    log.last().map_or(0, |last| last.position.0 + 1)
}

/// The number of entries before a position.
fn before(log: &[Arc<Entry>], position: u64) -> usize {
    log.partition_point(|entry| entry.position.0 < position)
}

impl State {
    fn land(&mut self, partition: u16, records: Vec<Record>) -> Option<(Position, Position)> {
        let log = self.partitions.get_mut(usize::from(partition))?;
        let first = after(log).next_multiple_of(self.stride);
        for (position, record) in (first..).map(Position).zip(records) {
            log.push(Arc::new(Entry { partition, position, record }));
        }
        Some((Position(first), log.last()?.position))
    }

    /// Counts one append, and takes out what has waited long enough.
    fn tick(&mut self) -> Vec<Late> {
        for late in &mut self.late {
            late.after = late.after.map(|n| n.saturating_sub(1));
        }
        let (due, waiting) = std::mem::take(&mut self.late).into_iter().partition(|late| late.after == Some(0));
        self.late = waiting;
        due
    }

    /// Lands these; says which partitions grew.
    fn land_each(&mut self, due: Vec<Late>) -> Vec<u16> {
        due.into_iter().filter_map(|late| self.land(late.partition, late.records).map(|_| late.partition)).collect()
    }
}

impl Log {
    pub(super) fn new(genesis: Genesis, stride: u64) -> Self {
        let partitions = vec![Vec::new(); usize::from(genesis.count)];
        let mut state = State { partitions, stride, late: Vec::new() };
        for partition in 0..genesis.count {
            let record = genesis.record(partition, 0).expect("a genesis header is small and encodes");
            state.land(partition, vec![record]);
        }
        let wakers = (0..genesis.count).map(|_| Notify::new()).collect();
        Self { genesis, state: Mutex::new(state), wakers }
    }

    /// Lands `overtaking`, then the copies that land now; keeps the others; then what is due by now. Where the first
    /// copy stands, if one landed.
    pub(super) fn append(
        &self,
        partition: u16,
        records: Vec<Record>,
        overtaking: Vec<Record>,
        copies: &[When],
    ) -> Option<(Position, Position)> {
        let mut state = self.state.lock();
        if !overtaking.is_empty() {
            state.land(partition, overtaking);
        }
        let due = state.tick();
        let mut stands = None;
        for when in copies {
            let after = match when {
                When::Now | When::After(0) => {
                    let landed = state.land(partition, records.clone());
                    stands = stands.or(landed);
                    continue;
                }
                When::After(n) => Some(*n),
                When::Held => None,
            };
            state.late.push(Late { after, partition, records: records.clone() });
        }
        let mut grown = state.land_each(due);
        drop(state);
        grown.push(partition);
        grown.into_iter().for_each(|partition| self.wake(partition));
        stands
    }

    pub(super) fn land_all(&self) -> usize {
        let mut state = self.state.lock();
        let due = std::mem::take(&mut state.late);
        let grown = state.land_each(due);
        drop(state);
        grown.iter().for_each(|&partition| self.wake(partition));
        grown.len()
    }

    pub(super) fn wake(&self, partition: u16) {
        if let Some(waker) = self.wakers.get(usize::from(partition)) {
            waker.notify_waiters();
        }
    }

    pub(super) fn wake_all(&self) {
        self.wakers.iter().for_each(Notify::notify_waiters);
    }

    pub(super) fn waker(&self, partition: u16) -> Option<&Notify> {
        self.wakers.get(usize::from(partition))
    }

    pub(super) fn end(&self, partition: u16) -> u64 {
        self.state.lock().partitions.get(usize::from(partition)).map_or(0, |log| after(log))
    }

    pub(super) fn distance(&self, partition: u16, from: Position, to: Position) -> u64 {
        let state = self.state.lock();
        let log = state.partitions.get(usize::from(partition)).map(Vec::as_slice).unwrap_or_default();
        before(log, to.0).saturating_sub(before(log, from.0)) as u64
    }

    /// How far somebody sees who sees `entries` more than before `end`.
    pub(super) fn beyond(&self, partition: u16, end: u64, entries: u64) -> u64 {
        let state = self.state.lock();
        let log = state.partitions.get(usize::from(partition)).map(Vec::as_slice).unwrap_or_default();
        let more = before(log, end) + usize::try_from(entries).unwrap_or(usize::MAX);
        more.checked_sub(1).and_then(|last| log.get(last)).map_or(end + entries, |last| last.position.0 + 1)
    }

    pub(super) fn contents(&self, partition: u16) -> Vec<Arc<Entry>> {
        self.state.lock().partitions.get(usize::from(partition)).cloned().unwrap_or_default()
    }

    /// A page from `from` on, no further than `end`.
    pub(super) fn page(&self, partition: u16, from: u64, end: u64) -> Vec<Arc<Entry>> {
        let state = self.state.lock();
        let Some(log) = state.partitions.get(usize::from(partition)) else {
            return Vec::new();
        };
        page(log[before(log, from)..].iter().take_while(|entry| entry.position.0 < end))
    }

    pub(super) fn read(&self, partition: u16, at: Position) -> Result<Arc<Entry>, JournalError> {
        let state = self.state.lock();
        let count = self.genesis.count;
        let log =
            state.partitions.get(usize::from(partition)).ok_or(JournalError::NoSuchPartition { partition, count })?;
        let end = Position(after(log));
        let found = log.get(before(log, at.0)).filter(|entry| entry.position == at);
        found.cloned().ok_or(JournalError::Missing { partition, position: at, end })
    }
}
