//! Reading what was sent: bodies and query strings, bounded, with a place for every mistake.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri, header};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::de::DeserializeOwned;

use super::codes::Code;
use super::nearest;
use super::problem::Problem;
use super::state::App;

/// A JSON body of at most `server.max_body` bytes.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned> FromRequest<Arc<App>> for Json<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, Problem> {
        content_type(request.headers(), &["application/json"])?;
        let bytes = collect(app, request.into_body()).await?;
        decode(&bytes).map(Self)
    }
}

/// A query string.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        query(&parts.uri).map(Self)
    }
}

fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    axum::extract::Query::try_from_uri(uri).map(|axum::extract::Query(query)| query).map_err(|error| {
        let said = error.body_text();
        let known = said.split_once(", expected ").map(|(_, known)| known.trim_start_matches("one of "));
        let remedy = nearest::suggestion(&said).or_else(|| Some(format!("this route takes {}", known?)));
        Problem { remedy, ..Problem::new(Code::InvalidQuery, in_words(&said)) }
    })
}

/// What serde says of a query string, in words for whoever wrote it.
fn in_words(said: &str) -> String {
    let named = |what: &str| said.split_once(what).and_then(|(_, rest)| rest.split('`').next()).map(str::to_owned);
    if let Some(name) = named("missing field `") {
        return format!("`{name}` is missing");
    }
    if let Some(name) = named("unknown field `") {
        return format!("`{name}` is no parameter of this route");
    }
    // What is left are numbers: `Failed to …: limit: invalid digit found in string`.
    match said.split(": ").nth(1) {
        Some(name) => format!("`{name}` is not a whole number of a size that can be"),
        None => "it cannot be read".to_owned(),
    }
}

/// Whether the body is of one of these types, parameters aside.
///
/// # Errors
/// `unsupported_media_type`.
pub fn content_type(headers: &HeaderMap, wanted: &[&str]) -> Result<(), Problem> {
    let given = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .map_or("", str::trim);
    if wanted.iter().any(|want| given.eq_ignore_ascii_case(want)) {
        return Ok(());
    }
    Err(Problem::new(Code::UnsupportedMediaType, "the body has another type")
        .remedy(format!("send `Content-Type: {}`", wanted[0])))
}

async fn collect(app: &App, body: Body) -> Result<Bytes, Problem> {
    let server = &app.settings.server;
    let max = server.max_body.as_usize();
    let read = Limited::new(body, max).collect();
    match tokio::time::timeout(server.request_timeout, read).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Problem::new(Code::TooLarge, format!("the body has more than {max} bytes"))
                .remedy("send less at once; `server.max_body` is the limit"))
        }
        Ok(Err(_)) => Err(Problem::new(Code::RequestTimeout, "the body broke off")),
        Err(_) => Err(Problem::new(Code::RequestTimeout, "the body did not arrive in time")),
    }
}

/// Reads JSON.
///
/// # Errors
/// `malformed_json` with line and column; `invalid_request` for JSON of another shape, unknown fields with the nearest
/// name.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {}, column {}", error.line(), error.column());
        if !error.is_data() {
            return Problem::new(Code::MalformedJson, format!("not JSON at {place}"))
                .remedy("check quotes, commas and brackets there");
        }
        let said = without_value(&error.to_string());
        Problem {
            remedy: nearest::suggestion(&said),
            ..Problem::new(Code::InvalidRequest, format!("{said} ({place})"))
        }
    })
}

/// What serde says, without the place (said apart) and without a text that was found: it may be a secret.
fn without_value(said: &str) -> String {
    let said = said.rsplit_once(" at line ").map_or(said, |(what, _)| what);
    match (said.split_once("string \""), said.rsplit_once("\", expected")) {
        (Some((before, _)), Some((_, after))) => format!("{before}a string, expected{after}"),
        _ => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Thing {
        #[expect(dead_code, reason = "only its name and type matter here")]
        priority: u32,
    }

    #[test]
    fn a_mistake_has_its_place_and_shows_no_text() {
        let say = |text: &str| decode::<Thing>(text.as_bytes()).expect_err("wrong");
        let broken = say("{\n \"priority\": ,}");
        assert_eq!(broken.code, Code::MalformedJson);
        assert_eq!(broken.detail, "not JSON at line 2, column 14");
        let unknown = say(r#"{"priorty": 1}"#);
        assert_eq!(unknown.code, Code::InvalidRequest);
        assert_eq!(unknown.remedy.as_deref(), Some("did you mean `priority`?"));
        let secret = say(r#"{"priority": "whsec_\"x\", expected"}"#);
        assert!(!secret.detail.contains("whsec"), "{}", secret.detail);
        assert!(secret.detail.contains("u32"), "{}", secret.detail);
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Asked {
        #[expect(dead_code, reason = "only its name and type matter here")]
        partition: u16,
        #[expect(dead_code, reason = "only its name and type matter here")]
        limit: Option<usize>,
    }

    #[test]
    fn a_mistake_in_a_query_is_told_in_words_of_the_outside() {
        let say = |text: &str| {
            let uri = format!("/v1/x?{text}").parse().expect("an address");
            let problem = query::<Asked>(&uri).expect_err("wrong");
            (problem.detail, problem.remedy.unwrap_or_default())
        };
        let number = |name: &str| format!("`{name}` is not a whole number of a size that can be");
        let table = [
            ("", "`partition` is missing".to_owned(), ""),
            ("partition=x", number("partition"), ""),
            ("partition=70000", number("partition"), ""),
            ("partition=1&limit=-1", number("limit"), ""),
            ("partition=1&limt=1", "`limt` is no parameter of this route".to_owned(), "did you mean `limit`?"),
            (
                "partition=1&colour=red",
                "`colour` is no parameter of this route".to_owned(),
                "this route takes `partition` or `limit`",
            ),
        ];
        for (text, detail, remedy) in table {
            assert_eq!(say(text), (detail, remedy.to_owned()), "{text}");
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = "[".repeat(200);
        let problem = decode::<serde_json::Value>(deep.as_bytes()).expect_err("too deep");
        assert_eq!(problem.code, Code::MalformedJson);
    }
}
