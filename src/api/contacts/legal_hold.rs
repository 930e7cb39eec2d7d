//! `PUT /v1/contacts/legal-hold`: what is kept of a person must stay, or need not any more.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::super::auth::Caller;
use super::super::body::Json;
use super::super::problem::Problem;
use super::super::propose::propose;
use super::super::reason::checked;
use super::super::state::App;
use super::whom;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, LegalHoldSetV1};
use crate::domain::id::EventId;
use crate::domain::record::Principal;

/// Whose data, and whether it must stay.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// A phone number, or `bsuid:` and an id.
    to: String,
    /// Whether it must stay from here on.
    held: bool,
    /// In the words of whoever says so: kept for ever, so no person's data.
    reason: String,
}

/// Sets or lifts it. An erasure that is open waits for its end, and goes on at once when it is lifted. One that is under way
/// when the hold comes may be carried out all the same.
pub async fn legal_hold(
    State(app): State<Arc<App>>,
    caller: Caller,
    Json(ask): Json<Ask>,
) -> Result<Response, Problem> {
    caller.may_change(false)?;
    let reason = checked(ask.reason)?;
    let contact = whom::find(&app, &caller, &ask.to).await?;
    let event = Event::from(LegalHoldSetV1 { contact, held: ask.held, reason });
    let id = EventId(app.entropy.id());
    let draft = Draft::new(id, contact, &event, Principal::Key(caller.key), app.clock.wall());
    propose(&app, app.partition_of(contact), draft.tenant(caller.scope.tenant())).await?.answer(&app).await
}
