//! `GET /v1/admin/events`: what stands in a partition, header and facts, for `waybill tail`. Sealed bodies stay sealed and
//! are not shown.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::super::auth::Operator;
use super::super::body::Query;
use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::state::App;
use super::super::time::stamp;
use super::facts::facts;
use crate::domain::record::{Position, Principal, Record};
use crate::journal::{Entry, Journal};

/// Events of one answer.
const LIMIT: usize = 100;

/// Most events of one answer; what a tail gives at once.
const LIMIT_MAX: usize = 1_000;

/// How long a tail may take to show what is there already.
const WAIT: Duration = Duration::from_millis(500);

/// What may be asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    partition: u16,
    #[serde(default)]
    from: u64,
    last: Option<usize>,
    limit: Option<usize>,
}

/// Shows events from a position on, or the newest; none when there are none yet.
pub async fn events(State(app): State<Arc<App>>, _: Operator, Query(ask): Query<Ask>) -> Result<Json<Value>, Problem> {
    if ask.partition >= app.partitions {
        return Err(Problem::new(Code::InvalidQuery, format!("there are {} partitions, from 0", app.partitions)));
    }
    let limit = ask.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    let entries = match ask.last {
        Some(last) => newest(&app, ask.partition, last.clamp(1, limit)).await?,
        None => read(&app, ask.partition, Position(ask.from)).await?,
    };
    let shown: Vec<Value> = entries.iter().take(limit).map(|entry| view(entry)).collect();
    let next = entries[..shown.len()].last().map_or(ask.from, |last| last.position.0 + 1);
    let end = super::super::applied::end(&app, ask.partition).await?;
    Ok(Json(json!({
        "partition": ask.partition,
        "events": shown,
        "next": next,
        "end": end.0,
    })))
}

/// The newest so many events.
async fn newest(app: &App, partition: u16, count: usize) -> Result<Vec<Arc<Entry>>, Problem> {
    let end = super::super::applied::end(app, partition).await?;
    let mut from = before(app.journal.as_ref(), partition, end, count as u64);
    let mut found = Vec::new();
    while from < end {
        let page = read(app, partition, from).await?;
        let Some(last) = page.last() else { break };
        from = last.position.next();
        found.extend(page);
        found.drain(..found.len().saturating_sub(count));
    }
    Ok(found)
}

/// The last position from which on at least so many events stand; what lies between two positions only the journal knows.
fn before(journal: &dyn Journal, partition: u16, end: Position, count: u64) -> Position {
    let (mut low, mut high) = (0, end.0);
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        let enough = journal.distance(partition, Position(middle), end) >= count;
        if enough { low = middle } else { high = middle }
    }
    Position(low)
}

pub(super) async fn read(app: &App, partition: u16, from: Position) -> Result<Vec<Arc<Entry>>, Problem> {
    if from >= app.journal.end(partition) && from >= super::super::applied::end(app, partition).await? {
        return Ok(Vec::new());
    }
    let mut tail = app.journal.tail(partition, from);
    match tokio::time::timeout(WAIT, tail.next()).await {
        Ok(Ok(entries)) => Ok(entries),
        Ok(Err(error)) => {
            tracing::error!(%error, partition, "a partition cannot be read");
            Err(Problem::new(Code::Unavailable, error.to_string()))
        }
        Err(_) => Ok(Vec::new()),
    }
}

fn view(entry: &Entry) -> Value {
    let mut view = describe(&entry.record);
    view.insert("position".to_owned(), json!(entry.position.0));
    Value::Object(view)
}

/// What people read of a record: its header and facts.
#[must_use]
pub fn describe(record: &Record) -> Map<String, Value> {
    let header = &record.header;
    let (name, facts) = match record.event() {
        Ok(event) => (event.name(), facts(&event)),
        Err(error) => ("Undecodable", json!({"why": error.to_string()})),
    };
    let described = json!({
        "id": header.id.to_string(),
        "kind": header.kind,
        "name": name,
        "at": stamp(header.at),
        "by": by(header.by),
        "address": format!("{:?}", header.address),
        "tenant": header.tenant.map(|tenant| tenant.to_string()),
        "cause": header.cause.map(|cause| cause.to_string()),
        "subject": header.subject.map(|message| message.to_string()),
        "epoch": header.epoch.map(|epoch| epoch.0),
        "key": header.key.map(|key| key.to_string()),
        "sealed_bytes": header.body.map(|body| body.len),
        "facts": facts,
    });
    match described {
        Value::Object(described) => described,
        _ => Map::new(),
    }
}

fn by(principal: Principal) -> String {
    match principal {
        Principal::Node(node) => node.to_string(),
        Principal::Key(key) => key.to_string(),
        Principal::Meta => "meta".to_owned(),
        Principal::Operator => "operator".to_owned(),
        Principal::Other(number) => format!("principal {number}"),
    }
}
