//! `GET /v1/admin/messages/{id}`: a message of any tenant, for `waybill inspect`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::super::auth::Operator;
use super::super::messages::{find, view};
use super::super::problem::Problem;
use super::super::state::App;

/// Shows a message, with its tenant and its content.
pub async fn message(
    State(app): State<Arc<App>>,
    operator: Operator,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let found = find::find_any(&app, operator, &id).await?;
    let mut shown = view::whole(&app, &found).await?;
    shown["tenant"] = json!(found.accepted.tenant.to_string());
    Ok(Json(shown))
}
