//! `GET /v1/admin/tenants`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::Value;

use super::super::auth::Operator;
use super::super::body::Query;
use super::super::page::Page;
use super::super::problem::Problem;
use super::super::state::App;
use super::super::tenant::view;
use crate::domain::row::{Row, RowId};
use crate::store::rows;

/// Lists tenants by name.
pub async fn tenants(
    State(app): State<Arc<App>>,
    _: Operator,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Problem> {
    let found = app.directory.tenants(&app, &page.after, page.limit()).await?;
    let ids: Vec<RowId> = found.iter().map(|tenant| RowId::Tenant(tenant.id)).collect();
    let rows = rows::get_many(&*app.store, &ids).await?;
    let data = found.iter().zip(rows).filter_map(|(tenant, row)| match row {
        Some(Row::Tenant(row)) => Some(view(tenant.id, &row)),
        _ => None,
    });
    let last = found.last().map(|tenant| tenant.name.as_str());
    Ok(Json(page.answer(data.collect(), found.len(), last)))
}
