//! `POST /v1/messages/{id}/resolve`: somebody decides what an unknown outcome was.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::super::auth::Caller;
use super::super::body::Json;
use super::super::problem::Problem;
use super::super::propose::propose;
use super::super::state::App;
use super::cancel::wrong;
use super::find::find;
use crate::domain::draft::Draft;
use crate::domain::event::{AttemptRef, Event, Resolution, UnknownResolvedV1};
use crate::domain::id::EventId;
use crate::domain::message::State as Standing;
use crate::domain::record::Principal;

/// What is decided.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// `sent`, `resend` or `give_up`.
    #[serde(rename = "as")]
    resolution: Resolution,
}

/// Resolves an unknown outcome.
pub async fn resolve(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Json(ask): Json<Ask>,
) -> Result<Response, Problem> {
    let found = find(&app, caller.scope, &id).await?;
    caller.may_change(found.accepted.test)?;
    let last = found.row.attempts.last();
    let (Standing::Unknown, Some(attempt)) = (found.row.state(), last) else {
        return Err(wrong(found.row.state().word()).remedy("only a message whose outcome is unknown can be resolved"));
    };
    let event = Event::from(UnknownResolvedV1 {
        of: AttemptRef { message: found.place, attempt: attempt.number },
        resolution: ask.resolution,
        reason: None,
    });
    let draft = Draft::new(
        EventId(app.entropy.id()),
        found.accepted.session,
        &event,
        Principal::Key(caller.key),
        app.clock.wall(),
    )
    .tenant(found.accepted.tenant)
    .subject(found.place);
    let proposed = propose(&app, app.partition_of(found.accepted.session), draft).await?;
    let answer = json!({"id": found.id.to_string(), "position": proposed.place()});
    Ok((StatusCode::ACCEPTED, axum::Json(answer)).into_response())
}
