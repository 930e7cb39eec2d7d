//! `POST /v1/messages`: one message. 202 means durable.

use std::sync::Arc;

use axum::Json as Answer;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::super::accept::{IdempotencyKey, Taken, accept};
use super::super::auth::Caller;
use super::super::body::Json;
use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::state::App;
use super::decode::decode;

/// Where the caller's key stands.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Accepts a message.
pub async fn send(
    State(app): State<Arc<App>>,
    caller: Caller,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Result<Response, Problem> {
    let request = decode(body, key(&headers)?)?;
    let taken = accept(&app, &caller, request).await?;
    Ok((StatusCode::ACCEPTED, Answer(answer(&taken))).into_response())
}

/// What is said of a message that was taken.
pub(super) fn answer(taken: &Taken) -> Value {
    json!({
        "id": taken.id.to_string(),
        "status": "accepted",
        "position": format!("{}:{}", taken.partition, taken.position.0),
        "durability": "synced",
        "replayed": taken.replayed,
    })
}

fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let mut all = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(value) = all.next() else {
        return Ok(None);
    };
    if all.next().is_some() {
        return Err(Problem::new(Code::InvalidHeader, "there is more than one Idempotency-Key"));
    }
    IdempotencyKey::parse(value.to_str().unwrap_or_default()).map(Some)
}
