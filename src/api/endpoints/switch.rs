//! `POST /v1/endpoints/{name}/enable` and `…/disable`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use super::super::auth::Caller;
use super::super::problem::Problem;
use super::super::propose::propose;
use super::super::state::App;
use super::show::find;
use crate::domain::draft::Draft;
use crate::domain::event::{EndpointDisabledV1, EndpointEnabledV1, Event};
use crate::domain::id::{EndpointId, EventId};
use crate::domain::record::Principal;

/// What the endpoint shows when a person switched it off.
const BY_HAND: &str = "disabled by hand";

/// No endpoint is a test thing: each is told of live messages too.
const TEST: bool = false;

/// Tells an endpoint nothing until it is enabled again. What it misses waits in the feeds.
pub async fn disable(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let (endpoint, _) = find(&app, &caller, &name).await?;
    caller.may_change(TEST)?;
    let reason = BY_HAND.to_owned();
    let event = Event::from(EndpointDisabledV1 { endpoint, reason });
    write(&app, &caller, endpoint, &event).await
}

/// Tells an endpoint again, from its cursors on.
pub async fn enable(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Response, Problem> {
    let (endpoint, _) = find(&app, &caller, &name).await?;
    caller.may_change(TEST)?;
    let event = Event::from(EndpointEnabledV1 { endpoint });
    write(&app, &caller, endpoint, &event).await
}

async fn write(app: &App, caller: &Caller, endpoint: EndpointId, event: &Event) -> Result<Response, Problem> {
    let draft = Draft::new(EventId(app.entropy.id()), endpoint, event, Principal::Key(caller.key), app.clock.wall())
        .tenant(caller.scope.tenant());
    propose(app, app.partition_of(endpoint), draft).await?.answer(app).await
}
