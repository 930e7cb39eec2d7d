//! `POST /v1/contacts/erase`: forget a person.
//!
//! The verb writes down that it is asked for; the owner of the person's mailbox carries it out (`actors/erasure.rs`), which
//! takes a moment. Whoever asks again is told of the same request.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::auth::Caller;
use super::super::body;
use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::propose::propose;
use super::super::reason::checked;
use super::super::state::App;
use super::super::time::stamp;
use super::whom;
use crate::domain::draft::Draft;
use crate::domain::event::{ErasureAskedV1, Event};
use crate::domain::id::{EventId, KeyId};
use crate::domain::record::{Micros, Principal};
use crate::domain::row::{MAX_OPEN, OpenErasure, PrivacyRow, Row, RowId};
use crate::store::rows;

/// Who is to be forgotten, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// A phone number, or `bsuid:` and an id.
    to: String,
    /// In the words of whoever asks: kept for ever, so no person's data.
    reason: String,
}

/// Asks for it. 202: it is written down, and on its way unless a legal hold stands against it.
pub async fn erase(
    State(app): State<Arc<App>>,
    caller: Caller,
    body::Json(ask): body::Json<Ask>,
) -> Result<Response, Problem> {
    caller.may_change(false)?;
    let reason = checked(ask.reason)?;
    let contact = whom::find(&app, &caller, &ask.to).await?;
    let partition = app.partition_of(contact);
    let open = open(&app, partition).await?;
    if let Some(known) = open.erasures.iter().find(|known| known.contact == contact) {
        return Ok((StatusCode::OK, Json(view(known))).into_response());
    }
    if open.erasures.len() >= MAX_OPEN {
        return Err(Problem::new(Code::Overloaded, "too many erasures are open in this person's partition")
            .retry_after(60)
            .remedy("see GET /v1/privacy/requests: lift legal holds that need not stand any more"));
    }
    let now = app.clock.wall();
    let within = Micros::try_from(app.settings.privacy.erasure_within.as_micros()).unwrap_or(Micros::MAX);
    let asked = EventId(app.entropy.id());
    let facts = ErasureAskedV1 { contact, due_at: now.saturating_add(within), reason: reason.clone() };
    let draft = Draft::new(asked, contact, &Event::from(facts.clone()), Principal::Key(caller.key), now);
    propose(&app, partition, draft.tenant(caller.scope.tenant())).await?.shown(&app).await?;
    let held = whom::row(&app, contact).await?.legal_hold;
    let answer = asked_for((asked, contact), (now, facts.due_at), held, &reason);
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

/// What is open in a partition.
pub(super) async fn open(app: &App, partition: u16) -> Result<PrivacyRow, Problem> {
    Ok(match rows::get(&*app.store, &RowId::Privacy(partition)).await? {
        Some(Row::Privacy(row)) => row,
        _ => PrivacyRow::default(),
    })
}

/// An erasure that is not done.
pub(super) fn view(open: &OpenErasure) -> Value {
    asked_for((open.asked, open.contact), (open.asked_at, open.due_at), open.held, &open.reason)
}

fn asked_for(
    (asked, contact): (EventId, KeyId),
    (asked_at, due_at): (Micros, Micros),
    held: bool,
    reason: &str,
) -> Value {
    json!({
        "id": asked.to_string(),
        "right": "erasure",
        "contact": contact.to_string(),
        "state": if held { "held" } else { "open" },
        "asked_at": stamp(asked_at),
        "due_at": stamp(due_at),
        "reason": reason,
    })
}
