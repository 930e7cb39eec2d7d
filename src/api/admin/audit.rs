//! `GET /v1/admin/audit/checkpoint` and `/v1/admin/audit/records`, and `POST /v1/admin/audit/begin`: what `waybill audit export` is made of. Records are given
//! as they stand in the journal, byte by byte, bodies sealed: whoever asks hashes them again.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::auth::Operator;
use super::super::body::{self, Query};
use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::propose::propose_while;
use super::super::reason;
use super::super::state::App;
use super::super::time::stamp;
use super::events::read;
use crate::audit::sign::note;
use crate::domain::address::Address;
use crate::domain::audit::Checkpoint;
use crate::domain::audit::note::NoteKey;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, LogBegunV1};
use crate::domain::id::EventId;
use crate::domain::record::{Position, Principal};
use crate::domain::routing;
use crate::domain::row::{Row, RowId};
use crate::domain::secret_name::AUDIT_HEAD;
use crate::journal::Entry;
use crate::runtime::health::RESTORED;
use crate::store::rows;

/// Shows what was signed last.
pub async fn checkpoint(State(app): State<Arc<App>>, _: Operator) -> Result<Json<Value>, Problem> {
    let signed = match rows::get(&*app.store, &RowId::Instance(())).await? {
        Some(Row::Instance(row)) => row.signed,
        _ => None,
    };
    let signed = signed.ok_or_else(|| {
        Problem::new(Code::NotFound, "nothing was signed yet")
            .remedy("ask again in some seconds; the log says why if not")
    })?;
    let genesis = app.journal.genesis();
    let audit = Address::audit(genesis.installation);
    let checkpoint = signed.checkpoint();
    Ok(Json(json!({
        "checkpoint": note(&checkpoint, signed.key, &signed.signature).to_string(),
        "key": NoteKey::of_log(&checkpoint.origin, signed.key).to_string(),
        "size": signed.size,
        "signed_at": stamp(signed.at),
        "partition": routing::partition(&audit, genesis.count),
        "sealed_at": signed.sealed_at.0,
        "installation": genesis.installation.to_string(),
        "partitions": genesis.count,
    })))
}

/// What may be asked of another log.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begin {
    reason: String,
    era: Option<u32>,
}

/// How far a number may be named beyond those that are known: numbers must not run out by a slip of the hand, and nobody puts a
/// thousand backups back.
const LEAP: u32 = 1_000;

/// Has another log begun, also while the node is held because a backup was put back: that is what it is for. Its number is above
/// that of each log which the journal or the vault knows of; where both are older than what was published, only whoever kept
/// a checkpoint knows, and names it.
pub async fn begin(
    State(app): State<Arc<App>>,
    _: Operator,
    body::Json(ask): body::Json<Begin>,
) -> Result<Response, Problem> {
    let reason = reason::checked(ask.reason)?;
    let of_rows = match rows::get(&*app.store, &RowId::Instance(())).await? {
        Some(Row::Instance(row)) => row.era,
        _ => 0,
    };
    let known = of_rows.max(of_vault(&app).await?);
    let era = ask.era.unwrap_or(known.saturating_add(1));
    if era <= known {
        let why = format!("is used: the log /{known} is known already, and an origin is never used twice");
        return Err(Problem::field("/era", why, "name a higher one, or none"));
    }
    if era - known > LEAP {
        let why = format!("is far beyond the log /{known}, the last one that is known");
        return Err(Problem::field("/era", why, format!("name one up to {}", known.saturating_add(LEAP))));
    }
    let audit = Address::audit(app.journal.genesis().installation);
    let event = Event::from(LogBegunV1 { era, reason });
    let draft = Draft::new(EventId(app.entropy.id()), audit, &event, Principal::Operator, app.clock.wall());
    propose_while(&app, &[RESTORED], routing::partition(&audit, app.partitions), draft).await?.answer(&app).await
}

/// The log that the vault knows of: it may be later than that of a journal which was put back.
async fn of_vault(app: &App) -> Result<u32, Problem> {
    let unknown = |error: &dyn std::fmt::Display| {
        Problem::new(Code::Unavailable, format!("the vault does not say which logs there were: {error}"))
    };
    let Some(head) = app.vault.secret(None, AUDIT_HEAD).await.map_err(|error| unknown(&error))? else { return Ok(0) };
    let head = Checkpoint::parse(&head.to_text()).map_err(|error| unknown(&error))?;
    Ok(head.era(app.vault.installation()).unwrap_or(0))
}

/// What may be asked of records.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    partition: u16,
    #[serde(default)]
    from: u64,
}

/// Shows a page of records from a position on; none when there are none yet.
pub async fn records(State(app): State<Arc<App>>, _: Operator, Query(ask): Query<Ask>) -> Result<Json<Value>, Problem> {
    if ask.partition >= app.partitions {
        return Err(Problem::new(Code::InvalidQuery, format!("there are {} partitions, from 0", app.partitions)));
    }
    let entries = read(&app, ask.partition, Position(ask.from)).await?;
    let next = entries.last().map_or(ask.from, |last| last.position.0 + 1);
    Ok(Json(json!({
        "records": entries.iter().map(|entry| view(entry)).collect::<Vec<_>>(),
        "next": next,
        "end": app.journal.end(ask.partition).0,
    })))
}

fn view(entry: &Entry) -> Value {
    let record = &entry.record;
    let body = (!record.body.is_empty()).then(|| STANDARD.encode(&record.body));
    json!({"position": entry.position.0, "header": STANDARD.encode(&record.raw), "body": body})
}
