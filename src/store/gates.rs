//! How far a word on an operator's gate has come: asked by whoever spreads it, and by whoever waits for it.

use crate::domain::gate::{Gate, GatesRow};
use crate::domain::id::CampaignId;
use crate::domain::record::Position;
use crate::domain::row::{ProgressRow, Row, RowId};

use super::error::StoreError;
use super::rows;
use super::seam::Store;

/// The gates as each of so many partitions knows them, in their order.
///
/// # Errors
/// When the store cannot be read.
pub async fn known(store: &dyn Store, partitions: u16) -> Result<Vec<GatesRow>, StoreError> {
    of(store, &(0..partitions).collect::<Vec<_>>()).await
}

/// How far a campaign is, over all partitions in which its messages may be.
///
/// # Errors
/// When the store cannot be read.
pub async fn progress(
    store: &dyn Store,
    partitions: u16,
    gate: &Gate,
    campaign: CampaignId,
) -> Result<Option<ProgressRow>, StoreError> {
    let ids: Vec<RowId> =
        gate.partitions(partitions).into_iter().map(|number| RowId::Progress(campaign, number)).collect();
    let rows = rows::get_many(store, &ids).await?.into_iter().flatten();
    let mut found = rows.filter_map(|row| if let Row::Progress(row) = row { Some(*row) } else { None });
    let first = found.next();
    Ok(first.map(|first| found.fold(first, |all, row| all.and(&row))))
}

async fn of(store: &dyn Store, partitions: &[u16]) -> Result<Vec<GatesRow>, StoreError> {
    let ids: Vec<RowId> = partitions.iter().copied().map(RowId::Gates).collect();
    let found = rows::get_many(store, &ids).await?;
    let row = |row| match row {
        Some(Row::Gates(row)) => *row,
        _ => GatesRow::default(),
    };
    Ok(found.into_iter().map(row).collect())
}

/// Those of the partitions that a gate concerns which have not applied the word on this gate which stands at `asked` in its tenant's mailbox, nor a later
/// one.
///
/// # Errors
/// When the store cannot be read.
pub async fn unheard(store: &dyn Store, partitions: u16, gate: &Gate, asked: Position) -> Result<Vec<u16>, StoreError> {
    let concerned = gate.partitions(partitions);
    let known = of(store, &concerned).await?;
    let unheard = concerned.into_iter().zip(known).filter(|(_, row)| !row.has_heard(gate, asked));
    Ok(unheard.map(|(partition, _)| partition).collect())
}
