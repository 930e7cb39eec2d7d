//! How a request is answered: late, badly, half, or not at all.

use super::error::GraphError;
use super::fault::{BodyKind, Fault, Faults};
use super::payload::StatusEvent;
use super::send::{Outcome, Turn};
use super::simulator::Shared;
use crate::server::{Answer, Cut, empty, json};
use bytes::Bytes;
use http::{Response, StatusCode, header};
use std::sync::Arc;
use std::time::Duration;

/// A stalled connection is closed after this, so that a forgotten caller does not hold it for ever.
const STALL: Duration = Duration::from_secs(600);
/// The most an early callback may hold up the answer.
const EARLY_MAX: Duration = Duration::from_secs(2);

/// Answers, as late and as badly as the fault has it.
pub(super) async fn finish(shared: &Arc<Shared>, faults: &Faults, turn: Turn, cut: &Cut) -> Response<Answer> {
    let Turn { n, outcome, fault } = turn;
    let mut late = faults.latency(n);
    if let Some(Fault::Latency { ms }) = &fault {
        late += ms;
    }
    let response = match outcome {
        Outcome::Accepted { body, early } => {
            if let Some(event) = early {
                post_early(shared, event).await;
            }
            json(StatusCode::OK, body)
        }
        Outcome::MarkedRead => json(StatusCode::OK, &br#"{"success":true}"#[..]),
        Outcome::Refused(refused) => answer_error(&refused, n),
        Outcome::Withheld => answer_error(&GraphError::new(131_000), n),
    };
    if late > 0 {
        tokio::time::sleep(Duration::from_millis(late)).await;
    }
    match fault {
        None => response,
        Some(fault) => misbehave(&fault, response, n, cut).await,
    }
}

/// Posts a status and waits for its answer, in a task of its own: giving up the wait must not lose the status.
async fn post_early(shared: &Arc<Shared>, event: StatusEvent) {
    let callbacks = shared.callbacks.clone();
    let posting = tokio::spawn(async move { callbacks.post_early(event).await });
    // Both ends of the wait are fine: it was posted, or it is late and goes on by itself.
    drop(tokio::time::timeout(EARLY_MAX, posting).await);
}

async fn misbehave(fault: &Fault, response: Response<Answer>, n: u64, cut: &Cut) -> Response<Answer> {
    match fault {
        Fault::Latency { .. } => return response,
        Fault::Http { status, body, .. } => {
            let status = StatusCode::from_u16(*status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            return http_fault(status, *body, n);
        }
        Fault::Error { code, .. } => return answer_error(&GraphError::new(*code), n),
        Fault::MalformedBody { .. } => {
            return json(StatusCode::OK, &br#"{"messaging_product":"whatsapp","contacts":[{"inp"#[..]);
        }
        Fault::Stall { .. } => {
            tokio::time::sleep(STALL).await;
            cut.arm(0, false);
        }
        Fault::ResetBeforeBody => cut.arm(0, true),
        Fault::Reset { at, .. } => cut.arm(*at, true),
        Fault::AcceptedNoAnswer => cut.arm(0, false),
    }
    response
}

fn http_fault(status: StatusCode, body: BodyKind, n: u64) -> Response<Answer> {
    match body {
        BodyKind::Empty => empty(status),
        BodyKind::Json => {
            let code = if status.is_server_error() { 2 } else { 1 };
            json(status, GraphError::new(code).body(&trace(n)).to_string())
        }
        BodyKind::Html => {
            let page = Bytes::from_static(
                b"<html><head><title>Error</title></head><body>Sorry, something went wrong.</body></html>",
            );
            let mut response = json(status, page);
            response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static("text/html"));
            response
        }
    }
}

fn trace(n: u64) -> String {
    format!("ASimulated{n:016x}")
}

pub(super) fn answer_error(error: &GraphError, n: u64) -> Response<Answer> {
    json(error.status(), error.body(&trace(n)).to_string())
}
