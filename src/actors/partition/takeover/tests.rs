//! Rows that move while they are read, in a store that remembers what it wrote itself.

use parking_lot::Mutex;

use super::found;
use crate::domain::address::Address;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, GenesisV1};
use crate::domain::id::{EventId, InstallationId};
use crate::domain::record::{Position, Principal};
use crate::domain::table::{RowKey, Table};
use crate::journal::{Appended, Genesis, Journal, Unruly};
use crate::runtime::BoxFuture;
use crate::store::{Commit, MemoryStore, Row, Scan, Store, StoreError};

/// One process's view of a store that the partition's owner writes to as well.
struct Shared {
    inner: MemoryStore,
    /// The last mark of a commit made here.
    remembered: Mutex<Option<Position>>,
    /// What the owner commits while rows are read.
    owners: Mutex<Option<Commit>>,
}

impl Store for Shared {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), StoreError>> {
        *self.remembered.lock() = Some(commit.through);
        self.inner.commit(commit)
    }

    fn applied(&self, partition: u16) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        let remembered = *self.remembered.lock();
        Box::pin(async move {
            match remembered {
                None => self.inner.applied(partition).await,
                known => Ok(known),
            }
        })
    }

    fn settled(&self, partition: u16) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        self.inner.applied(partition)
    }

    fn get<'a>(&'a self, key: &'a RowKey) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        self.inner.get(key)
    }

    fn get_many<'a>(&'a self, keys: &'a [RowKey]) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StoreError>> {
        self.inner.get_many(keys)
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        let owners = self.owners.lock().take();
        Box::pin(async move {
            if let Some(commit) = owners {
                self.inner.commit(commit).await?;
            }
            self.inner.scan(scan).await
        })
    }

    fn digest<'a>(&'a self, tables: &'a [Table]) -> BoxFuture<'a, Result<[u8; 32], StoreError>> {
        self.inner.digest(tables)
    }

    fn failed(&self) -> Option<String> {
        self.inner.failed()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.close()
    }
}

fn through(at: u64) -> Commit {
    Commit { partition: 0, through: Position(at), ..Commit::default() }
}

#[tokio::test]
async fn what_the_owner_commits_while_rows_are_read_is_seen_however_fresh_ones_own_mark_is() {
    let installation = InstallationId([5; 16]);
    let journal = Unruly::with_gaps(Genesis::new(installation, 1));
    for n in 1..=3 {
        let event = Event::from(GenesisV1 { installation, partition: 0, count: 1, routing: 1 });
        let draft = Draft::new(EventId([n; 16]), Address::partition(0), &event, Principal::Operator, 1);
        let appended = journal.append(0, vec![draft.record().expect("small")]).await;
        assert!(matches!(appended, Appended::Durable { .. }), "{appended:?}");
    }
    let store =
        Shared { inner: MemoryStore::new(), remembered: Mutex::default(), owners: Mutex::new(Some(through(256))) };
    store.inner.commit(through(0)).await.expect("a mark");
    let found = found(&store, &journal, (0, false), journal.end(0)).await.expect("readable");
    assert_eq!(found.applied, Some(Position(256)), "rows of two moments");
    assert!(store.remembered.lock().is_some(), "its start was counted: it remembers a mark");
}
