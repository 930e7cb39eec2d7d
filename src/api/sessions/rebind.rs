//! `POST /v1/sessions/{name}/rebind`: what waits at a session goes to another, or to a pool.
//!
//! Each message leaves by an event in the session's own mailbox, where its intents stand: it is sent by the one or goes to
//! the other, and never both. The session has to be suspended, or held for a while yet: from one that sends, what comes later
//! to somebody would go while what came before is tried. What is under way, or may have been sent, stays; so does what waits for a time or a gate, and a
//! line of a campaign, whose gate is in its sender's partition: but to the pool that it came from it may go back.

use std::collections::HashSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::super::auth::Caller;
use super::super::body::Json;
use super::super::codes::Code;
use super::super::directory::Session;
use super::super::problem::Problem;
use super::super::propose::propose_many;
use super::super::reason;
use super::super::state::App;
use super::show::find;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, MessageMovedOutV1, Priority};
use crate::domain::id::{KeyId, MessageId, SessionId};
use crate::domain::message::{MAX_DEPTH, State as Standing};
use crate::domain::pool::Taking;
use crate::domain::record::{Micros, Position, Principal, Record};
use crate::domain::row::{MessageRow, Row, RowId, SessionRow};
use crate::store::rows;

/// Messages that are looked at at once.
const PAGE: usize = 512;

/// Most messages of one call, beside what is to the same people: as many events of some 200 bytes, two megabytes.
const MOST: usize = 10_000;

/// Records of one append.
const BATCH: usize = 128;

/// A hold lasts at least so long yet: nothing leaves from the session while its messages do.
const STILL: Micros = 10_000_000;

/// Where to, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Name of the session or pool.
    to: String,
    /// In the operator's words; kept with each move.
    reason: Option<String>,
    /// Only count.
    #[serde(default)]
    dry_run: bool,
}

/// What was found at the session.
#[derive(Default)]
struct Found {
    /// Those that go, in their order.
    going: Vec<(MessageId, Box<MessageRow>)>,
    /// To whom.
    people: HashSet<KeyId>,
    /// Those that wait there, and stay.
    staying: usize,
    /// There may be more.
    more: bool,
}

/// Moves what waits at a session, or counts it.
pub async fn rebind(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Json(ask): Json<Ask>,
) -> Result<Response, Problem> {
    reason::check_unless_dry(ask.reason.as_deref(), ask.dry_run)?;
    let (session, row) = find(&app, &caller, &name).await?;
    caller.may_change(row.test)?;
    if row.is_pool() {
        return Err(Problem::new(Code::WrongState, "it is a pool, and hands on what it has by itself")
            .remedy("name a session; what waits at a pool's member can go back to its pool"));
    }
    if !ask.dry_run && !is_still(&row, app.clock.wall()) {
        return Err(Problem::new(Code::WrongState, "it may send while its messages go")
            .remedy("suspend it first, so that what is to one person keeps its order"));
    }
    let to = target(&app, &caller, session, row.test, &ask.to).await?;
    let place = app.walks.take(None).map_err(|full| full.problem("long queues walked through"))?;
    let found = waiting(&app, session, &to).await?;
    drop(place);
    let mut answer = json!({
        "dry_run": ask.dry_run,
        "matched": found.going.len(),
        "left_out": found.staying,
        "more": found.more,
        "moved": 0,
        "applied": null,
    });
    let (Some(reason), false) = (ask.reason, ask.dry_run) else {
        return Ok(axum::Json(answer).into_response());
    };
    let moved = found.going.len();
    let applied = carry_out(&app, &caller, (session, &to), found.going, &reason).await?;
    answer["moved"] = json!(moved);
    answer["applied"] = json!(applied);
    let status = if applied { StatusCode::OK } else { StatusCode::ACCEPTED };
    Ok((status, axum::Json(answer)).into_response())
}

fn is_still(row: &SessionRow, now: Micros) -> bool {
    let held = row.held.as_ref().is_some_and(|held| held.ends(now).saturating_sub(now) >= STILL);
    row.suspended.is_some() || held
}

async fn target(app: &App, caller: &Caller, from: SessionId, test: bool, name: &str) -> Result<Arc<Session>, Problem> {
    let found = app.directory.session_named(app, caller.scope.tenant(), name).await?;
    let wrong = |what: &str, remedy: &str| Err(Problem::field("/to", what, remedy));
    match found {
        None => wrong("names no session or pool of this tenant", "GET /v1/sessions and GET /v1/pools list them"),
        Some(to) if to.id == from => wrong("is the session itself", "name another"),
        Some(to) if to.test != test => wrong("is for tests, or this one is", "name one of the same kind"),
        Some(to) if to.draining.is_some() => wrong("takes no more messages", "name one that is not being emptied"),
        Some(to) => Ok(to),
    }
}

/// Reads what waits at the session, from its low mark on.
async fn waiting(app: &App, session: SessionId, to: &Session) -> Result<Found, Problem> {
    let (partition, store) = (app.partition_of(session), &*app.store);
    let mut found = Found::default();
    let (Some(through), Some(low)) =
        (store.applied(partition).await?, rows::open_session(store, partition, session).await?)
    else {
        return Ok(found);
    };
    let mut taking = Taking::default();
    for priority in Priority::ALL {
        let mut from = low;
        while from <= through {
            let page = rows::outbox(store, (session, priority), from, through, PAGE).await?;
            let Some(last) = page.last().map(|(position, _)| *position) else {
                break;
            };
            let ids: Vec<RowId> = page.iter().map(|(_, message)| RowId::Message(*message)).collect();
            for ((position, message), row) in page.iter().zip(rows::get_many(store, &ids).await?) {
                let Some(Row::Message(row)) = row else { continue };
                if found.going.len() == 2 * MOST {
                    found.more = true;
                    return Ok(found);
                }
                found.look(*position, *message, row, to.id, &mut taking);
            }
            from = last.next();
        }
    }
    Ok(found)
}

impl Found {
    fn look(&mut self, at: Position, message: MessageId, row: Box<MessageRow>, to: SessionId, taking: &mut Taking) {
        let goes = taking.may_go(&row, at);
        if goes && fits(&row, to) {
            let contact = row.accepted.as_ref().map(|accepted| accepted.contact);
            // What is to one person goes together.
            if self.going.len() < MOST || contact.is_some_and(|contact| self.people.contains(&contact)) {
                self.people.extend(contact);
                self.going.push((message, row));
            } else {
                self.more = true;
            }
        } else if matches!(row.state(), Standing::Queued | Standing::Sending | Standing::Unknown) {
            self.staying += usize::from(row.entered() == Some(at));
        }
    }
}

/// Whether it may go there: not a campaign's line but back to its pool, and nothing from hand to hand for ever.
fn fits(row: &MessageRow, to: SessionId) -> bool {
    let Some(accepted) = &row.accepted else {
        return false;
    };
    let home = accepted.leg.as_ref().is_some_and(|leg| leg.sender == to);
    let depth = accepted.leg.as_ref().map_or(0, |leg| leg.depth);
    home || (accepted.campaign.is_none() && depth < MAX_DEPTH)
}

async fn carry_out(
    app: &App,
    caller: &Caller,
    (session, to): (SessionId, &Session),
    going: Vec<(MessageId, Box<MessageRow>)>,
    reason: &str,
) -> Result<bool, Problem> {
    let (partition, now) = (app.partition_of(session), app.clock.wall());
    let mut records = Vec::with_capacity(going.len());
    for (message, row) in going {
        let facts = move_out(session, to, message, &row, reason);
        records.push(written(caller, facts, now)?);
    }
    let batches = records.chunks(BATCH).map(|batch| (partition, batch.to_vec())).collect();
    match propose_many(app, batches).await?.pop() {
        Some(last) => last.shown(app).await,
        None => Ok(true),
    }
}

fn move_out(from: SessionId, to: &Session, message: MessageId, row: &MessageRow, reason: &str) -> MessageMovedOutV1 {
    let number = row.moves.saturating_add(1);
    let home = row.accepted.as_ref().and_then(|accepted| accepted.leg.as_ref()).filter(|leg| leg.sender == to.id);
    MessageMovedOutV1 {
        session: from,
        message,
        number,
        to: to.id,
        leg: home.map_or_else(|| message.leg(number, to.id, to.partition), |leg| leg.from),
        person: None,
        reason: Some(reason.to_owned()),
    }
}

fn written(caller: &Caller, facts: MessageMovedOutV1, at: Micros) -> Result<Record, Problem> {
    let (id, session, message) = (facts.id(), facts.session, facts.message);
    let draft = Draft::new(id, session, &Event::from(facts), Principal::Key(caller.key), at);
    let record = draft.tenant(caller.scope.tenant()).subject(message).record();
    record.map_err(|error| Problem::new(Code::TooLarge, error.to_string()))
}
