//! `GET /v1/keys`.

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

/// Lists the tenant's keys by name; of several keys with one name the last.
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Problem> {
    let tenant = caller.scope.tenant();
    let found = app.directory.keys(&app, tenant, &page.after, page.limit()).await?;
    let ids: Vec<RowId> = found.iter().map(|(_, id)| RowId::ApiKey(*id)).collect();
    let rows = rows::get_many(&*app.store, &ids).await?;
    let data = found.iter().zip(rows).filter_map(|((_, id), row)| match row {
        Some(Row::ApiKey(row)) if caller.scope.owns(row.tenant) => Some(view(*id, &row)),
        _ => None,
    });
    let last = found.last().map(|(name, _)| name.as_str());
    Ok(Json(page.answer(data.collect(), found.len(), last)))
}
