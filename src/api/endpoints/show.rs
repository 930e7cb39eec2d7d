//! `GET /v1/endpoints/{name}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::super::auth::Caller;
use super::super::problem::Problem;
use super::super::state::App;
use super::super::time::maybe;
use super::lag::lag;
use super::view;
use crate::domain::id::EndpointId;
use crate::domain::row::{EndpointRow, Row, RowId};
use crate::store::rows;

/// Failing notifications that are listed; the row holds more.
const SHOWN: usize = 50;

/// Shows an endpoint: how far it was told, and what failed.
pub async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (id, row) = find(&app, &caller, &name).await?;
    let mut shown = view(id, &row);
    shown["lag"] = lag(&app, &row).await?;
    let failures = row.failing.iter().take(SHOWN).map(|failing| {
        json!({
            "notification": failing.notification.to_string(),
            "position": format!("{}:{}", failing.at.partition, failing.at.position.0),
            "tries": failing.tries,
            "next": maybe(failing.next),
            "why": failing.why,
        })
    });
    shown["failures"] = failures.collect();
    Ok(Json(shown))
}

/// The tenant's endpoint of this name, as it stands now.
pub(super) async fn find(app: &App, caller: &Caller, name: &str) -> Result<(EndpointId, EndpointRow), Problem> {
    let missing = || Problem::not_found("endpoint");
    let tenant = caller.scope.tenant();
    let id = app.directory.endpoint_named(app, tenant, name).await?;
    let id = id.ok_or_else(missing)?;
    match rows::get(&*app.store, &RowId::Endpoint(id)).await? {
        Some(Row::Endpoint(row)) if caller.scope.owns(row.tenant) => Ok((id, row)),
        _ => Err(missing()),
    }
}
