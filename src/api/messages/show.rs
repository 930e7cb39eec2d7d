//! `GET /v1/messages/{id}`: state, facts, timeline, content.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::Value;

use super::super::applied::WAIT_OWN;
use super::super::auth::{Caller, TenantScope};
use super::super::body::Query;
use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::state::App;
use super::super::time;
use super::find::{counting, find};
use super::view::whole;
use super::wait::wait;
use crate::domain::id::MessageId;

/// What may be asked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Answer only once this position is in the rows.
    wait: Option<String>,
    /// How long to wait for it, at most 30 s.
    timeout: Option<String>,
}

/// Shows a message.
pub async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(id): Path<String>,
    Query(ask): Query<Ask>,
) -> Result<Json<Value>, Problem> {
    if let Some(at) = &ask.wait {
        wait(&app, &caller, &id, at, timeout(ask.timeout.as_deref())?).await?;
    }
    let found = find(&app, caller.scope, &id).await?;
    Ok(Json(whole(&app, &found).await?))
}

/// A message as [`show`] shows it, by its id; `None` for one that does not count, or is not within the scope.
///
/// # Errors
/// When the store cannot be read.
pub(in crate::api) async fn whole_of(app: &App, scope: TenantScope, id: MessageId) -> Result<Option<Value>, Problem> {
    match counting(app, id).await?.filter(|found| scope.owns(found.accepted.tenant)) {
        Some(found) => Ok(Some(whole(app, &found).await?)),
        None => Ok(None),
    }
}

fn timeout(text: Option<&str>) -> Result<Duration, Problem> {
    let Some(text) = text else {
        return Ok(WAIT_OWN);
    };
    let value = text.parse::<u32>().map_or_else(|_| Value::from(text), Value::from);
    let micros = time::duration("timeout", &value)
        .map_err(|fault| Problem::new(Code::InvalidQuery, "`timeout` is not a duration").remedy(fault.remedy))?;
    Ok(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
}
