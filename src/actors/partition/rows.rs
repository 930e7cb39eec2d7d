//! The rows at hand: a bounded cache in front of the store, only ever written through a commit.

use crate::domain::event::Event;
use crate::domain::projection::{At, needs};
use crate::domain::row::{RowId, Rows};
use crate::store::{Store, StoreError, rows};

/// Rows kept in memory by one partition: at some 500 bytes each 1 MiB, 64 MiB over 64 partitions.
pub const CACHE: usize = 2_048;

/// Loads what an event needs. A row may lead to another, so it asks until nothing is missing.
///
/// # Errors
/// When the store cannot be read.
pub async fn load(store: &dyn Store, at: At<'_>, event: &Event, rows: &mut Rows) -> Result<(), StoreError> {
    loop {
        let missing = needs(at, event, rows);
        if missing.is_empty() {
            return Ok(());
        }
        let found = rows::get_many(store, &missing).await?;
        for (id, row) in missing.into_iter().zip(found) {
            rows.load(id, row);
        }
    }
}

/// Forgets what is not needed at each turn, when there is too much of it. Only after a commit.
pub fn trim(rows: &mut Rows) {
    if rows.len() > CACHE {
        rows.retain(|id, _| matches!(id, RowId::Partition(_) | RowId::Session(_) | RowId::Endpoint(_)));
    }
    // Thousands of sessions in one partition: they are read again like anything else.
    if rows.len() > CACHE {
        rows.retain(|id, _| matches!(id, RowId::Partition(_)));
    }
}
