//! The rows at hand: a bounded cache in front of the store, only ever written through a commit.

use crate::domain::event::Event;
use crate::domain::projection::{At, needs};
use crate::domain::row::{Row, RowId, Rows};
use crate::store::{Store, StoreError, rows};

/// Rows kept in memory by one partition: at some 700 bytes each 350 KiB, 23 MiB over 64 partitions. A message needs its
/// row from its acceptance to its outcome, at 300 a second of one partition and half a second that is 150 rows; what is
/// asked for later, such as a status, is read from the store.
pub const CACHE: usize = 512;

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

/// Loads what is asked for after each batch, whatever was in it: who owns the partition, and which gates are closed.
///
/// # Errors
/// When the store cannot be read.
pub async fn load_own(store: &dyn Store, number: u16, known: &mut Rows) -> Result<(), StoreError> {
    for id in [RowId::Partition(number), RowId::Gates(number)] {
        known.load(id, rows::get(store, &id).await?);
    }
    Ok(())
}

/// Forgets what is not needed at each turn, when there is too much of it. Only after a commit.
pub fn trim(rows: &mut Rows) {
    if rows.len() > CACHE {
        rows.retain(|id, row| match (id, row) {
            (RowId::Partition(_) | RowId::Gates(_) | RowId::Session(_) | RowId::Endpoint(_), _) => true,
            (RowId::Tree(_) | RowId::Tally(_) | RowId::Backlog(_) | RowId::Progress(..) | RowId::Portfolio(_), _) => {
                true
            }
            // Its outcome is on its way.
            (RowId::Message(_), Some(Row::Message(row))) => row.open_attempt().is_some(),
            _ => false,
        });
    }
    // Thousands of sessions in one partition: they are read again like anything else.
    if rows.len() > CACHE {
        rows.retain(|id, _| matches!(id, RowId::Partition(_) | RowId::Gates(_)));
    }
    rows.shrink_to(CACHE);
}
