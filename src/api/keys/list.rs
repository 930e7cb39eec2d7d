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
use crate::domain::id::ApiKeyId;
use crate::domain::row::{Row, RowId};
use crate::store::rows;

/// Lists the tenant's keys by name; of several keys with one name the last.
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Problem> {
    let tenant = caller.scope.tenant();
    let after = rows::Named { scope: tenant.0, name: page.after.clone(), id: [0; 16] };
    let home = app.partition_of(tenant);
    let mut found = rows::names(&*app.store, "key", home, Some(&after), page.limit()).await?;
    found.retain(|named| named.scope == tenant.0);
    let ids: Vec<RowId> = found.iter().map(|named| RowId::ApiKey(ApiKeyId(named.id))).collect();
    let rows = rows::get_many(&*app.store, &ids).await?;
    let data = found.iter().zip(rows).filter_map(|(named, row)| match row {
        Some(Row::ApiKey(row)) if caller.scope.owns(row.tenant) => Some(view(ApiKeyId(named.id), &row)),
        _ => None,
    });
    let last = found.last().map(|named| named.name.as_str());
    Ok(Json(page.answer(data.collect(), found.len(), last)))
}
