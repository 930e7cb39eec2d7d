//! Calls to the server: one place that turns its refusals into failures with an exit code.

use std::time::Duration;

use reqwest::{Method, RequestBuilder, Response, StatusCode, header, redirect, retry};
use serde_json::Value;
use url::Url;

use super::exit::Exit;
use super::failure::Failure;
use crate::config::Secret;
use crate::domain::text::calm;

/// Time to connect.
const CONNECT: Duration = Duration::from_secs(5);
/// Silence of the server in the middle of an answer. Longer than the 30 s that a request may wait at the server.
const SILENCE: Duration = Duration::from_secs(60);
/// Largest answer that is kept in memory. A page of 1,000 events is about 1 MiB.
const ANSWER_MAX: usize = 64 * 1024 * 1024;

/// A client of one server with one key.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    base: Url,
    key: Secret,
}

impl Client {
    /// A client. Proxies of the environment are not used: the key goes to the server that was named and nowhere else.
    ///
    /// # Errors
    /// When the TLS library cannot be set up.
    pub fn new(base: Url, key: Secret) -> Result<Self, Failure> {
        // A second installation in one process answers Err and changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .user_agent(concat!("waybill-cli/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .build()
            .map_err(|error| Failure::new(Exit::Internal, format!("cannot set up the HTTP client: {error}")))?;
        Ok(Self { http, base, key })
    }

    /// The server's address.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// `GET`, with the query's fields.
    ///
    /// # Errors
    /// [`Failure`] by the server's answer, or because there was none.
    pub async fn get(&self, path: &str, query: &[(&str, String)]) -> Result<Value, Failure> {
        let mut url = self.at(path)?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query.iter().map(|(name, value)| (*name, value.as_str())));
        }
        self.json(self.request(Method::GET, url)).await
    }

    /// `PUT` or `POST` of a JSON body.
    ///
    /// # Errors
    /// [`Failure`] by the server's answer, or because there was none.
    pub async fn put(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        headers: &[(&'static str, &str)],
    ) -> Result<Value, Failure> {
        let request = self
            .request(method, self.at(path)?)
            .header(header::CONTENT_TYPE, "application/json")
            .body(body.to_string());
        self.json(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    }

    /// `DELETE`.
    ///
    /// # Errors
    /// [`Failure`] by the server's answer, or because there was none.
    pub async fn delete(&self, path: &str) -> Result<Value, Failure> {
        self.json(self.request(Method::DELETE, self.at(path)?)).await
    }

    /// `POST` of lines; the answer is read by the caller as it comes.
    ///
    /// # Errors
    /// [`Failure`] by the server's answer, or because there was none.
    pub async fn post_lines(&self, path: &str, lines: Vec<u8>) -> Result<Response, Failure> {
        let request =
            self.request(Method::POST, self.at(path)?).header(header::CONTENT_TYPE, "application/x-ndjson").body(lines);
        self.answered(request).await
    }

    /// `POST` of lines that are answered as a whole.
    ///
    /// # Errors
    /// [`Failure`] by the server's answer, or because there was none.
    pub async fn ask_lines(&self, path: &str, lines: Vec<u8>) -> Result<Value, Failure> {
        let response = self.post_lines(path, lines).await?;
        let body = self.body(response).await?;
        serde_json::from_slice(&body).map_err(|error| not_waybill(&format!("its answer is not JSON: {error}")))
    }

    fn at(&self, path: &str) -> Result<Url, Failure> {
        let joined = format!("{}{path}", self.base.as_str().trim_end_matches('/'));
        Url::parse(&joined).map_err(|error| Failure::usage(format!("{joined} is no URL: {error}")))
    }

    fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.http.request(method, url).bearer_auth(self.key.expose())
    }

    async fn answered(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let response = request.send().await.map_err(|error| self.unreachable(&error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let body = self.body(response).await?;
        Err(refusal(status, &body))
    }

    async fn json(&self, request: RequestBuilder) -> Result<Value, Failure> {
        let response = self.answered(request).await?;
        let body = self.body(response).await?;
        serde_json::from_slice(&body).map_err(|error| not_waybill(&format!("its answer is not JSON: {error}")))
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.unreachable(&error))? {
            if body.len() + chunk.len() > ANSWER_MAX {
                return Err(not_waybill("its answer is larger than 64 MiB"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// The failure of a call that was not answered.
    #[must_use]
    pub fn unreachable(&self, error: &reqwest::Error) -> Failure {
        if error.is_builder() {
            return Failure::usage(format!("the request cannot be made: {}", innermost(error)))
                .remedy("Check the key and the other texts of the command for line breaks and control characters.");
        }
        let what = if error.is_connect() {
            "cannot be reached"
        } else if error.is_timeout() {
            "did not answer in time"
        } else {
            "broke the connection off"
        };
        Failure::new(Exit::Unreachable, format!("the server at {} {what}: {}", self.base, innermost(error)))
            .remedy("Check that it runs (`waybill serve`) and that --url or the settings name its address.")
    }
}

/// The last cause says most: `connection refused` rather than `error sending request`.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn not_waybill(what: &str) -> Failure {
    Failure::new(Exit::Unreachable, format!("this does not seem to be a Waybill server: {what}"))
        .remedy("Check the address in --url, and what stands between: a proxy may answer in its place.")
}

/// A refusal as a failure: the problem document of the server in words.
#[must_use]
pub fn refusal(status: StatusCode, body: &[u8]) -> Failure {
    let exit = match status.as_u16() {
        401 | 403 => Exit::Refused,
        429 | 500.. => Exit::Unreachable,
        300..=399 => return not_waybill(&format!("it answers {status}")),
        _ => Exit::BadAnswer,
    };
    let Ok(problem) = serde_json::from_slice::<Value>(body) else {
        return not_waybill(&format!("it answers {status} without a problem document"));
    };
    problem_failure(exit, &problem)
}

/// A problem document as a failure.
#[must_use]
pub fn problem_failure(exit: Exit, problem: &Value) -> Failure {
    let text = |value: &Value, name: &str| calm(&here(value[name].as_str().unwrap_or_default()));
    let detail = match (text(problem, "title"), text(problem, "detail")) {
        (title, detail) if detail.is_empty() => title,
        (title, detail) => format!("{title}: {detail}"),
    };
    let failure = Failure::new(exit, format!("the server says: {detail}"));
    let errors = problem["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let remedy = match (text(problem, "remedy"), errors) {
        // The detail names the only wrong field already; what is missing is its remedy.
        (remedy, [one]) if remedy.is_empty() => text(one, "remedy"),
        (remedy, _) => remedy,
    };
    let failure = if remedy.is_empty() { failure } else { failure.remedy(sentence(&remedy)) };
    if errors.len() < 2 {
        return failure;
    }
    errors.iter().fold(failure, |failure, error| {
        failure.part(format!("{} {}", text(error, "pointer"), text(error, "what")), sentence(&text(error, "remedy")))
    })
}

/// What the API's remedies say to callers of the API, and what it is here.
const HERE: [(&str, &str); 1] = [(
    "GET /v1/sessions lists them",
    "they are called as the file of `waybill apply` names them (the API lists them: GET /v1/sessions)",
)];

/// A text of the API in words of the command line.
fn here(text: &str) -> String {
    HERE.iter().fold(text.to_owned(), |text, (theirs, ours)| text.replace(theirs, ours))
}

/// A clause as a sentence: a capital at its head, a full stop at its end.
fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let head = letters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    let stop = if clause.ends_with(['.', '!', '?']) { "" } else { "." };
    format!("{head}{}{stop}", letters.as_str())
}
