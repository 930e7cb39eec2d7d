//! What comes in: the send call of callers, the status callbacks of Meta.

use super::component::Shared;
use super::outgoing::{Notice, Outgoing};
use crate::signature::verify_hub;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::json;
use std::borrow::Cow;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use tokio::sync::mpsc::error::TrySendError;

pub(super) fn routes(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/messages", post(send))
        .route("/callback", post(callback))
        .route("/stats", get(stats))
        .with_state(shared)
}

#[derive(Deserialize)]
struct SendCall<'a> {
    #[serde(borrow)]
    from: Cow<'a, str>,
    #[serde(borrow)]
    to: Cow<'a, str>,
    #[serde(borrow)]
    text: Text<'a>,
}

#[derive(Deserialize)]
struct Text<'a> {
    #[serde(borrow)]
    body: Cow<'a, str>,
}

fn refuse(status: StatusCode, error: &str) -> Response {
    (status, json!({ "error": error }).to_string()).into_response()
}

async fn send(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let given = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    if given.and_then(|value| value.strip_prefix("Bearer ")) != Some(&*shared.config.api_key) {
        return refuse(StatusCode::UNAUTHORIZED, "the api key is missing or wrong");
    }
    let call: SendCall<'_> = match serde_json::from_slice(&body) {
        Ok(call) => call,
        Err(wrong) => return refuse(StatusCode::BAD_REQUEST, &wrong.to_string()),
    };
    let id = shared.next_id();
    let number = shared.config.senders.get(&*call.from).unwrap_or(&shared.config.phone_number_id);
    let (phone_number_id, to, text) = (number.clone(), call.to.into_owned(), call.text.body.into_owned());
    let message = Outgoing { id: id.clone(), phone_number_id, to, text };
    // A place first: what is synced must be forwarded.
    let place = match shared.messages.try_reserve() {
        Ok(place) => place,
        Err(TrySendError::Full(())) => {
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "the queue is full");
        }
        Err(TrySendError::Closed(())) => {
            return refuse(StatusCode::SERVICE_UNAVAILABLE, "shutting down");
        }
    };
    if let Some(wal) = &shared.wal
        && !wal.append(body).await
    {
        return refuse(StatusCode::INTERNAL_SERVER_ERROR, "the file cannot be written");
    }
    place.send(message);
    shared.count.accepted.fetch_add(1, Relaxed);
    let answer = format!("{{\"id\":\"{id}\",\"status\":\"accepted\"}}");
    (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/json")], answer).into_response()
}

#[derive(Deserialize)]
struct Callback<'a> {
    #[serde(borrow)]
    entry: Vec<Entry<'a>>,
}

#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(borrow)]
    changes: Vec<Change<'a>>,
}

#[derive(Deserialize)]
struct Change<'a> {
    #[serde(borrow)]
    value: Value<'a>,
}

#[derive(Deserialize)]
struct Value<'a> {
    #[serde(default, borrow)]
    statuses: Vec<Status<'a>>,
}

#[derive(Deserialize)]
struct Status<'a> {
    #[serde(borrow)]
    status: Cow<'a, str>,
    #[serde(borrow)]
    timestamp: Cow<'a, str>,
    #[serde(default, borrow)]
    biz_opaque_callback_data: Cow<'a, str>,
}

async fn callback(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Some(secret) = &shared.config.app_secret else {
        return StatusCode::NOT_FOUND;
    };
    let given = headers.get("x-hub-signature-256").and_then(|value| value.to_str().ok());
    if !given.is_some_and(|signature| verify_hub(secret, &body, signature)) {
        return StatusCode::UNAUTHORIZED;
    }
    if let Some(wal) = &shared.wal
        && !wal.append(body.clone()).await
    {
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    let Ok(callback) = serde_json::from_slice::<Callback<'_>>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    let statuses = callback.entry.iter().flat_map(|entry| &entry.changes).flat_map(|change| &change.value.statuses);
    for status in statuses {
        shared.count.statuses.fetch_add(1, Relaxed);
        if !notice(&shared, status) {
            return StatusCode::SERVICE_UNAVAILABLE;
        }
    }
    StatusCode::OK
}

/// Queues a notification, if notifications are wanted; `false` when the queue is full.
fn notice(shared: &Shared, status: &Status<'_>) -> bool {
    let Some(notices) = &shared.notices else {
        return true;
    };
    let text = |value: &Cow<'_, str>| value.to_string();
    let (message_id, timestamp) = (text(&status.biz_opaque_callback_data), text(&status.timestamp));
    notices.try_send(Notice { message_id, status: text(&status.status), timestamp }).is_ok()
}

async fn stats(State(shared): State<Arc<Shared>>) -> Response {
    let body = json!(shared.count.stats()).to_string();
    (StatusCode::OK, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}
