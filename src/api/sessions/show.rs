//! `GET /v1/sessions/{name}`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use super::super::auth::Caller;
use super::super::problem::Problem;
use super::super::state::App;
use super::view;
use crate::domain::id::SessionId;
use crate::domain::row::{Row, RowId, SessionRow};
use crate::store::rows;

/// Shows a session: its declaration, and whether it is suspended, held or slowed down.
pub async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (id, row) = find(&app, &caller, &name).await?;
    Ok(Json(view(id, &row, app.clock.wall())))
}

/// The tenant's session of this name, as it stands now.
pub(super) async fn find(app: &App, caller: &Caller, name: &str) -> Result<(SessionId, SessionRow), Problem> {
    let missing = || Problem::not_found("session");
    let tenant = caller.scope.tenant();
    let session = app.directory.session_named(app, tenant, name).await?;
    let id = session.ok_or_else(missing)?.id;
    match rows::get(&*app.store, &RowId::Session(id)).await? {
        Some(Row::Session(row)) if caller.scope.owns(row.tenant) => Ok((id, row)),
        _ => Err(missing()),
    }
}
