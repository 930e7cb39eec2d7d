//! `POST /v1/sessions/{name}/suspend`, `…/drain`, `…/resume` and `…/release`.
//!
//! Suspending is an event in the session's partition: every intent after its position is void. The answer is 200 once it
//! is effective. Draining stops the intake and not the sending: this node refuses at once, the others of the installation
//! within five seconds, which is how old what they know of a session may be. Releasing lifts what the provider's answers
//! brought about, and never a suspension.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use super::super::auth::Caller;
use super::super::body::Json;
use super::super::problem::Problem;
use super::super::propose::propose;
use super::super::reason::Ask;
use super::super::state::App;
use super::show::find;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, SessionDrainingV1, SessionReleasedV1, SessionResumedV1, SessionSuspendedV1};
use crate::domain::id::{EventId, SessionId};
use crate::domain::record::Principal;

/// Stops a session from sending. Messages are still taken, and wait.
pub async fn suspend(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Json(ask): Json<Ask>,
) -> Result<Response, Problem> {
    let reason = ask.reason()?;
    write(&app, &caller, &name, |session| SessionSuspendedV1 { session, reason }).await
}

/// Empties a session: it takes no more messages, and sends those it has.
pub async fn drain(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Json(ask): Json<Ask>,
) -> Result<Response, Problem> {
    let reason = ask.reason()?;
    let answer = write(&app, &caller, &name, |session| SessionDrainingV1 { session, reason }).await?;
    app.directory.refresh(&app).await?;
    Ok(answer)
}

/// Lets a session send again, and take messages.
pub async fn resume(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Json(ask): Json<Ask>,
) -> Result<Response, Problem> {
    let reason = Some(ask.reason()?);
    let answer = write(&app, &caller, &name, |session| SessionResumedV1 { session, reason }).await?;
    // It may have been draining.
    app.directory.refresh(&app).await?;
    Ok(answer)
}

/// Lifts a hold and a lowered rate before their time. If the provider still refuses, they come back with its next answer.
pub async fn release(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
    Json(ask): Json<Ask>,
) -> Result<Response, Problem> {
    let reason = Some(ask.reason()?);
    write(&app, &caller, &name, |session| SessionReleasedV1 { session, reason }).await
}

async fn write<E: Into<Event>>(
    app: &App,
    caller: &Caller,
    name: &str,
    event: impl FnOnce(SessionId) -> E,
) -> Result<Response, Problem> {
    let (session, row) = find(app, caller, name).await?;
    caller.may_change(row.test)?;
    let event = event(session).into();
    let draft = Draft::new(EventId(app.entropy.id()), session, &event, Principal::Key(caller.key), app.clock.wall())
        .tenant(caller.scope.tenant());
    propose(app, app.partition_of(session), draft).await?.answer(app).await
}
