//! `GET /v1/failures`: messages that failed, ran out of time, or may have been sent; no content and no addresses.
//!
//! Read from the lists of failures, one for each partition, oldest first as far as a page reaches. A page may hold fewer
//! than asked for, and even none, while `more` is true: what was settled since is left out, and one request reads only so
//! far. `next` goes on where it ended.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::auth::{Caller, TenantScope};
use super::super::body::Query;
use super::super::codes::Code;
use super::super::messages::Cursor;
use super::super::problem::Problem;
use super::super::state::App;
use super::super::time::stamp;
use super::wanted::Wanted;
use crate::domain::filter::Filter;
use crate::domain::record::{Micros, Position};
use crate::domain::row::{FailingRow, MessageRow, Row, RowId};
use crate::store::rows;

/// Failures of one page.
const LIMIT: usize = 50;

/// Most failures of one page: with 64 partitions 17,000 small rows.
const LIMIT_MAX: usize = 200;

/// Buckets that one request looks into in each partition, a million positions: at most so many empty scans.
const BUCKETS: u64 = 16;

/// What may be asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    cursor: Option<String>,
    limit: Option<usize>,
    session: Option<String>,
    state: Option<String>,
    category: Option<String>,
    class: Option<String>,
    code: Option<i32>,
    template: Option<String>,
    before: Option<String>,
    after: Option<String>,
}

/// A failure in a list.
struct Candidate {
    /// The latest time up to it in its partition: an order that no step of a clock takes out of that of the positions.
    order: Micros,
    partition: u16,
    position: Position,
    row: FailingRow,
}

/// Lists failures.
pub async fn list(State(app): State<Arc<App>>, caller: Caller, Query(ask): Query<Ask>) -> Result<Json<Value>, Problem> {
    let limit = ask.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let mut cursor = Cursor::asked(ask.cursor.as_deref())?;
    let asked = ask.wanted().read(&app, caller.scope, "").await.map_err(of_query)?;
    let (mut candidates, mut more) = (Vec::new(), false);
    for partition in app.partitions_of(asked.session.as_deref()) {
        let found = read(&app, caller.scope, partition, &asked.filter, &mut cursor, limit).await?;
        more |= found.1;
        candidates.extend(found.0);
    }
    let taken = first(&mut candidates, limit);
    for left in &candidates {
        cursor.limit(left.partition, Position(left.position.0.saturating_sub(1)));
    }
    more |= !candidates.is_empty();
    let data = show(&app, caller.scope, taken).await?;
    Ok(Json(json!({"data": data, "next": cursor.encode(), "more": more})))
}

/// Takes a page. What failed in one event is not parted, for a cursor is a position: there may be more than `limit`.
fn first(candidates: &mut Vec<Candidate>, limit: usize) -> Vec<Candidate> {
    candidates.sort_by_key(|c| (c.order, c.partition, c.position));
    let mut end = limit.min(candidates.len());
    let place = |c: &Candidate| (c.partition, c.position);
    while (1..candidates.len()).contains(&end) && place(&candidates[end]) == place(&candidates[end - 1]) {
        end += 1;
    }
    candidates.drain(..end).collect()
}

impl Ask {
    fn wanted(self) -> Wanted {
        Wanted {
            session: self.session,
            state: self.state,
            category: self.category,
            class: self.class,
            code: self.code,
            template: self.template,
            before: self.before,
            after: self.after,
        }
    }
}

/// A wrong word of a query is told as one of a query.
fn of_query(problem: Problem) -> Problem {
    let Some(fault) = problem.errors.first() else {
        return problem;
    };
    let name = fault.pointer.trim_start_matches('/');
    Problem::new(Code::InvalidQuery, format!("`{name}` {}", fault.what)).remedy(fault.remedy.clone())
}

/// Reads on in one partition and moves the cursor to the end of what was read. Says whether there may be more.
async fn read(
    app: &App,
    scope: TenantScope,
    partition: u16,
    filter: &Filter,
    cursor: &mut Cursor,
    limit: usize,
) -> Result<(Vec<Candidate>, bool), Problem> {
    let Some(through) = app.store.applied(partition).await? else {
        return Ok((Vec::new(), false));
    };
    let after = cursor.get(partition);
    if after >= Some(through) {
        return Ok((Vec::new(), false));
    }
    let found = rows::failing(&*app.store, (scope.tenant(), partition), after, through, limit, BUCKETS).await?;
    cursor.advance(partition, found.reached);
    let mut order = Micros::MIN;
    let candidates = found.rows.into_iter().map(|(position, row)| {
        order = order.max(row.at);
        Candidate { order, partition, position, row }
    });
    Ok((candidates.filter(|c| filter.matches(&c.row)).collect(), found.reached < through))
}

async fn show(app: &App, scope: TenantScope, taken: Vec<Candidate>) -> Result<Vec<Value>, Problem> {
    let ids: Vec<RowId> = taken.iter().map(|c| RowId::Message(c.row.message)).collect();
    let rows = rows::get_many(&*app.store, &ids).await?;
    let mut data = Vec::with_capacity(taken.len());
    for (candidate, row) in taken.into_iter().zip(rows) {
        let Some(Row::Message(row)) = row else {
            continue;
        };
        let ours = row.accepted.as_ref().is_some_and(|accepted| scope.owns(accepted.tenant));
        if !ours || !candidate.row.holds(&row) {
            continue;
        }
        let session = app.directory.session(app, candidate.row.session).await?;
        data.push(view(&candidate.row, &row, session.as_ref().map(|session| session.name.as_str())));
    }
    Ok(data)
}

fn view(failing: &FailingRow, row: &MessageRow, session: Option<&str>) -> Value {
    json!({
        "id": row.accepted.as_ref().map_or(failing.message, |it| it.origin(failing.message)).to_string(),
        "state": failing.state.word(),
        "from": session,
        "session": failing.session.to_string(),
        "category": failing.category,
        "template": failing.template,
        "class": failing.class,
        "code": failing.code,
        "at": stamp(failing.at),
        "attempts": row.next_attempt() - 1,
        "test": row.accepted.as_ref().is_some_and(|accepted| accepted.test),
    })
}
