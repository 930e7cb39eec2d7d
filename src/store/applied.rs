//! Waiting until the rows show what stands in a journal.

use std::time::Duration;

use super::error::StoreError;
use super::seam::Store;
use crate::domain::record::Position;

/// The first pause between two looks at the mark, each a read of one cached row: most of what is waited for is on its way.
const POLL: Duration = Duration::from_millis(5);

/// The longest pause: the 256 callers of the API that may wait look 6,400 times a second, a tenth of a core.
const POLL_MAX: Duration = Duration::from_millis(40);

/// Waits until the rows of a partition cover a position. Says whether they do.
///
/// # Errors
/// When the store cannot be read.
pub async fn reached(
    store: &dyn Store,
    partition: u16,
    position: Position,
    patience: Duration,
) -> Result<bool, StoreError> {
    let watch = async {
        let mut pause = POLL;
        // A commit tells those who asked for it and nobody else: the mark can only be looked at.
        while store.applied(partition).await? < Some(position) {
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(POLL_MAX);
        }
        Ok(true)
    };
    tokio::time::timeout(patience, watch).await.unwrap_or(Ok(false))
}

/// Waits until the rows of a partition cover everything below `end`, the end of its journal as of now.
///
/// # Errors
/// When the store cannot be read.
pub async fn caught_up(
    store: &dyn Store,
    partition: u16,
    end: Position,
    patience: Duration,
) -> Result<bool, StoreError> {
    match end.0.checked_sub(1) {
        Some(last) => reached(store, partition, Position(last), patience).await,
        None => Ok(true),
    }
}
