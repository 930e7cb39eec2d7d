//! Reading the journal: from memory while it is recent, else from disk, on a thread that may block.

use std::sync::Arc;

use super::super::error::JournalError;
use super::super::seam::{Entry, Tail};
use super::shared::Shared;
use crate::domain::record::Position;
use crate::runtime::BoxFuture;

/// A reader at a place in one partition.
pub struct SegmentTail {
    shared: Arc<Shared>,
    partition: u16,
    at: Position,
}

impl SegmentTail {
    /// At `from`.
    pub fn new(shared: Arc<Shared>, partition: u16, from: Position) -> Self {
        Self { shared, partition, at: from }
    }

    async fn wait(&mut self) -> Result<Vec<Arc<Entry>>, JournalError> {
        let shared = Arc::clone(&self.shared);
        let (partition, count) = (self.partition, shared.genesis.count);
        let waker = shared.waker(partition).ok_or(JournalError::NoSuchPartition { partition, count })?;
        loop {
            // Made before looking: it is woken by everything that becomes durable from here on, polled or not.
            let woken = waker.notified();
            // Read before the end: what became durable before everything ended is still given.
            let ended = shared.ended();
            let end = shared.end(partition).unwrap_or_default();
            if self.at < end {
                let page = page(&shared, partition, self.at, end).await?;
                self.at = Position(self.at.0 + page.len() as u64);
                return Ok(page);
            }
            if let Some(error) = ended {
                return Err(error);
            }
            woken.await;
        }
    }
}

impl Tail for SegmentTail {
    fn next(&mut self) -> BoxFuture<'_, Result<Vec<Arc<Entry>>, JournalError>> {
        Box::pin(self.wait())
    }

    fn position(&self) -> Position {
        self.at
    }
}

/// A page of durable entries, `from` being before `end`.
async fn page(
    shared: &Arc<Shared>,
    partition: u16,
    from: Position,
    end: Position,
) -> Result<Vec<Arc<Entry>>, JournalError> {
    if let Some(page) = shared.recent.lock().page(partition, from) {
        return Ok(page);
    }
    let disk = Arc::clone(shared);
    blocking(move || disk.catalog.page(partition, from, end)).await
}

/// One durable entry.
///
/// # Errors
/// [`JournalError::Missing`] where nothing stands yet; what the disk says, and damage.
pub async fn read(shared: Arc<Shared>, partition: u16, at: Position) -> Result<Arc<Entry>, JournalError> {
    let count = shared.genesis.count;
    let end = shared.end(partition).ok_or(JournalError::NoSuchPartition { partition, count })?;
    let missing = JournalError::Missing { partition, position: at, end };
    if at >= end {
        return Err(missing);
    }
    if let Some(entry) = shared.recent.lock().get(partition, at) {
        return Ok(entry);
    }
    let page = blocking(move || shared.catalog.page(partition, at, at.next())).await?;
    page.into_iter().next().ok_or(missing)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, JournalError> + Send + 'static,
) -> Result<T, JournalError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| JournalError::Failed(format!("a reading thread ended: {error}")))?
}
