//! `GET /v1/sessions`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use super::super::auth::Caller;
use super::super::body::Query;
use super::super::page::Page;
use super::super::problem::Problem;
use super::super::state::App;
use super::view;
use crate::domain::row::{Row, RowId};
use crate::store::rows;

/// Lists the tenant's sessions by name.
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Problem> {
    let tenant = caller.scope.tenant();
    let found = app.directory.sessions(&app, tenant, &page.after, page.limit()).await?;
    let ids: Vec<RowId> = found.iter().map(|session| RowId::Session(session.id)).collect();
    let rows = rows::get_many(&*app.store, &ids).await?;
    let now = app.clock.wall();
    let data = found.iter().zip(rows).filter_map(|(session, row)| match row {
        Some(Row::Session(row)) if caller.scope.owns(row.tenant) => Some(view(session.id, &row, now)),
        _ => None,
    });
    let last = found.last().map(|session| session.name.as_str());
    Ok(Json(page.answer(data.collect(), found.len(), last)))
}
