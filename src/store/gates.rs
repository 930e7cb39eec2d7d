//! How far a word on an operator's gate has come: asked by whoever spreads it, and by whoever waits for it.

use crate::domain::gate::{Gate, GatesRow};
use crate::domain::id::CampaignId;
use crate::domain::record::{Micros, Position};
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

/// How late a call may leave.
#[derive(Debug, Clone, Copy)]
pub struct Late {
    /// Now.
    pub now: Micros,
    /// An intent's life from its proposal.
    pub deadline: Micros,
}

/// Those of these partitions whose earlier owner may still make calls that it was about to make when it lost them: it may be
/// frozen, and has heard no word since.
///
/// # Errors
/// When the store cannot be read.
pub async fn sent_elsewhere(store: &dyn Store, partitions: &[u16], late: Late) -> Result<Vec<u16>, StoreError> {
    let ids: Vec<RowId> = partitions.iter().copied().map(RowId::Partition).collect();
    let found = partitions.iter().zip(rows::get_many(store, &ids).await?);
    let may = |row: Option<Row>| match row {
        Some(Row::Partition(row)) => row.may_be_sent_elsewhere(late.now, late.deadline),
        _ => false,
    };
    Ok(found.filter_map(|(partition, row)| may(row).then_some(*partition)).collect())
}

/// Those of the partitions that a gate concerns where a word on it has no effect yet: where it is unheard, and where something
/// that it stops may still leave. A node that is alone hands in nothing: who had its partitions before is dead.
///
/// # Errors
/// When the store cannot be read.
pub async fn without_effect(
    store: &dyn Store,
    partitions: u16,
    (gate, asked, closed): (&Gate, Position, bool),
    late: Option<Late>,
) -> Result<Vec<u16>, StoreError> {
    let mut missing = unheard(store, partitions, gate, asked).await?;
    if let Some(late) = late.filter(|_| closed) {
        let mut heard = gate.partitions(partitions);
        heard.retain(|partition| !missing.contains(partition));
        missing.extend(sent_elsewhere(store, &heard, late).await?);
    }
    Ok(missing)
}
