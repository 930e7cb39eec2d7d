//! Telling customers of a checkpoint: whoever keeps one can show later that the log was not written anew.

use super::actor::State;
use crate::domain::event::{CheckpointPublishedV1, Event};
use crate::domain::id::TenantId;
use crate::domain::row::{Row, RowId};
use crate::store::{Store, StoreError, rows};

/// Who is told by one event: each costs a row of its feed.
const TENANTS: usize = 500;

/// Names read at once.
const PAGE: usize = 1_000;

/// Publishes what was signed last, if it is time and there is something new.
///
/// # Errors
/// When the rows cannot be read; the next sweep looks again.
pub(super) async fn look(state: &mut State) -> Result<(), StoreError> {
    let hands = state.args.hands.clone();
    let now = hands.clock.wall();
    if state.published.is_some_and(|at| (0..hands.limits.publish_every).contains(&(now - at))) {
        return Ok(());
    }
    let Some(Row::Instance(row)) = rows::get(hands.store.as_ref(), &RowId::Instance(())).await? else {
        return Ok(());
    };
    let (told, era) = (state.published, row.era);
    let Some(signed) = row.signed.filter(|signed| told.is_none_or(|told| signed.at > told)) else {
        return Ok(());
    };
    let note = crate::audit::sign::note(&signed.checkpoint(), signed.key, &signed.signature).to_string();
    state.published = Some(now);
    for tenants in tenants(hands.store.as_ref(), hands.journal.genesis().count).await?.chunks(TENANTS) {
        let facts = CheckpointPublishedV1 { note: note.clone(), size: signed.size, tenants: tenants.to_vec(), era };
        state.append(&Event::from(facts));
    }
    Ok(())
}

async fn tenants(store: &dyn Store, count: u16) -> Result<Vec<TenantId>, StoreError> {
    let mut tenants = Vec::new();
    for partition in 0..count {
        let mut after = None;
        loop {
            let page = rows::names(store, "tenant", partition, after.as_ref(), PAGE).await?;
            tenants.extend(page.iter().map(|named| TenantId(named.id)));
            after = page.last().cloned();
            if after.is_none() {
                break;
            }
        }
    }
    Ok(tenants)
}
