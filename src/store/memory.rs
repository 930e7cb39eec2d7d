//! The double: the same promises on a sorted map, and faults on demand.
//!
//! It is stricter than the real thing where that finds mistakes: with debug assertions on, a row that is written with a
//! lower position than it has panics, because that means the caller has lost its order. It can be far away, and out of reach.

use std::collections::{BTreeMap, HashMap};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use crate::cql::CqlError;
use crate::domain::record::Position;
use crate::domain::table::{KeyPart, RowKey, Table};
use crate::runtime::BoxFuture;

use super::error::StoreError;
use super::key;
use super::seam::{Commit, MAX_SCAN, Row, Scan, Store};

/// Rows in memory. Dropping it loses them; [`MemoryStore::snapshot`] is what a crash leaves.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
    held: watch::Sender<bool>,
    far: bool,
}

#[derive(Debug, Clone, Default)]
struct State {
    rows: BTreeMap<Vec<u8>, (Position, Vec<u8>)>,
    applied: HashMap<u16, Position>,
    commits: u64,
    fail_next: Option<String>,
    failed: Option<String>,
    closed: bool,
    away: bool,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self { state: Mutex::default(), held: watch::Sender::new(false), far: false }
    }

    /// An empty store that says of itself that it is over the network.
    #[must_use]
    pub fn far() -> Self {
        Self { far: true, ..Self::new() }
    }

    /// The next commit fails with this reason, changes nothing, and latches as in the real thing.
    pub fn fail_next_commit(&self, why: &str) {
        self.state.lock().fail_next = Some(why.to_owned());
    }

    /// Undoes the latch, as opening anew would.
    pub fn heal(&self) {
        let mut state = self.state.lock();
        state.failed = None;
        state.fail_next = None;
    }

    /// Commits wait until [`MemoryStore::release_commits`]: a slow disk, without a clock.
    pub fn hold_commits(&self) {
        self.held.send_replace(true);
    }

    /// Lets held commits go on.
    pub fn release_commits(&self) {
        self.held.send_replace(false);
    }

    /// Nobody reaches it: reads fail as those of a database do, without the wait, and commits wait. Or it is reached again.
    pub fn be_away(&self, away: bool) {
        self.state.lock().away = away;
        self.held.send_replace(away);
    }

    /// How many commits were applied.
    #[must_use]
    pub fn commits(&self) -> u64 {
        self.state.lock().commits
    }

    /// How many rows there are.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.state.lock().rows.len()
    }

    /// The rows and marks as they are now, open, without faults: what is found again if everything after is lost.
    #[must_use]
    pub fn snapshot(&self) -> Self {
        let mut state = self.state.lock().clone();
        state.fail_next = None;
        state.failed = None;
        state.closed = false;
        state.away = false;
        Self { state: Mutex::new(state), held: watch::Sender::new(false), far: self.far }
    }

    fn read<T>(&self, read: impl FnOnce(&State) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let state = self.state.lock();
        if state.closed {
            return Err(StoreError::Closed);
        }
        if state.away {
            let [nodes, doing, why] = ["memory", "read", "it is away"].map(str::to_owned);
            return Err(CqlError::Silent { nodes, doing, why }.into());
        }
        read(&state)
    }
}

impl State {
    fn commit(&mut self, commit: Commit) -> Result<(), StoreError> {
        if self.closed {
            return Err(StoreError::Closed);
        }
        if let Some(why) = &self.failed {
            return Err(StoreError::Failed(why.clone()));
        }
        key::check(&commit)?;
        if let Some(applied) = self.applied.get(&commit.partition).copied().filter(|mark| commit.through < *mark) {
            return Err(StoreError::Backwards { partition: commit.partition, applied, through: commit.through });
        }
        if let Some(why) = self.fail_next.take() {
            self.failed = Some(why.clone());
            return Err(StoreError::Failed(why));
        }
        self.apply(commit)
    }

    fn apply(&mut self, commit: Commit) -> Result<(), StoreError> {
        for put in commit.puts {
            let key = key::encode(&put.key)?;
            let older = self.rows.get(&key).is_some_and(|(at, _)| put.at < *at);
            assert!(!older, "row {:?} goes back to {:?}: positions never shrink", put.key, put.at);
            if !older {
                self.rows.insert(key, (put.at, put.value));
            }
        }
        for drop in commit.drops {
            let from = key::prefix(drop.table, &drop.pk)?;
            let to = key::encode_parts(drop.table, &drop.pk, &drop.ck)?;
            self.rows.extract_if(from..to, |_, _| true).for_each(std::mem::drop);
        }
        self.applied.insert(commit.partition, commit.through);
        self.commits += 1;
        Ok(())
    }

    fn get(&self, key: &RowKey) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.rows.get(&key::encode(key)?).map(|(_, value)| value.clone()))
    }

    fn scan(&self, scan: &Scan) -> Result<Vec<Row>, StoreError> {
        let (lower, upper, skip) = key::range(scan)?;
        if key::is_empty(&lower, &upper) {
            return Ok(Vec::new());
        }
        let found = self.rows.range((lower, upper));
        let row = |(key, (_, value)): (&Vec<u8>, &(Position, Vec<u8>))| (KeyPart::from(&key[skip..]), value.clone());
        Ok(if scan.reverse {
            found.rev().take(scan.limit).map(row).collect()
        } else {
            found.take(scan.limit).map(row).collect()
        })
    }

    fn digest(&self, tables: &[Table]) -> [u8; 32] {
        let mut hash = Sha256::new();
        let listed =
            |key: &[u8]| key.first().is_some_and(|number| tables.iter().any(|table| table.number() == *number));
        for (key, (_, value)) in self.rows.iter().filter(|(key, _)| listed(key)) {
            key::digest_row(&mut hash, key, value);
        }
        hash.finalize().into()
    }
}

impl Store for MemoryStore {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            let mut held = self.held.subscribe();
            // The sender lives in `self`, so waiting ends only by a release.
            let released = held.wait_for(|held| !held).await.map(|_| ());
            released.map_err(|_| StoreError::Closed)?;
            self.state.lock().commit(commit)
        })
    }

    fn is_far(&self) -> bool {
        self.far
    }

    fn applied(&self, partition: u16) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        Box::pin(async move { self.read(|state| Ok(state.applied.get(&partition).copied())) })
    }

    fn get<'a>(&'a self, key: &'a RowKey) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        Box::pin(async move { self.read(|state| state.get(key)) })
    }

    fn get_many<'a>(&'a self, keys: &'a [RowKey]) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StoreError>> {
        Box::pin(async move {
            key::limit(|| "the number of keys read at once".to_owned(), keys.len(), MAX_SCAN)?;
            self.read(|state| keys.iter().map(|key| state.get(key)).collect())
        })
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        Box::pin(async move { self.read(|state| state.scan(&scan)) })
    }

    fn digest<'a>(&'a self, tables: &'a [Table]) -> BoxFuture<'a, Result<[u8; 32], StoreError>> {
        Box::pin(async move { self.read(|state| Ok(state.digest(tables))) })
    }

    fn failed(&self) -> Option<String> {
        self.state.lock().failed.clone()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.state.lock().closed = true;
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::contract::{self, commit};
    use super::*;

    fn key() -> RowKey {
        RowKey::single(Table::Message, [1; 16])
    }

    #[tokio::test]
    async fn it_keeps_the_contract() {
        contract::run(async || Arc::new(MemoryStore::new()) as Arc<dyn Store>).await;
    }

    #[tokio::test]
    async fn a_failed_commit_changes_nothing_and_latches() {
        let store = MemoryStore::new();
        store.fail_next_commit("disk full");
        assert!(store.commit(commit(1, &[(key(), b"x")])).await.is_err());
        assert_eq!(store.failed().as_deref(), Some("disk full"));
        assert!(matches!(store.commit(commit(1, &[])).await, Err(StoreError::Failed(_))), "latched");
        assert_eq!((store.get(&key()).await, store.applied(0).await), (Ok(None), Ok(None)), "still readable");
        store.heal();
        store.commit(commit(1, &[(key(), b"x")])).await.expect("healed");
    }

    #[tokio::test]
    async fn held_commits_wait_and_reads_do_not() {
        let store = MemoryStore::new();
        store.hold_commits();
        let (wanted, mut held) = (key(), store.commit(commit(1, &[(key(), b"x")])));
        tokio::select! {
            biased;
            _ = &mut held => panic!("a held commit went on"),
            read = store.get(&wanted) => assert_eq!(read, Ok(None)),
        }
        store.release_commits();
        held.await.expect("commits");
        assert_eq!(store.commits(), 1);
    }

    #[tokio::test]
    async fn a_snapshot_is_what_a_crash_leaves() {
        let store = MemoryStore::new();
        store.commit(commit(1, &[(key(), b"one")])).await.expect("commit");
        let left = store.snapshot();
        store.commit(commit(2, &[(key(), b"two")])).await.expect("commit");
        assert_eq!(left.get(&key()).await, Ok(Some(b"one".to_vec())));
        assert_eq!(left.applied(0).await, Ok(Some(Position(1))));
    }

    #[tokio::test]
    #[should_panic(expected = "positions never shrink")]
    async fn a_row_that_goes_back_is_a_defect_of_the_caller() {
        let store = MemoryStore::new();
        store.commit(commit(5, &[(key(), b"five")])).await.expect("commit");
        let mut older = commit(6, &[(key(), b"four")]);
        older.puts[0].at = Position(4);
        let _ = store.commit(older).await;
    }
}
