//! What left for other mailboxes: for each partition that messages go to, in the order in which they left. A mark says from
//! where on some may not have come there, so that a new owner does not read again what has.

use crate::domain::id::MessageId;
use crate::domain::record::Position;
use crate::domain::table::{KeyPart, RowKey, Table};

use super::super::error::StoreError;
use super::super::seam::{DropBelow, MAX_SCAN, Put, Scan, Store};
use super::bad;

/// A place in the order.
pub type MovedPlace = (Position, MessageId);

/// The upsert of a message that left for a mailbox in partition `to`.
#[must_use]
pub fn put_moved(partition: u16, to: u16, place: MovedPlace, at: Position) -> Put {
    Put { key: RowKey::new(Table::Due, pk(partition, to), ck(place)), value: Vec::new(), at }
}

/// Messages that left for partition `to`, after `after`, at most `limit`, in their order.
///
/// # Errors
/// When the store cannot be read.
pub async fn moved(
    store: &dyn Store,
    partition: u16,
    to: u16,
    after: MovedPlace,
    limit: usize,
) -> Result<Vec<MovedPlace>, StoreError> {
    let rows = store.scan(Scan::of(Table::Due, pk(partition, to), limit).after(ck(after))).await?;
    rows.into_iter().map(|(ck, _)| read(ck.as_bytes()).ok_or_else(|| bad("a message that moved"))).collect()
}

/// Everybody who left for there before this has come.
#[must_use]
pub fn drop_moved(partition: u16, to: u16, before: Position) -> DropBelow {
    DropBelow { table: Table::Due, pk: pk(partition, to), ck: ck((before, MessageId([0; 16]))) }
}

/// Remembers from where on those who left for partition `to` may not have come; `None`: all have. Too low costs reads, never
/// a message.
#[must_use]
pub fn put_moving(partition: u16, to: u16, low: Option<Position>, at: Position) -> Put {
    let value = low.map_or(u64::MAX, |low| low.0).to_be_bytes().to_vec();
    Put { key: RowKey::new(Table::OpenSession, marks_pk(partition), to.to_be_bytes()), value, at }
}

/// Partitions for which messages left that may not have come there, and from where on.
///
/// # Errors
/// When the store cannot be read.
pub async fn moving(store: &dyn Store, partition: u16) -> Result<Vec<(u16, Position)>, StoreError> {
    let rows = store.scan(Scan::of(Table::OpenSession, marks_pk(partition), MAX_SCAN)).await?;
    let mut open = Vec::new();
    for (ck, value) in rows {
        let to = ck.as_bytes().try_into().map(u16::from_be_bytes).map_err(|_| bad("a mark of what moved"))?;
        let low = value.try_into().map(u64::from_be_bytes).map_err(|_| bad("a mark of what moved"))?;
        if low != u64::MAX {
            open.push((to, Position(low)));
        }
    }
    Ok(open)
}

/// Whether everybody who left before `end`, for partition `to` or for any, has come: as far as it is applied here.
///
/// # Errors
/// When the store cannot be read.
pub async fn have_come(store: &dyn Store, partition: u16, to: Option<u16>, end: Position) -> Result<bool, StoreError> {
    let open = moving(store, partition).await?;
    Ok(open.into_iter().all(|(open, low)| to.is_some_and(|to| to != open) || low >= end))
}

fn pk(partition: u16, to: u16) -> KeyPart {
    KeyPart::join(&[&partition.to_be_bytes(), &to.to_be_bytes()])
}

fn marks_pk(partition: u16) -> KeyPart {
    KeyPart::join(&[b"moves", &partition.to_be_bytes()])
}

fn ck((at, message): MovedPlace) -> KeyPart {
    KeyPart::join(&[&at.0.to_be_bytes(), &message.0])
}

fn read(ck: &[u8]) -> Option<MovedPlace> {
    let (at, message) = ck.split_first_chunk::<8>()?;
    Some((Position(u64::from_be_bytes(*at)), MessageId(message.try_into().ok()?)))
}
