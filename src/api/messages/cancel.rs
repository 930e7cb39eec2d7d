//! `POST /v1/messages/{id}/cancel`: call a message off before it leaves.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::super::auth::Caller;
use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::propose::propose;
use super::super::state::App;
use super::find::find;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, MessageCancelledV1};
use crate::domain::id::EventId;
use crate::domain::message::State as Standing;
use crate::domain::record::Principal;

/// Cancels a message. 202: the call-off is durable, and every later intent to send is void. An attempt that was open by
/// then is not taken back; `GET` shows what became of it.
pub async fn cancel(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let found = find(&app, caller.scope, &id).await?;
    caller.may_change(found.accepted.test)?;
    match found.row.state() {
        Standing::Scheduled | Standing::Queued | Standing::Unknown | Standing::Moved => {}
        Standing::Sending => {
            return Err(wrong("sending").remedy("an attempt is under way; ask again when its outcome is known"));
        }
        settled => {
            return Err(wrong(settled.word()).remedy("only a message that waits can be called off"));
        }
    }
    let round = Some(found.row.round).filter(|round| *round > 0);
    let event = Event::from(MessageCancelledV1 { message: found.place, round });
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
    Ok((StatusCode::ACCEPTED, Json(answer)).into_response())
}

/// The message is in a state that does not allow what is asked.
pub(super) fn wrong(state: &str) -> Problem {
    Problem::new(Code::WrongState, format!("the message is `{state}`"))
}
