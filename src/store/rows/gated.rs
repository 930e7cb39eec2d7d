//! Messages that wait for an operator's gate: one bucket for each closing in a partition, in the order in which they are let
//! out, dropped whole when all are.

use crate::domain::id::{EventId, MessageId};
use crate::domain::record::Position;
use crate::domain::table::{KeyPart, RowKey, Table};

use super::super::error::StoreError;
use super::super::seam::{DropBelow, Put, Scan, Store};
use super::bad;

/// A place in the order.
pub type GatedPlace = (Position, MessageId);

/// The upsert of a message that waits since a closing.
#[must_use]
pub fn put_gated(partition: u16, closing: EventId, place: GatedPlace, at: Position) -> Put {
    Put { key: RowKey::new(Table::Gated, pk(partition, closing), ck(place)), value: Vec::new(), at }
}

/// Messages that came to wait since a closing, after `after`, at most `limit`, in their order.
///
/// # Errors
/// When the store cannot be read.
pub async fn gated(
    store: &dyn Store,
    partition: u16,
    closing: EventId,
    after: Option<GatedPlace>,
    limit: usize,
) -> Result<Vec<GatedPlace>, StoreError> {
    let mut scan = Scan::of(Table::Gated, pk(partition, closing), limit);
    if let Some(after) = after {
        scan = scan.after(ck(after));
    }
    let rows = store.scan(scan).await?;
    rows.into_iter().map(|(ck, _)| read(ck.as_bytes()).ok_or_else(|| bad("a message behind a gate"))).collect()
}

/// Everybody is out.
#[must_use]
pub fn drop_gated(partition: u16, closing: EventId) -> DropBelow {
    let end = (Position(u64::MAX), MessageId([u8::MAX; 16]));
    DropBelow { table: Table::Gated, pk: pk(partition, closing), ck: ck(end) }
}

fn pk(partition: u16, closing: EventId) -> KeyPart {
    KeyPart::join(&[&partition.to_be_bytes(), &closing.0])
}

fn ck((at, message): GatedPlace) -> KeyPart {
    KeyPart::join(&[&at.0.to_be_bytes(), &message.0])
}

fn read(ck: &[u8]) -> Option<GatedPlace> {
    let (at, message) = ck.split_first_chunk::<8>()?;
    Some((Position(u64::from_be_bytes(*at)), MessageId(message.try_into().ok()?)))
}
