//! `POST /v1/contacts/show`: what a person allowed, and to which senders the person wrote lately.
//!
//! A read by POST: the person's number must not stand in a path or a query, which proxies and logs keep.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::auth::Caller;
use super::super::body;
use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::state::App;
use super::super::time::stamp;
use super::evidence::{self, Seen};
use super::whom;
use crate::domain::event::{ConsentChangedV1, Event, Role};
use crate::domain::id::{KeyId, SessionId};
use crate::domain::record::{Micros, Position};
use crate::journal::Entry;

/// Who is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// A phone number, or `bsuid:` and an id.
    to: String,
}

/// Shows a contact, as far as its partition has applied. Makes nobody.
pub async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    body::Json(ask): body::Json<Ask>,
) -> Result<Json<Value>, Problem> {
    let contact = whom::find(&app, &caller, &ask.to).await?;
    Ok(Json(shown_to(&app, &caller, contact).await?))
}

/// What a caller is shown of a contact.
pub(super) async fn shown_to(app: &App, caller: &Caller, contact: KeyId) -> Result<Value, Problem> {
    let row = whom::row(app, contact).await?;
    let marketing = match row.marketing {
        Some((.., position)) => marketing(app, caller, contact, position).await?,
        None => Value::Null,
    };
    let now = app.clock.wall();
    let mut windows = Vec::new();
    for (session, until) in row.windows.into_iter().filter(|(_, until)| *until > now) {
        windows.push(window(app, caller, session, until).await?);
    }
    let held = row.held.filter(|(until, _)| *until > now);
    Ok(json!({
        "contact": contact.to_string(),
        "marketing": marketing,
        "marketing_held": held.map(|(until, code)| json!({"until": stamp(until), "code": code})),
        "windows": windows,
        "legal_hold": row.legal_hold,
        "erasure": row.erasure.map(|asked| asked.to_string()),
    }))
}

/// The word that counts, read where it stands: its row keeps the place.
async fn marketing(app: &App, caller: &Caller, contact: KeyId, at: Position) -> Result<Value, Problem> {
    let partition = app.partition_of(contact);
    let unreadable = |why: String| {
        tracing::error!(%contact, %why, "a word on marketing cannot be read");
        Problem::new(Code::Unavailable, "the record of the consent cannot be read").retry_after(1)
    };
    let entry = app.journal.read(partition, at).await.map_err(|error| unreadable(error.to_string()))?;
    let Ok(Event::ConsentChanged(said)) = entry.record.event() else {
        return Err(unreadable(format!("position {} of partition {partition} is something else", at.0)));
    };
    let evidence = shown(app, caller, &entry, &said).await;
    Ok(json!({
        "allowed": said.marketing,
        "source": said.source,
        "said_at": stamp(said.said_at),
        "recorded_at": stamp(entry.record.header.at),
        "position": format!("{partition}:{}", at.0),
        "evidence": evidence,
    }))
}

/// The evidence, to whom it concerns: who answers for the tenant and who audits it. The others learn that there is some.
/// Test keys are handed around freely and open nothing that is sealed for a person.
async fn shown(app: &App, caller: &Caller, entry: &Entry, said: &ConsentChangedV1) -> Value {
    let Some(bytes) = said.evidence else {
        return Value::Null;
    };
    let may = !caller.test && matches!(caller.role, Role::Admin | Role::Auditor);
    let seen = match may {
        true => evidence::open(app, caller.scope.tenant(), said.contact, &entry.record).await,
        false => Seen::Not("role"),
    };
    match seen {
        Seen::Text(text) => json!({"bytes": bytes, "text": text, "withheld": null}),
        Seen::Not(why) => json!({"bytes": bytes, "text": null, "withheld": why}),
    }
}

async fn window(app: &App, caller: &Caller, session: SessionId, until: Micros) -> Result<Value, Problem> {
    let known = app.directory.session(app, session).await?;
    let known = known.filter(|known| caller.scope.owns(known.tenant));
    Ok(json!({
        "session": session.to_string(), "from": known.map(|known| known.name.clone()), "until": stamp(until),
    }))
}
