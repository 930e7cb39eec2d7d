//! `POST /v1/messages/bulk`: one message a line, one answer a line, in the same order, any number of them.
//!
//! | file | holds |
//! | --- | --- |
//! | `lines` | the body, cut into lines |
//! | `pipeline` | up to 256 lines on their way at once |
//! | `answers` | the answer's body |
//!
//! A caller must read answers while it writes lines: both sides have bounded buffers, and whoever writes everything first
//! waits for itself once they are full. One that reads nothing for `server.request_timeout` is broken off.

mod answers;
mod lines;
mod pipeline;

pub(in crate::api) use self::lines::{Line, Lines};
pub(in crate::api) use self::pipeline::Reading;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};

use self::answers::answers;
use self::pipeline::Pipeline;
use super::super::auth::Caller;
use super::super::body::content_type;
use super::super::codes::Code;
use super::super::guard::Place;
use super::super::problem::Problem;
use super::super::state::App;
use super::send::IDEMPOTENCY_KEY;
use crate::runtime;

const NDJSON: &str = "application/x-ndjson";

/// Accepts many messages.
pub async fn bulk(
    State(app): State<Arc<App>>,
    caller: Caller,
    place: Place,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    take_lines(app, caller, place, &headers, body, Reading::Messages)
}

/// Whether a body is of lines.
pub(in crate::api) fn check_lines(headers: &HeaderMap) -> Result<(), Problem> {
    content_type(headers, &[NDJSON, "application/ndjson", "application/jsonl"])
}

/// Takes lines that are read in this way.
pub(in crate::api) fn take_lines(
    app: Arc<App>,
    caller: Caller,
    place: Place,
    headers: &HeaderMap,
    body: Body,
    reading: Reading,
) -> Result<Response, Problem> {
    check_lines(headers)?;
    // Passed over in silence it would let a repeated request send all of it again.
    if headers.contains_key(IDEMPOTENCY_KEY) {
        return Err(Problem::new(Code::InvalidHeader, "a bulk request takes no Idempotency-Key")
            .remedy("put `idempotency_key` into each line"));
    }
    let bulk = app.bulks.take(Some(caller.scope.tenant())).map_err(|full| full.problem("bulk requests"))?;
    let server = &app.settings.server;
    let lines = Lines::new(body, server.bulk_line_max.as_usize(), server.request_timeout);
    let (pen, answers) = answers(server.request_timeout);
    let pipeline = Pipeline::new(Arc::clone(&app), caller, (lines, reading), pen);
    // It ends with the request's body or with the answer's, whichever goes first.
    drop(runtime::spawn("bulk", async move {
        pipeline.run().await;
        drop((place, bulk));
    }));
    let mut response = answers.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(NDJSON));
    Ok(response)
}
