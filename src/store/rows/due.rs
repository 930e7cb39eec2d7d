//! The due index: what waits for a time, in order of time, and what waits for the same one in order of acceptance: one
//! person's messages that were put off until the morning leave as they were asked for.

use crate::domain::id::MessageId;
use crate::domain::record::{Micros, Position};
use crate::domain::table::{KeyPart, RowKey, Table};

use super::super::error::StoreError;
use super::super::seam::{DropBelow, Put, Scan, Store};
use super::bad;

/// A place in the index: when it is due, where it was accepted, which.
pub type DuePlace = (Micros, Position, MessageId);

/// The upsert of a row in the due index.
#[must_use]
pub fn put_due(partition: u16, place: DuePlace, at: Position) -> Put {
    Put { key: RowKey::new(Table::Due, KeyPart::from(partition), ck(place)), value: Vec::new(), at }
}

/// Messages and their times after `after` (a row that was read before; `None` for the first), at most `limit`, in their
/// order.
///
/// # Errors
/// When the store cannot be read.
pub async fn due(
    store: &dyn Store,
    partition: u16,
    after: Option<DuePlace>,
    limit: usize,
) -> Result<Vec<DuePlace>, StoreError> {
    let mut scan = Scan::of(Table::Due, KeyPart::from(partition), limit);
    if let Some(after) = after {
        scan = scan.after(ck(after));
    }
    let rows = store.scan(scan).await?;
    rows.into_iter().map(|(ck, _)| read(ck.as_bytes()).ok_or_else(|| bad("a row of the due index"))).collect()
}

/// Everything that was due before this is done with.
#[must_use]
pub fn drop_due(partition: u16, before: Micros) -> DropBelow {
    let first = (before, Position(0), MessageId([0; 16]));
    DropBelow { table: Table::Due, pk: KeyPart::from(partition), ck: ck(first) }
}

/// Times are after 1970, so they sort as unsigned numbers do.
fn ck((due, place, message): DuePlace) -> KeyPart {
    KeyPart::join(&[&due.max(0).to_be_bytes(), &place.0.to_be_bytes(), &message.0])
}

fn read(ck: &[u8]) -> Option<DuePlace> {
    let (due, rest) = ck.split_first_chunk::<8>()?;
    let (place, message) = rest.split_first_chunk::<8>()?;
    let place = Position(u64::from_be_bytes(*place));
    Some((Micros::from_be_bytes(*due), place, MessageId(message.try_into().ok()?)))
}
