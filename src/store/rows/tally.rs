//! Counts of what became of messages, by day.

use super::bad;
use crate::domain::id::TenantId;
use crate::domain::row::{Row, TallyRow};
use crate::domain::table::{KeyPart, RowKey, Table};
use crate::store::codec::decode_row;
use crate::store::error::StoreError;
use crate::store::seam::{Scan, Store};

pub(super) fn tally_pk(tenant: TenantId, partition: u16) -> KeyPart {
    KeyPart::join(&[&tenant.0, &partition.to_be_bytes()])
}

/// A tenant's counts of one partition, from one day to another, both included.
///
/// # Errors
/// When the store cannot be read.
pub async fn tallies(
    store: &dyn Store,
    tenant: TenantId,
    partition: u16,
    (from, to): (u32, u32),
) -> Result<Vec<(u32, TallyRow)>, StoreError> {
    let days = usize::try_from(to.saturating_sub(from)).unwrap_or(0) + 1;
    let mut scan = Scan::of(Table::Tally, tally_pk(tenant, partition), days.min(super::super::seam::MAX_SCAN));
    if let Some(before) = from.checked_sub(1) {
        scan = scan.after(before.to_be_bytes());
    }
    if let Some(after) = to.checked_add(1) {
        scan = scan.before(after.to_be_bytes());
    }
    let mut found = Vec::new();
    for (ck, value) in store.scan(scan).await? {
        let day = ck.as_bytes().try_into().map(u32::from_be_bytes).map_err(|_| bad("a day"))?;
        let key = RowKey::new(Table::Tally, tally_pk(tenant, partition), ck);
        match decode_row(&key, &value)? {
            Row::Tally(row) => found.push((day, *row)),
            _ => return Err(bad("a day's count")),
        }
    }
    Ok(found)
}
