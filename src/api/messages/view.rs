//! A message as answers show it. State is computed from the facts, and the facts are shown too; why it waits is computed
//! from its row and its session's.

use serde_json::{Map, Value, json};

use super::super::problem::Problem;
use super::super::state::App;
use super::super::time::{maybe, stamp};
use super::find::Found;
use super::open::open;
use crate::domain::record::{Micros, Position};
use crate::domain::row::{Attempt, Fact, How, MessageRow, Row, RowId, SessionRow};
use crate::domain::waiting::{Waiting, state_word, waiting};
use crate::domain::wamid;
use crate::store::rows;

/// A message's session as its row has it now; `None` while that cannot be found.
#[derive(Debug, Clone, Copy)]
pub struct Sender<'a> {
    /// Its row.
    pub row: Option<&'a SessionRow>,
    /// The time.
    pub now: Micros,
}

impl Sender<'_> {
    /// Why the message waits, if there is something to say.
    #[must_use]
    pub fn waiting(&self, found: &Found) -> Option<Waiting> {
        waiting(&found.row, self.row, self.now)
    }
}

/// What lists show: nothing that is sealed.
#[must_use]
pub fn summary(found: &Found, sender: Sender<'_>) -> Map<String, Value> {
    let waiting = sender.waiting(found);
    let (row, accepted) = (&found.row, &found.accepted);
    let mut map = Map::new();
    let mut put = |name: &str, value: Value| drop(map.insert(name.to_owned(), value));
    put("id", json!(found.id.to_string()));
    put("wamid", json!(wamid::write(found.id)));
    put("state", json!(state_word(row, waiting.as_ref())));
    put("from", json!(sender.row.map(|row| &row.name)));
    put("session", json!(accepted.session.to_string()));
    put("contact", json!(accepted.contact.to_string()));
    put("category", json!(accepted.category));
    put("priority", json!(accepted.priority));
    put("unknown", json!(accepted.unknown));
    put("test", json!(accepted.test));
    put("ordered", json!(accepted.ordered));
    put("attempts", json!(row.next_attempt() - 1));
    put("requeued", json!(row.round));
    put("duplicates", json!(row.duplicates));
    put("accepted_at", stamp(accepted.fact.at));
    put("send_at", maybe(accepted.send_at));
    put("expires_at", stamp(accepted.expires_at));
    put("sent_at", fact(row.sent));
    put("delivered_at", fact(row.delivered));
    put("read_at", fact(row.read));
    put("played_at", fact(row.played));
    put("cancelled_at", fact(row.cancelled));
    put("expired_at", fact(row.expired));
    put("failure", failure(row));
    put("pricing", json!(row.price.as_ref().and_then(|price| price.category.as_ref())));
    put("campaign", json!(accepted.campaign.map(|campaign| campaign.to_string())));
    if let Some(it) = waiting {
        put("waiting", json!({"why": it.why.word(), "until": maybe(it.until), "code": it.code, "reason": it.reason}));
    }
    map
}

/// Everything, with the content opened.
///
/// # Errors
/// When the store cannot be read.
pub async fn whole(app: &App, found: &Found) -> Result<Value, Problem> {
    let session = rows::get(&*app.store, &RowId::Session(found.accepted.session)).await?;
    let row = session.as_ref().and_then(|row| if let Row::Session(row) = row { Some(row) } else { None });
    let mut map = summary(found, Sender { row, now: app.clock.wall() });
    let (partition, position) = found.accepted.content(found.place);
    map.insert("position".to_owned(), json!(format!("{partition}:{}", position.0)));
    map.insert("not_before".to_owned(), maybe(found.row.not_before));
    open(app, found).await.write(&mut map);
    map.insert("timeline".to_owned(), json!(timeline(found)));
    Ok(Value::Object(map))
}

fn fact(fact: Option<Fact>) -> Value {
    maybe(fact.map(|fact| fact.at))
}

fn failure(row: &MessageRow) -> Value {
    row.failed
        .as_ref()
        .map_or(Value::Null, |failed| json!({"at": stamp(failed.fact.at), "class": failed.class, "code": failed.code}))
}

/// What happened, in the order in which it was written down.
fn timeline(found: &Found) -> Vec<Value> {
    let row = &found.row;
    let mut steps: Vec<(Position, Value)> = Vec::new();
    let mut step = |fact: Fact, what: &str, more: Value| {
        let mut entry = json!({"at": stamp(fact.at), "what": what, "position": fact.position.0});
        if let (Some(entry), Value::Object(more)) = (entry.as_object_mut(), more) {
            entry.extend(more);
        }
        steps.push((fact.position, entry));
    };
    step(found.accepted.fact, "accepted", Value::Null);
    if let Some(released) = row.released {
        step(released, "released", Value::Null);
    }
    for attempt in &row.attempts {
        step(attempt.started, "attempt_started", json!({"attempt": attempt.number}));
        if let Some(ended) = &attempt.ended {
            step(ended.fact, "attempt_ended", outcome(attempt, ended.how, ended.code));
        }
    }
    let facts = [
        (row.sent, "sent"),
        (row.delivered, "delivered"),
        (row.read, "read"),
        (row.played, "played"),
        (row.cancelled, "cancelled"),
        (row.expired, "expired"),
    ];
    for (fact, what) in facts {
        if let Some(fact) = fact {
            step(fact, what, Value::Null);
        }
    }
    if let Some(failed) = &row.failed {
        step(failed.fact, "failed", json!({"class": failed.class, "code": failed.code}));
    }
    // Stable: what one event said stays in the order above.
    steps.sort_by_key(|(position, _)| *position);
    steps.into_iter().map(|(_, entry)| entry).collect()
}

fn outcome(attempt: &Attempt, how: How, code: i32) -> Value {
    let how = match how {
        How::Sent => "sent",
        How::Retry => "retry",
        How::Failed => "failed",
        How::Unknown => "unknown",
        How::Withdrawn => "withdrawn",
    };
    json!({"attempt": attempt.number, "outcome": how, "code": code})
}
