//! Looking over the rows for the gauges of telemetry: what waits, since when, who is behind, what is stopped.
//!
//! One partition at a time, each once a round, so the cost is spread: a partition costs its own row, its open sessions'
//! marks, one record, and a row for each session and endpoint declared in it. Nothing here decides anything.

use std::time::Duration;

use crate::actors::hands::Hands;
use crate::domain::id::{EndpointId, SessionId};
use crate::domain::record::{Micros, Position};
use crate::domain::row::{EndpointRow, OpenErasure, PartitionRow, Row, RowId, SessionRow, Waiting};
use crate::journal::Journal;
use crate::store::{Store, StoreError, rows};
use crate::telemetry::{self, Survey};

/// How long a round over all partitions takes.
const ROUND: Duration = Duration::from_secs(15);

/// The first round is short: until it is over there are no figures.
const FIRST: Duration = Duration::from_secs(1);

/// Names read at once.
const PAGE: usize = 1_000;

/// Rows of a feed looked at beyond an endpoint's cursor. What it does not want is passed over by its actor soon.
const LOOK: usize = 64;

/// What one partition has.
#[derive(Debug, Clone, Default, PartialEq)]
struct Part {
    waiting: Waiting,
    oldest: Option<Micros>,
    behind: u64,
    set_aside: u64,
    sessions: [u64; 3],
    held: [u64; telemetry::HELD.len()],
    endpoints: [u64; 3],
    untold: Option<Micros>,
    failing: u64,
    erasures: [u64; 3],
}

/// Surveys until the node stops. Where nodes share the partitions each surveys its own, so that their figures can be added up.
pub async fn survey(hands: Hands, shared: bool) {
    let count = hands.journal.genesis().count;
    let mut found: Vec<Part> = Vec::with_capacity(usize::from(count));
    loop {
        for partition in 0..count {
            let is_first = found.len() < usize::from(count);
            tokio::time::sleep(if is_first { FIRST } else { ROUND } / u32::from(count)).await;
            let now = hands.clock.wall();
            let found_there = match shared && !hands.registry.owns(partition) {
                true => Ok(Part::default()),
                false => part(hands.store.as_ref(), hands.journal.as_ref(), partition, now).await,
            };
            let part = match found_there {
                Ok(part) => part,
                Err(error) => {
                    tracing::warn!(partition, %error, "a partition cannot be surveyed; its gauges stay");
                    found.get(usize::from(partition)).cloned().unwrap_or_default()
                }
            };
            match found.get_mut(usize::from(partition)) {
                Some(place) => *place = part,
                None => found.push(part),
            }
            let unsealed = hands.registry.unsealed.oldest().map_or(0, |since| u64::try_from(now - since).unwrap_or(0));
            telemetry::unsealed(Duration::from_micros(unsealed));
            if found.len() == usize::from(count) {
                telemetry::surveyed(&sum(&found, now));
            }
        }
    }
}

async fn part(store: &dyn Store, journal: &dyn Journal, partition: u16, now: Micros) -> Result<Part, StoreError> {
    let row = match rows::get(store, &RowId::Partition(partition)).await? {
        Some(Row::Partition(row)) => row,
        _ => PartitionRow::default(),
    };
    let next = store.applied(partition).await?.map_or(Position(0), Position::next);
    let mut part = Part {
        waiting: row.waiting,
        behind: journal.distance(partition, next, journal.end(partition)),
        set_aside: rows::quarantined(store, partition).await?.len() as u64,
        ..Part::default()
    };
    if row.waiting.all() > 0 {
        part.oldest = oldest(store, journal, partition).await?;
    }
    sessions(store, partition, now, &mut part).await?;
    endpoints(store, journal.genesis().count, partition, &mut part).await?;
    part.erasures = erasures(store, partition, now).await?;
    Ok(part)
}

/// When the oldest message was accepted that is not settled, as the sessions' low-water marks have it.
async fn oldest(store: &dyn Store, journal: &dyn Journal, partition: u16) -> Result<Option<Micros>, StoreError> {
    let lows = rows::open_sessions(store, partition).await?.into_iter().map(|(_, low)| low);
    let Some(low) = lows.min().filter(|low| *low < journal.end(partition)) else {
        return Ok(None);
    };
    match journal.read(partition, low).await {
        Ok(entry) => Ok(Some(entry.record.header.at)),
        Err(error) => {
            tracing::warn!(partition, %error, "the oldest message that waits cannot be read");
            Ok(None)
        }
    }
}

/// Rows of all things of a kind that are declared in a partition.
async fn declared(
    store: &dyn Store,
    kind: &str,
    partition: u16,
    id: impl Fn([u8; 16]) -> RowId,
) -> Result<Vec<Row>, StoreError> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = rows::names(store, kind, partition, after.as_ref(), PAGE).await?;
        let ids: Vec<RowId> = page.iter().map(|named| id(named.id)).collect();
        all.extend(rows::get_many(store, &ids).await?.into_iter().flatten());
        after = page.last().cloned();
        if page.len() < PAGE {
            return Ok(all);
        }
    }
}

async fn sessions(store: &dyn Store, partition: u16, now: Micros, part: &mut Part) -> Result<(), StoreError> {
    for row in declared(store, "session", partition, |id| RowId::Session(SessionId(id))).await? {
        if let Row::Session(SessionRow { suspended, held, paced, .. }) = row {
            let held = held.filter(|held| held.holds(now));
            let standing = match (suspended, &held) {
                (Some(_), _) => 2,
                (None, Some(_)) => 1,
                _ => 0,
            };
            part.sessions[standing] += 1;
            let slowed = paced.filter(|paced| paced.slows(now)).map(|_| "paced");
            for class in held.iter().map(|held| held.class.as_str()).chain(slowed) {
                part.held[telemetry::held(class)] += 1;
            }
        }
    }
    Ok(())
}

async fn endpoints(store: &dyn Store, count: u16, partition: u16, part: &mut Part) -> Result<(), StoreError> {
    for row in declared(store, "endpoint", partition, |id| RowId::Endpoint(EndpointId(id))).await? {
        let Row::Endpoint(row) = row else { continue };
        let standing = match (&row.disabled, row.failing_since) {
            (Some(_), _) => 2,
            (None, Some(_)) => 1,
            (None, None) => 0,
        };
        part.endpoints[standing] += 1;
        part.failing += row.failing.len() as u64;
        if row.disabled.is_none() {
            part.untold = part.untold.into_iter().chain(untold(store, count, &row).await?).min();
        }
    }
    Ok(())
}

/// Erasures that are open, held, overdue: one that is overdue is counted twice.
async fn erasures(store: &dyn Store, partition: u16, now: Micros) -> Result<[u64; 3], StoreError> {
    let Some(Row::Privacy(row)) = rows::get(store, &RowId::Privacy(partition)).await? else {
        return Ok([0; 3]);
    };
    let of = |wanted: fn(&OpenErasure, Micros) -> bool| row.erasures.iter().filter(|it| wanted(it, now)).count() as u64;
    Ok([of(|it, _| !it.held), of(|it, _| it.held), of(|it, now| it.due_at <= now)])
}

/// When the oldest notification happened that stands beyond the endpoint's cursors.
async fn untold(store: &dyn Store, count: u16, row: &EndpointRow) -> Result<Option<Micros>, StoreError> {
    let mut oldest: Option<Micros> = None;
    for partition in 0..count {
        let (cursor, applied) = (row.cursor(partition), store.applied(partition).await?);
        let Some(applied) = applied.filter(|applied| cursor < Some(*applied)) else { continue };
        let (feed, _) = rows::feed_page(store, row.tenant, partition, cursor, applied, LOOK).await?;
        let mut wanted = feed.iter().map(|(_, told)| told).filter(|told| told.kind.wanted(&row.events));
        let first = wanted.find(|told| row.since.is_none_or(|since| told.at >= since)).map(|told| told.at);
        oldest = oldest.into_iter().chain(first).min();
    }
    Ok(oldest)
}

fn sum(parts: &[Part], now: Micros) -> Survey {
    let age = |at: Option<Micros>| Duration::from_micros(at.and_then(|at| u64::try_from(now - at).ok()).unwrap_or(0));
    let add = |a: [u64; 3], b: [u64; 3]| [a[0] + b[0], a[1] + b[1], a[2] + b[2]];
    let mut sum = Survey {
        oldest: age(parts.iter().filter_map(|part| part.oldest).min()),
        lag: age(parts.iter().filter_map(|part| part.untold).min()),
        ..Survey::default()
    };
    for part in parts {
        sum.waiting = sum.waiting.and(part.waiting);
        sum.behind += part.behind;
        sum.set_aside += part.set_aside;
        sum.sessions = add(sum.sessions, part.sessions);
        for (all, more) in sum.held.iter_mut().zip(part.held) {
            *all += more;
        }
        sum.endpoints = add(sum.endpoints, part.endpoints);
        sum.failing += part.failing;
        sum.erasures = add(sum.erasures, part.erasures);
    }
    sum
}

#[cfg(test)]
mod tests;
