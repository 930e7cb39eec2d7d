//! Rows of the audit: a partition's trees, and the hashes of the instance's log, tile by tile.

use super::bad;
use crate::domain::audit::Hash;
use crate::domain::audit::tile::WIDTH;
use crate::domain::id::TenantId;
use crate::domain::record::Position;
use crate::domain::row::{Row, TreeRow};
use crate::domain::table::{KeyPart, RowKey, Table};
use crate::store::codec::decode_row;
use crate::store::error::StoreError;
use crate::store::seam::{Put, Scan, Store};

/// A hash of the instance's log: the `place`-th of a tile level.
#[must_use]
pub fn put_audit_hash((level, place): (u8, u64), hash: &Hash, at: Position) -> Put {
    let key = RowKey::new(Table::AuditHash, tile_pk(level, place / WIDTH), [(place % WIDTH) as u8]);
    Put { key, value: hash.to_vec(), at }
}

/// The hashes of one of its tiles, as far as there are any.
///
/// # Errors
/// When the store cannot be read.
pub async fn audit_tile(store: &dyn Store, level: u8, tile: u64) -> Result<Vec<Hash>, StoreError> {
    let rows = store.scan(Scan::of(Table::AuditHash, tile_pk(level, tile), WIDTH as usize)).await?;
    rows.into_iter().map(|(_, value)| value.try_into().map_err(|_| bad("a hash of the audit"))).collect()
}

fn tile_pk(level: u8, tile: u64) -> KeyPart {
    KeyPart::join(&[&[level], &tile.to_be_bytes()])
}

/// Trees of a partition, at most `limit`, those of tenants after `after`.
///
/// # Errors
/// When the store cannot be read.
pub async fn trees(
    store: &dyn Store,
    partition: u16,
    after: Option<TenantId>,
    limit: usize,
) -> Result<Vec<(TenantId, TreeRow)>, StoreError> {
    let mut scan = Scan::of(Table::Tree, partition, limit);
    if let Some(after) = after {
        scan = scan.after(after.0);
    }
    let rows = store.scan(scan).await?;
    let read = rows.into_iter().map(|(ck, value)| {
        let tenant = ck.as_bytes().try_into().map(TenantId).map_err(|_| bad("a tree"))?;
        match decode_row(&RowKey::new(Table::Tree, partition, ck), &value)? {
            Row::Tree(tree) => Ok((tenant, *tree)),
            _ => Err(bad("a tree")),
        }
    });
    read.collect()
}
