//! The due index: messages by the time at which something is to be done about them.

use super::bad;
use crate::domain::id::MessageId;
use crate::domain::record::{Micros, Position};
use crate::domain::table::{KeyPart, RowKey, Table};
use crate::store::error::StoreError;
use crate::store::seam::{DropBelow, Put, Scan, Store};

/// The upsert of a row in the due index.
#[must_use]
pub fn put_due(partition: u16, due: Micros, message: MessageId, at: Position) -> Put {
    Put { key: RowKey::new(Table::Due, KeyPart::from(partition), due_ck(due, message)), value: Vec::new(), at }
}

/// Messages and their times after `after` (a row that was read before; `None` for the first), at most `limit`, in order
/// of time.
///
/// # Errors
/// When the store cannot be read.
pub async fn due(
    store: &dyn Store,
    partition: u16,
    after: Option<(Micros, MessageId)>,
    limit: usize,
) -> Result<Vec<(Micros, MessageId)>, StoreError> {
    let mut scan = Scan::of(Table::Due, KeyPart::from(partition), limit);
    if let Some((due, message)) = after {
        scan = scan.after(due_ck(due, message));
    }
    let rows = store.scan(scan).await?;
    rows.into_iter().map(|(ck, _)| read_due(ck.as_bytes()).ok_or_else(|| bad("a row of the due index"))).collect()
}

/// Everything that was due before this is done with.
#[must_use]
pub fn drop_due(partition: u16, before: Micros) -> DropBelow {
    DropBelow { table: Table::Due, pk: KeyPart::from(partition), ck: due_ck(before, MessageId([0; 16])) }
}

/// Times are after 1970, so they sort as unsigned numbers do.
fn due_ck(due: Micros, message: MessageId) -> KeyPart {
    KeyPart::join(&[&due.max(0).to_be_bytes(), &message.0])
}

fn read_due(ck: &[u8]) -> Option<(Micros, MessageId)> {
    let (due, message) = ck.split_first_chunk::<8>()?;
    Some((Micros::from_be_bytes(*due), MessageId(message.try_into().ok()?)))
}
