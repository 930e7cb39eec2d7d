//! `GET /v1/messages`: accepted messages, oldest first, page by page over all partitions.
//!
//! Read from the tenant's feeds, one for each partition. A page holds what is known of all of them, ordered by time of
//! acceptance as far as it reaches; between partitions no order is promised. `next` can be kept and asked again later:
//! it goes on where this page ended, and misses nothing.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::auth::{Caller, TenantScope};
use super::super::body::Query;
use super::super::codes::Code;
use super::super::directory::Session;
use super::super::problem::Problem;
use super::super::state::App;
use super::cursor::Cursor;
use super::find::{Found, followed};
use super::view::{Sender, summary};
use crate::domain::id::{MessageId, SessionId};
use crate::domain::message::State as Standing;
use crate::domain::notification::NotificationKind;
use crate::domain::record::{Micros, Position};
use crate::domain::row::{Row, RowId, SessionRow};
use crate::domain::waiting::HELD;
use crate::store::rows;

/// Messages of one page.
const LIMIT: usize = 50;

/// Most messages of one page: with 64 partitions, each read twice as far, 25,600 small rows.
const LIMIT_MAX: usize = 200;

/// States that can be asked for, beside [`HELD`].
const STATES: [Standing; 10] = [
    Standing::Scheduled,
    Standing::Queued,
    Standing::Sending,
    Standing::Unknown,
    Standing::Sent,
    Standing::Delivered,
    Standing::Read,
    Standing::Failed,
    Standing::Expired,
    Standing::Cancelled,
];

/// What may be asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    cursor: Option<String>,
    limit: Option<usize>,
    session: Option<String>,
    state: Option<String>,
}

/// A message in a feed.
struct Candidate {
    at: Micros,
    partition: u16,
    position: Position,
    message: MessageId,
}

/// Lists messages.
pub async fn list(State(app): State<Arc<App>>, caller: Caller, Query(ask): Query<Ask>) -> Result<Json<Value>, Problem> {
    let limit = ask.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let state = ask.state.as_deref().map(state).transpose()?;
    let session = app.directory.session_asked(&app, caller.scope.tenant(), ask.session.as_deref()).await?;
    let mut cursor = Cursor::asked(ask.cursor.as_deref())?;
    let (mut candidates, mut more) = (Vec::new(), false);
    for partition in app.partitions_of(session.as_deref()) {
        let feed = Feed { scope: caller.scope, partition, session: session.as_deref() };
        more |= feed.read(&app, &mut cursor, limit, &mut candidates).await?;
    }
    candidates.sort_unstable_by_key(|c| (c.at, c.partition, c.position));
    let taken = candidates.drain(..limit.min(candidates.len())).collect();
    let mut next = cursor;
    more |= step_back(&mut next, &candidates);
    let data = show(&app, caller.scope, taken, state).await?;
    Ok(Json(json!({"data": data, "next": next.encode(), "more": more})))
}

fn state(word: &str) -> Result<&'static str, Problem> {
    let words = || STATES.iter().map(|state| state.word()).chain([HELD]);
    words().find(|known| *known == word).ok_or_else(|| {
        let words: Vec<&str> = words().collect();
        Problem::new(Code::InvalidQuery, "`state` is not a state").remedy(format!("choose from {}", words.join(", ")))
    })
}

/// One feed, filtered.
struct Feed<'a> {
    scope: TenantScope,
    partition: u16,
    session: Option<&'a Session>,
}

impl Feed<'_> {
    /// Reads on from the cursor and moves it to the end of what was read. Says whether there may be more.
    async fn read(
        &self,
        app: &App,
        cursor: &mut Cursor,
        limit: usize,
        candidates: &mut Vec<Candidate>,
    ) -> Result<bool, Problem> {
        let Some(through) = app.store.applied(self.partition).await? else {
            return Ok(false);
        };
        let (tenant, after) = (self.scope.tenant(), cursor.get(self.partition));
        if after >= Some(through) {
            return Ok(false);
        }
        // A message has several public events beside its acceptance, so a feed is read further than the page.
        let found = rows::feed(&*app.store, tenant, self.partition, after, through, limit * 2);
        let found = found.await?;
        let Some(end) = found.last().map(|(position, _)| *position) else {
            cursor.advance(self.partition, through);
            return Ok(false);
        };
        cursor.advance(self.partition, end);
        let accepted = found
            .into_iter()
            .filter(|(_, row)| row.kind == NotificationKind::Accepted)
            .filter(|(_, row)| self.session.is_none_or(|s| row.session == Some(s.id)));
        candidates.extend(accepted.filter_map(|(position, row)| {
            Some(Candidate { at: row.at, partition: self.partition, position, message: row.message? })
        }));
        Ok(end < through)
    }
}

/// Takes the cursor back before what was found and did not fit. Says whether there was any.
fn step_back(cursor: &mut Cursor, left: &[Candidate]) -> bool {
    for candidate in left {
        let before = Position(candidate.position.0.saturating_sub(1));
        cursor.limit(candidate.partition, before);
    }
    !left.is_empty()
}

async fn show(
    app: &App,
    scope: TenantScope,
    taken: Vec<Candidate>,
    state: Option<&'static str>,
) -> Result<Vec<Value>, Problem> {
    let ids: Vec<RowId> = taken.iter().map(|c| RowId::Message(c.message)).collect();
    let mut messages = Vec::with_capacity(taken.len());
    for (id, row) in ids.iter().zip(rows::get_many(&*app.store, &ids).await?) {
        if let (RowId::Message(id), Some(Row::Message(row))) = (id, row) {
            messages.extend(followed(app, *id, row).await?.filter(|found| scope.owns(found.accepted.tenant)));
        }
    }
    let sessions = sessions(app, &messages).await?;
    let now = app.clock.wall();
    let mut data = Vec::with_capacity(messages.len());
    for found in messages {
        let sender = Sender { row: sessions.get(&found.accepted.session), now };
        let shown = summary(&found, sender);
        if state.is_none_or(|state| shown["state"] == state) {
            data.push(Value::Object(shown));
        }
    }
    Ok(data)
}

/// The sessions of these messages, as their rows have them now.
async fn sessions(app: &App, messages: &[Found]) -> Result<HashMap<SessionId, SessionRow>, Problem> {
    let ids: BTreeSet<SessionId> = messages.iter().map(|found| found.accepted.session).collect();
    let names: Vec<RowId> = ids.iter().copied().map(RowId::Session).collect();
    let found = ids.into_iter().zip(rows::get_many(&*app.store, &names).await?);
    let rows = found.filter_map(|(id, row)| if let Some(Row::Session(row)) = row { Some((id, row)) } else { None });
    Ok(rows.collect())
}
