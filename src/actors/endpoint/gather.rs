//! Gathering a pass: what is new in the feeds beyond the cursors, and failures whose time has come.

use std::collections::BTreeSet;

use crate::actors::hands::Hands;
use crate::domain::endpoint::MAX_FAILING;
use crate::domain::event::CursorV1;
use crate::domain::projection::FeedRow;
use crate::domain::record::{Micros, Position};
use crate::domain::row::EndpointRow;
use crate::journal::Journal;
use crate::store::{StoreError, rows};

/// A notification to post.
#[derive(Debug, Clone)]
pub struct Due {
    /// Where its feed row stands.
    pub at: CursorV1,
    /// The row.
    pub row: FeedRow,
    /// Failed tries so far.
    pub tries: u16,
}

/// A pass about to be made.
#[derive(Debug, Default)]
pub struct Pass {
    /// What to post.
    pub due: Vec<Due>,
    /// How far each feed is settled once it is over.
    pub cursors: Vec<CursorV1>,
    /// Whether the feeds hold more.
    pub more: bool,
}

/// Reads the next pass from the feeds in `look`, beginning with partition `first`; a feed read to its end is taken out.
/// Retries take at most a quarter of a pass, so that neither starves the other.
///
/// # Errors
/// When the store cannot be read.
pub async fn gather(
    hands: &Hands,
    row: &EndpointRow,
    now: Micros,
    first: u16,
    look: &mut BTreeSet<u16>,
) -> Result<Pass, StoreError> {
    let batch = hands.limits.endpoint_batch.max(4);
    let mut pass = Pass { due: retries(hands, row, now, batch / 4).await?, ..Pass::default() };
    // Each of a pass may fail, and each failure is remembered.
    let batch = batch.min(MAX_FAILING.saturating_sub(row.failing.len()));
    let order: Vec<u16> = look.range(first..).chain(look.range(..first)).copied().collect();
    for partition in order {
        let room = batch.saturating_sub(pass.due.len());
        if room == 0 {
            pass.more = true;
            break;
        }
        if read_feed(hands, row, partition, room, &mut pass).await? {
            look.remove(&partition);
        }
    }
    Ok(pass)
}

/// Whether the feed was read to its end.
async fn read_feed(
    hands: &Hands,
    row: &EndpointRow,
    partition: u16,
    room: usize,
    pass: &mut Pass,
) -> Result<bool, StoreError> {
    let Some(applied) = hands.store.applied(partition).await? else {
        return Ok(true);
    };
    let cursor = row.cursor(partition);
    if cursor.is_some_and(|cursor| cursor >= applied) {
        return Ok(true);
    }
    // Rows that this endpoint does not want cost a row of the page too, so the page is larger than the room.
    let page_size = (room * 4).max(64);
    let (page, cut) = rows::feed_page(hands.store.as_ref(), row.tenant, partition, cursor, applied, page_size).await?;
    let mut settled = None;
    let mut events = page.chunk_by(|a, b| a.0 == b.0).peekable();
    let mut taken = 0;
    while let Some(event) = events.next_if(|_| taken < room) {
        let position = event[0].0;
        for (_, feed_row) in event {
            let told = row.since.is_none_or(|since| feed_row.at >= since);
            if told && feed_row.kind.wanted(&row.events) {
                taken += 1;
                let at = CursorV1 { partition, position };
                pass.due.push(Due { at, row: feed_row.clone(), tries: 0 });
            }
        }
        settled = Some(position);
    }
    let all = events.peek().is_none() && !cut;
    pass.more |= !all;
    // A page that was read to its end settles everything applied, also what is of other tenants.
    let settled = if all { Some(applied) } else { settled };
    let worth = taken > 0 || !all || far(hands.journal.as_ref(), partition, cursor, settled);
    pass.cursors.extend(settled.filter(|_| worth).map(|position| CursorV1 { partition, position }));
    Ok(all)
}

/// A cursor that only passes over other tenants' events is written down rarely: reading over them again is cheap.
fn far(journal: &dyn Journal, partition: u16, cursor: Option<Position>, settled: Option<Position>) -> bool {
    const FAR: u64 = 16_384;
    settled.is_some_and(|settled| journal.distance(partition, cursor.unwrap_or_default(), settled) > FAR)
}

/// Rows that one event may have in a feed: 64 outcomes, each with itself, a first `sent` and eight statuses that waited
/// for it, are 640.
const EVENT_ROWS: usize = 1_024;

async fn retries(hands: &Hands, row: &EndpointRow, now: Micros, room: usize) -> Result<Vec<Due>, StoreError> {
    let mut due = Vec::new();
    for failing in row.failing.iter().filter(|failing| failing.next.is_some_and(|next| next <= now)).take(room) {
        let CursorV1 { partition, position } = failing.at;
        let before = position.0.checked_sub(1).map(Position);
        let page = rows::feed(hands.store.as_ref(), row.tenant, partition, before, position, EVENT_ROWS).await?;
        let found = page.into_iter().find(|(_, row)| row.id == failing.notification);
        due.extend(found.map(|(_, row)| Due { at: failing.at, row, tries: failing.tries }));
    }
    Ok(due)
}
