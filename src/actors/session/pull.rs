//! Filling the ring from the outbox: what was accepted while the ring was full, or before this process began, or set aside.

use super::aside::{Aside, Waits};
use super::mail::{Cold, Life, SessionBox};
use super::standing::{MessageRef, Tenure, standing};
use crate::actors::hands::Hands;
use crate::domain::event::Priority;
use crate::domain::gate::GatesRow;
use crate::domain::id::{MessageId, SessionId};
use crate::domain::record::Position;
use crate::domain::row::{Row, RowId};
use crate::domain::session::Standing;
use crate::store::{StoreError, rows};

/// What one page of the outbox held.
pub struct Page {
    /// Unsettled messages, in order of acceptance.
    pub found: Vec<(Position, MessageId, Standing, Option<MessageRef>)>,
    /// Whether there may be more to read now; what is not committed yet is nudged for with its commit.
    pub more: bool,
}

/// Reads on in the outbox of a priority, at most `room` rows of what waits there.
///
/// # Errors
/// When the store cannot be read; the mark stays, and the next sweep tries again.
pub async fn pull(
    hands: &Hands,
    (session, partition): (SessionId, u16),
    (mailbox, life): (&SessionBox, Life),
    (tenure, gates): (Tenure, &GatesRow),
    (priority, cold, room): (Priority, Cold, usize),
) -> Result<Page, StoreError> {
    let store = hands.store.as_ref();
    let nothing = Page { found: Vec::new(), more: false };
    let Some(applied) = store.applied(partition).await? else {
        return Ok(nothing);
    };
    // Beyond the applied mark a row may be missing that is about to be written.
    let through = cold.through.min(applied);
    if through < cold.from {
        return Ok(nothing);
    }
    let outbox = rows::outbox(store, (session, priority), cold.from, through, room).await?;
    let ids: Vec<RowId> = outbox.iter().map(|(_, message)| RowId::Message(*message)).collect();
    let mut found = Vec::with_capacity(ids.len());
    for ((position, message), row) in outbox.iter().zip(rows::get_many(store, &ids).await?) {
        if let Some(Row::Message(row)) = row {
            let (standing, reference) = standing(*message, &row, tenure, hands, gates);
            if standing != Standing::Settled {
                found.push((*position, *message, standing, reference));
            }
        }
    }
    let read = if outbox.len() < room { through } else { outbox.last().map_or(through, |last| last.0) };
    mailbox.pulled(life, priority, read);
    Ok(Page { found, more: read < through })
}

/// Looks at messages again that were set aside, in their order. What the store does not show yet is put back, and what
/// comes after it for the same person too.
///
/// # Errors
/// When the store cannot be read; everything is put back.
pub async fn look_again(
    hands: &Hands,
    (tenure, gates): (Tenure, &GatesRow),
    due: Vec<Waits>,
    aside: &mut Aside,
) -> Result<Vec<(Waits, Standing, Option<MessageRef>)>, StoreError> {
    let ids: Vec<RowId> = due.iter().map(|waits| RowId::Message(waits.message)).collect();
    let read = rows::get_many(hands.store.as_ref(), &ids).await;
    let Ok(read) = read else {
        due.into_iter().for_each(|waits| aside.put_back(waits));
        return read.map(|_| Vec::new());
    };
    let mut found: Vec<(Waits, Standing, Option<MessageRef>)> = Vec::with_capacity(due.len());
    let mut unseen = None;
    for (waits, row) in due.into_iter().zip(read) {
        match row {
            Some(Row::Message(row)) if unseen != Some(waits.contact) => {
                let (standing, reference) = standing(waits.message, &row, tenure, hands, gates);
                found.push((waits, standing, reference));
            }
            _ => {
                unseen = Some(waits.contact);
                aside.put_back(waits);
            }
        }
    }
    Ok(found)
}
