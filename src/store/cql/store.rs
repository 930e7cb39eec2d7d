//! The handle of the store in a cluster: the seam, over lanes, writer and reader.

use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::super::error::StoreError;
use super::super::key;
use super::super::seam::{Commit, MAX_SCAN, Row, Scan, Store};
use super::lane::{Awaited, Lane, Lanes};
use super::options::Options;
use super::shared::Shared;
use super::{gauges, open, reader, writer};
use crate::cql::{CqlError, Owner};
use crate::domain::id::NodeId;
use crate::domain::record::Position;
use crate::domain::table::{RowKey, Table};
use crate::runtime::{BoxFuture, Clock};

/// Rows in a keyspace of a CQL cluster. Dropping it lets go of the connections; commits that nobody waits for end first.
pub struct CqlStore {
    shared: Arc<Shared>,
    lanes: Lanes,
    gauges: JoinHandle<()>,
}

impl Drop for CqlStore {
    fn drop(&mut self) {
        self.gauges.abort();
    }
}

impl CqlStore {
    /// Makes the keyspace and its tables if they are not there, and brings them to this version. May be cut short and run again.
    ///
    /// # Errors
    /// [`StoreError::Cql`] says what is wrong with the cluster or the keyspace.
    pub async fn found(options: &Options, owner: Owner) -> Result<(), StoreError> {
        Ok(open::found(options, owner).await?)
    }

    /// Opens the store, after checking that it is this installation's. `writer` is a name that no other process has.
    ///
    /// # Errors
    /// [`StoreError::Cql`] says what is wrong with the cluster or the keyspace.
    pub async fn open(
        options: &Options,
        owner: Owner,
        writer: NodeId,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let shared = open::open(options, owner, writer, clock).await?;
        let gauges = crate::runtime::spawn("cql-gauges", gauges::show(Arc::downgrade(&shared)));
        Ok(Self { shared, lanes: Lanes::default(), gauges })
    }

    async fn apply(&self, commit: Commit) -> Result<(), StoreError> {
        let (shared, partition, through) = (&self.shared, commit.partition, commit.through);
        shared.is_whole()?;
        key::check(&commit)?;
        let lane = self.lanes.of(partition);
        let busy = Arc::clone(&lane.busy).lock_owned().await;
        shared.is_whole()?;
        if let Some(applied) = self.highest(partition, &lane).await?.filter(|applied| through < *applied) {
            return Err(StoreError::Backwards { partition, applied, through });
        }
        let (turn, moves) = (lane.next_turn(), lane.is_moved_by(through));
        let (answer, answered) = oneshot::channel();
        let (theirs, their_lane) = (Arc::clone(shared), Arc::clone(&lane));
        crate::runtime::spawn("commit", async move {
            let done = writer::commit(&theirs, commit, turn).await;
            if done.is_ok() && moves {
                their_lane.moved(through, theirs.clock.steady());
            }
            // Nobody waits any more where the commit's future was dropped.
            let _ = answer.send(done);
            drop(busy);
        });
        let awaited = Awaited::new(lane);
        let done = answered.await;
        awaited.answered();
        done.unwrap_or_else(|_| Err(shared.latched("a commit ended without an answer".to_owned())))
    }

    async fn highest(&self, partition: u16, lane: &Lane) -> Result<Option<Position>, StoreError> {
        if let Some(mark) = lane.highest() {
            return Ok(mark);
        }
        let mark = reader::mark(&self.shared, partition).await?;
        lane.saw(mark);
        Ok(mark)
    }

    async fn mark(&self, partition: u16) -> Result<Option<Position>, StoreError> {
        self.shared.is_open()?;
        let lane = self.lanes.of(partition);
        if lane.take_orphaned() {
            self.wait_for(&lane).await?;
        }
        if let Some(mark) = lane.fresh(self.shared.clock.steady()) {
            return Ok(Some(mark));
        }
        let mark = reader::mark(&self.shared, partition).await?;
        lane.saw(mark);
        Ok(mark)
    }

    /// As above, and no commit is under way: ours are waited for, those of other processes too, or finished.
    async fn settled_mark(&self, partition: u16) -> Result<Option<Position>, StoreError> {
        self.shared.is_open()?;
        let lane = self.lanes.of(partition);
        self.wait_for(&lane).await?;
        let mark = open::settled(&self.shared, &lane, partition).await?;
        lane.saw(mark);
        Ok(mark)
    }

    /// Waits for a commit of ours that is under way: until it has ended, its rows are ahead of its mark.
    async fn wait_for(&self, lane: &Lane) -> Result<(), StoreError> {
        let ended = tokio::time::timeout(self.shared.patience(), lane.busy.lock()).await;
        ended.map(drop).map_err(|_| {
            lane.orphan();
            let doing = "finish an earlier commit".to_owned();
            let why = self.shared.held().unwrap_or_else(|| "it is still under way".to_owned());
            CqlError::Silent { nodes: self.shared.cluster.options.addresses(), doing, why }.into()
        })
    }
}

impl Store for CqlStore {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.apply(commit))
    }

    fn is_far(&self) -> bool {
        true
    }

    fn applied(&self, partition: u16) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        Box::pin(self.mark(partition))
    }

    fn settled(&self, partition: u16) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        Box::pin(self.settled_mark(partition))
    }

    fn get<'a>(&'a self, key: &'a RowKey) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        Box::pin(reader::get(&self.shared, key))
    }

    fn get_many<'a>(&'a self, keys: &'a [RowKey]) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StoreError>> {
        Box::pin(async move {
            key::limit(|| "the number of keys read at once".to_owned(), keys.len(), MAX_SCAN)?;
            reader::get_many(&self.shared, keys).await
        })
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        Box::pin(reader::scan(&self.shared, scan))
    }

    fn digest<'a>(&'a self, tables: &'a [Table]) -> BoxFuture<'a, Result<[u8; 32], StoreError>> {
        Box::pin(reader::digest(&self.shared, tables))
    }

    fn failed(&self) -> Option<String> {
        self.shared.failed()
    }

    fn held(&self) -> Option<String> {
        self.shared.held()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.shared.close();
            // A commit that is tried again ends now; a request that is on its way is answered, or runs out of time.
            for lane in self.lanes.all() {
                drop(lane.busy.lock().await);
            }
            self.gauges.abort();
            Ok(())
        })
    }
}
