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
    late: Vec<Late>,
}

/// A copy on its way: lands after so many appends, or only on demand.
struct Late {
    after: Option<u64>,
    partition: u16,
    records: Vec<Record>,
}

impl State {
    fn land(&mut self, partition: u16, records: Vec<Record>) -> Option<(Position, Position)> {
        let log = self.partitions.get_mut(usize::from(partition))?;
        let first = log.len() as u64;
        for record in records {
            let position = Position(log.len() as u64);
            log.push(Arc::new(Entry { partition, position, record }));
        }
        Some((Position(first), Position((log.len() as u64).checked_sub(1)?)))
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
    pub(super) fn new(genesis: Genesis) -> Self {
        let mut state = State { partitions: vec![Vec::new(); usize::from(genesis.count)], late: Vec::new() };
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
        self.state.lock().partitions.get(usize::from(partition)).map_or(0, |log| log.len() as u64)
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
        let skip = usize::try_from(from).unwrap_or(usize::MAX);
        let count = usize::try_from(end.saturating_sub(from)).unwrap_or(usize::MAX);
        page(log.iter().skip(skip).take(count))
    }

    pub(super) fn read(&self, partition: u16, at: Position) -> Result<Arc<Entry>, JournalError> {
        let state = self.state.lock();
        let count = self.genesis.count;
        let log =
            state.partitions.get(usize::from(partition)).ok_or(JournalError::NoSuchPartition { partition, count })?;
        let end = Position(log.len() as u64);
        let found = usize::try_from(at.0).ok().and_then(|at| log.get(at));
        found.cloned().ok_or(JournalError::Missing { partition, position: at, end })
    }
}
