//! The route of the drop-in: who calls, what they send, the reply in Meta's shape.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, RawQuery, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};
use zeroize::Zeroizing;

use super::super::accept::{self, accept};
use super::super::auth::{self, Caller};
use super::super::codes::Code;
use super::super::guard::Place;
use super::super::problem::Problem;
use super::super::state::App;
use super::error::GraphError;
use super::{context, request, wamid};
use crate::domain::content::BSUID_PREFIX;
use crate::domain::event::Role;

/// The routes, at the root of the listener.
pub fn router(app: Arc<App>) -> Router {
    Router::new().route("/{version}/{account}/messages", post(messages)).with_state(app)
}

async fn messages(
    State(app): State<Arc<App>>,
    Path((version, account)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Body,
) -> Response {
    if !is_version(&version) {
        return Problem::not_found("route").into_response();
    }
    if !is_account(&account) {
        return unknown(&app, &Method::POST, &format!("/{version}/{account}/messages"));
    }
    let call = Call { app: &app, account: &account, headers: &headers };
    match call.send(query.as_deref(), body).await {
        Ok(reply) => Json(reply).into_response(),
        Err(error) => answer(&app, &error),
    }
}

fn answer(app: &App, error: &GraphError) -> Response {
    let trace = hex::encode(app.entropy.id());
    // Only our own failures are worth a line each; clients can make as many mistakes as they like.
    match error.status.is_server_error() {
        true => tracing::warn!(code = error.code, trace, "a request of the drop-in failed"),
        false => tracing::debug!(code = error.code, trace, "a request of the drop-in was refused"),
    }
    error.response(&trace)
}

/// Whether a path is meant for the Graph API: it begins with a version of it. `v1` is this server's own.
pub fn is_path(path: &str) -> bool {
    let first = path.strip_prefix('/').and_then(|path| path.split('/').next());
    first.is_some_and(|first| first != "v1" && is_version(first))
}

/// The answer to what the Graph API offers and this server does not.
pub fn unknown(app: &App, method: &Method, path: &str) -> Response {
    let shown: String = path.chars().take(100).collect();
    answer(app, &GraphError::no_call(method, &shown))
}

/// `v`, digits, and perhaps a dot and digits: clients send v13 to v25 and none is told apart.
fn is_version(text: &str) -> bool {
    let digits = |part: &str| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    let Some(number) = text.strip_prefix('v') else {
        return false;
    };
    match number.split_once('.') {
        Some((major, minor)) => digits(major) && digits(minor),
        None => digits(number),
    }
}

fn is_account(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
}

struct Call<'a> {
    app: &'a App,
    account: &'a str,
    headers: &'a HeaderMap,
}

impl Call<'_> {
    async fn send(&self, query: Option<&str>, body: Body) -> Result<Value, GraphError> {
        let caller = self.caller(query).await?;
        // Held until the answer stands: a body that comes slowly holds memory all the while.
        let _place = Place::take(self.app, Some(caller.scope.tenant()))?;
        let body = self.read(body).await?;
        let mut object = request::read(&body)?;
        let input = request::input(&object);
        let print = request::print(self.headers, &object)?;
        context::translate(self.app, &caller, &mut object).await?;
        let request = request::checked(self.account, self.headers, object, print)?;
        let to = request.content.to.clone();
        let taken = accept(self.app, &caller, request).await?;
        Ok(reply(&input.unwrap_or_default(), &to, &taken))
    }

    /// By header, or by `access_token` as some clients of the Graph API do.
    async fn caller(&self, query: Option<&str>) -> Result<Caller, GraphError> {
        let given = token(query);
        let text = match (auth::bearer(self.headers), &given) {
            (Ok(text), _) => text,
            (Err(_), Some(text)) => text.as_str(),
            (Err(problem), None) => return Err(problem.into()),
        };
        let caller = auth::authenticate(self.app, text).await?;
        if caller.role == Role::Auditor {
            return Err(Problem::new(Code::Forbidden, "an auditor's key sends nothing").into());
        }
        let found = self.app.directory.session_of_account(self.app, self.account).await;
        let session = found.map_err(Problem::from)?;
        match session.filter(|session| caller.scope.owns(session.tenant)) {
            Some(_) => Ok(caller),
            None => Err(GraphError::no_sender()),
        }
    }

    async fn read(&self, body: Body) -> Result<bytes::Bytes, GraphError> {
        let server = &self.app.settings.server;
        let max = usize::try_from(server.max_body.bytes()).unwrap_or(usize::MAX);
        let late = || Problem::new(Code::RequestTimeout, "the body did not arrive");
        let read = tokio::time::timeout(server.request_timeout, axum::body::to_bytes(body, max));
        let read = read.await.map_err(|_| late())?;
        Ok(read
            .map_err(|_| Problem::new(Code::TooLarge, format!("the body is cut short or larger than {max} bytes")))?)
    }
}

fn token(query: Option<&str>) -> Option<Zeroizing<String>> {
    url::form_urlencoded::parse(query?.as_bytes())
        .find(|(name, _)| name == "access_token")
        .map(|(_, value)| Zeroizing::new(value.into_owned()))
}

/// Meta's reply: `input` is what the client wrote, `wa_id` the number in our one form, `user_id` a business-scoped id.
fn reply(input: &str, to: &str, taken: &accept::Taken) -> Value {
    let contact = match to.strip_prefix(BSUID_PREFIX) {
        Some(id) => json!({ "input": input, "user_id": id }),
        None => json!({ "input": input, "wa_id": to.trim_start_matches('+') }),
    };
    json!({
        "messaging_product": "whatsapp",
        "contacts": [contact],
        "messages": [{ "id": wamid::write(taken.id), "message_status": "accepted" }],
    })
}
