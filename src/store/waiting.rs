//! A store whose reads wait until it can be read again, as commits do anyway: for whoever applies a partition.
//!
//! Who applies can do nothing without its rows. One that gave up would die and be born again, with everybody who lives there,
//! for as long as the database is away, and would count as one that dies again and again when it is back. Whoever reads for
//! people uses the store itself: its reads fail after a while, because people wait no longer.

use std::sync::Arc;
use std::time::Duration;

use super::error::StoreError;
use super::seam::{Commit, Row, Scan, Store};
use crate::domain::record::Position;
use crate::domain::table::{RowKey, Table};
use crate::runtime::BoxFuture;

/// Between two tries, each of which has waited for as long as people do. It keeps a store that fails at once from being asked
/// in a circle: 1,024 partitions that wait ask it 1,024 times a second.
const AGAIN: Duration = Duration::from_secs(1);

/// The store, for those who wait. An error that does not pass ends it, and so does closing the store.
pub struct Waiting(Arc<dyn Store>);

impl Waiting {
    /// This store, if its reads can fail for a while; one on this machine is as it is.
    #[must_use]
    pub fn on(store: &Arc<dyn Store>) -> Arc<dyn Store> {
        if store.is_far() { Arc::new(Self(Arc::clone(store))) } else { Arc::clone(store) }
    }
}

/// Reads until there is an answer, or an error that no waiting mends.
async fn answer<T, F>(read: impl Fn() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    loop {
        match read().await {
            Err(error) if error.is_passing() => tracing::debug!(%error, "rows are waited for"),
            done => return done,
        }
        tokio::time::sleep(AGAIN).await;
    }
}

impl Store for Waiting {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.commit(commit)
    }

    fn is_far(&self) -> bool {
        self.0.is_far()
    }

    fn applied(&self, partition: u16) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        Box::pin(answer(move || self.0.applied(partition)))
    }

    fn settled(&self, partition: u16) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        Box::pin(answer(move || self.0.settled(partition)))
    }

    fn get<'a>(&'a self, key: &'a RowKey) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        Box::pin(answer(move || self.0.get(key)))
    }

    fn get_many<'a>(&'a self, keys: &'a [RowKey]) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StoreError>> {
        Box::pin(answer(move || self.0.get_many(keys)))
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        Box::pin(answer(move || self.0.scan(scan.clone())))
    }

    fn digest<'a>(&'a self, tables: &'a [Table]) -> BoxFuture<'a, Result<[u8; 32], StoreError>> {
        self.0.digest(tables)
    }

    fn failed(&self) -> Option<String> {
        self.0.failed()
    }

    fn held(&self) -> Option<String> {
        self.0.held()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.0.close()
    }
}

#[cfg(test)]
mod tests {
    use super::super::MemoryStore;
    use super::super::contract::{self, commit};
    use super::*;

    fn key() -> RowKey {
        RowKey::single(Table::Message, [1; 16])
    }

    #[tokio::test]
    async fn it_keeps_the_contract() {
        contract::run(async || Arc::new(Waiting(Arc::new(MemoryStore::far()))) as Arc<dyn Store>).await;
    }

    #[tokio::test]
    async fn what_cannot_be_read_for_a_while_is_read_then_and_what_fails_for_good_fails() {
        let far = Arc::new(MemoryStore::far());
        let store = Waiting::on(&(Arc::clone(&far) as Arc<dyn Store>));
        store.commit(commit(1, &[(key(), b"x")])).await.expect("commit");
        far.be_away(true);
        assert!(far.get(&key()).await.is_err_and(|error| error.is_passing()), "whoever does not wait is told");
        let asked = tokio::spawn({
            let store = Arc::clone(&store);
            async move { (store.get(&key()).await, store.applied(0).await, store.settled(0).await) }
        });
        tokio::time::sleep(AGAIN + AGAIN / 2).await;
        assert!(!asked.is_finished());
        far.be_away(false);
        let (row, applied, settled) = asked.await.expect("an answer");
        assert_eq!((row, applied), (Ok(Some(b"x".to_vec())), settled));
        far.close().await.expect("closed");
        assert_eq!(store.get(&key()).await, Err(StoreError::Closed));
    }
}
