//! `GET /healthz` and `GET /readyz`: for load balancers and supervisors. Public, so they show parts and no reasons.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::problem::Problem;
use super::state::App;
use crate::domain::record::Position;

/// Events that rows may be behind before this node is not ready: some hundreds of milliseconds of applying.
const LAG_MAX: u64 = 10_000;

/// The process answers.
pub async fn live() -> Json<Value> {
    Json(json!({"status": "live"}))
}

/// Messages are taken and shown.
pub async fn ready(State(app): State<Arc<App>>) -> Result<Response, Problem> {
    let mut parts: Vec<&str> = app.health.reasons().iter().map(|(part, _)| *part).collect();
    parts.extend(app.health.pressure().iter().map(|(part, _)| *part));
    if app.health.is_leaving() {
        parts.push("leaving");
    }
    if is_behind(&app).await? {
        parts.push("replay");
    }
    let (status, word) =
        if parts.is_empty() { (StatusCode::OK, "ready") } else { (StatusCode::SERVICE_UNAVAILABLE, "not_ready") };
    Ok((status, Json(json!({"status": word, "parts": parts}))).into_response())
}

/// Whether rows are far behind the journal, as while they are rebuilt.
async fn is_behind(app: &App) -> Result<bool, Problem> {
    for partition in 0..app.partitions {
        let end = app.journal.end(partition);
        let applied = app.store.applied(partition).await?;
        let next = applied.map_or(Position(0), Position::next);
        if app.journal.distance(partition, next, end) > LAG_MAX || (applied.is_none() && end > Position(0)) {
            return Ok(true);
        }
    }
    Ok(false)
}
