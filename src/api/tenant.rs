//! `GET /v1/tenant`: whose key this is.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::auth::Caller;
use super::backlog;
use super::guard::word;
use super::problem::Problem;
use super::state::App;
use crate::domain::id::TenantId;
use crate::domain::row::{Row, RowId, TenantRow};
use crate::store::rows;

/// Shows the tenant and the key that asks.
pub async fn show(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Value>, Problem> {
    let id = caller.scope.tenant();
    let Some(Row::Tenant(row)) = rows::get(&*app.store, &RowId::Tenant(id)).await? else {
        return Err(Problem::not_found("tenant"));
    };
    let mut shown = view(id, &row);
    shown["waiting"] = json!(backlog::read(&app, id).await?);
    shown["key"] = json!({
        "id": caller.key.to_string(),
        "role": word(caller.role),
        "test": caller.test,
    });
    Ok(Json(shown))
}

/// A tenant as answers show it.
#[must_use]
pub fn view(id: TenantId, row: &TenantRow) -> Value {
    json!({
        "id": id.to_string(),
        "name": row.name,
        "display_name": row.display_name,
        "per_second": row.per_second,
        "burst": row.burst,
        "require_opt_in": row.gates.require_opt_in,
        "require_window": row.gates.require_window,
        "queue_max": row.queue_max,
        "quiet_hours": row.quiet_hours.as_ref().map(ToString::to_string),
    })
}
