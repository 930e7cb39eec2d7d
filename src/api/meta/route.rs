//! The two routes of the callback: `GET`, the challenge of its set-up, and `POST`, what Meta has to say.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::super::codes::Code;
use super::super::problem::Problem;
use super::callbacks::Callbacks;
use super::{intake, receive};
use crate::channel::whatsapp::signature::{self, SignatureError};

/// What Meta signs with.
const SIGNATURE: &str = "x-hub-signature-256";

/// How long a body may take. Meta's come at once; whoever takes longer holds memory that Meta needs.
const WITHIN: Duration = Duration::from_secs(5);

/// The routes, at `meta.callback_path`.
pub fn router(callbacks: Arc<Callbacks>) -> Router {
    let path = callbacks.app.settings.meta.callback_path.clone();
    Router::new().route(&path, get(challenge).post(callback)).with_state(callbacks)
}

/// Gives the challenge back to whoever knows the verify token.
async fn challenge(State(callbacks): State<Arc<Callbacks>>, RawQuery(query): RawQuery) -> Response {
    let answer =
        callbacks.verify_token.as_ref().and_then(|token| signature::challenge(query.as_deref()?, token.expose()));
    let Some(answer) = answer else {
        callbacks.told_off("the challenge does not know the verify token");
        return Problem::new(Code::BadVerifyToken, "the verify token is not the configured one")
            .remedy("write the same token into the app's dashboard and into meta.verify_token")
            .into_response();
    };
    // The text is the caller's own: no browser may take it for a page.
    let headers = [(header::CONTENT_TYPE, "text/plain"), (header::X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, answer).into_response()
}

/// 200 once every part is durable. Any other answer makes Meta bring the whole POST again.
async fn callback(
    State(callbacks): State<Arc<Callbacks>>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    let app = &callbacks.app;
    if !app.health.is_well() {
        return Err(Problem::new(Code::Unhealthy, "nothing can be written down").retry_after(5));
    }
    let given = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    // Before anything is read: what no body could make right holds no memory.
    match verify(&callbacks, given, b"") {
        Ok(()) | Err(SignatureError::Wrong) => {}
        Err(error) => return Err(refused(&callbacks, error)),
    }
    let limits = receive::Limits {
        max: usize::try_from(app.settings.server.callback_max_body.bytes()).unwrap_or(usize::MAX),
        within: WITHIN.min(app.settings.server.request_timeout),
    };
    let received = receive::body(&headers, body, limits, &callbacks.bodies).await?;
    verify(&callbacks, given, &received.bytes).map_err(|error| refused(&callbacks, error))?;
    intake::take(&callbacks, &received.bytes).await?;
    Ok(StatusCode::OK)
}

fn verify(callbacks: &Callbacks, given: Option<&str>, body: &[u8]) -> Result<(), SignatureError> {
    let secrets: Vec<&str> = callbacks.app_secrets.iter().map(|s| s.expose()).collect();
    signature::verify(&secrets, given, body)
}

fn refused(callbacks: &Callbacks, error: SignatureError) -> Problem {
    let why = error.to_string();
    callbacks.told_off(&why);
    Problem::new(Code::BadSignature, why)
}
