//! Every exchange of every API test, held against the OpenAPI document: what was asked, if it was taken; what was answered,
//! always. A field, a status, a code or a parameter that the document does not know fails the test that met it.

use std::sync::LazyLock;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;

use super::schema::Schemas;
use crate::api::openapi;

static DOCUMENT: LazyLock<Value> = LazyLock::new(openapi::document);

/// What was asked.
pub(in crate::api) struct Asked {
    method: String,
    path: String,
    query: Option<String>,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
}

impl Asked {
    /// Looks at a request. Bodies that come in pieces are not waited for.
    pub(in crate::api) async fn of(request: Request<Body>) -> (Self, Request<Body>) {
        let (head, body) = request.into_parts();
        let mut asked = Self {
            method: head.method.as_str().to_ascii_lowercase(),
            path: head.uri.path().to_owned(),
            query: head.uri.query().map(str::to_owned),
            headers: head.headers.clone(),
            body: None,
        };
        if body.size_hint().exact().is_none() {
            return (asked, Request::from_parts(head, body));
        }
        let bytes = body.collect().await.expect("a body in memory").to_bytes();
        asked.body = Some(bytes.to_vec());
        (asked, Request::from_parts(head, Body::from(bytes)))
    }

    /// Panics if the document does not know of this.
    pub(in crate::api) fn answered(&self, status: StatusCode, headers: &HeaderMap, body: &[u8]) {
        let Some(operation) = self.operation() else {
            assert!(!status.is_success(), "{} {} is served and not described", self.method, self.path);
            return;
        };
        let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if status == 404 && kind == "application/problem+json" && operation["responses"].get("404").is_none() {
            return;
        }
        let mut found = answer(operation, status, kind, body);
        if status.is_success() {
            found.extend(self.parameters(operation));
            found.extend(self.request(operation, body));
        }
        assert!(found.is_empty(), "{} {} ({status}): {found:#?}", self.method, self.path);
    }

    /// Of several paths that fit, the one with the most words of its own.
    fn operation(&self) -> Option<&'static Value> {
        let paths = DOCUMENT["paths"].as_object().expect("paths").iter();
        let fitting = paths.filter_map(|(path, its)| Some((literal(path, &self.path)?, its.get(&self.method)?)));
        fitting.max_by_key(|(words, _)| *words).map(|(_, operation)| operation)
    }

    fn parameters(&self, operation: &Value) -> Vec<String> {
        let query = self.query.as_deref().unwrap_or_default().as_bytes();
        let given: Vec<String> = url::form_urlencoded::parse(query).map(|(name, _)| name.into_owned()).collect();
        let all = operation["parameters"].as_array().expect("parameters");
        let of = |place: &'static str| all.iter().filter(move |one| one["in"] == place);
        let strange = given.iter().filter(|name| of("query").all(|one| one["name"] != **name));
        let mut found: Vec<String> = strange.map(|name| format!("the parameter {name} is not described")).collect();
        let missing = of("query").chain(of("header")).filter(|one| one["required"] == true).filter(|one| {
            let name = one["name"].as_str().expect("a name");
            !given.iter().any(|given| given == name) && !self.headers.contains_key(name)
        });
        found.extend(missing.map(|one| format!("{} is called required and is not", one["name"])));
        found
    }

    fn request(&self, operation: &Value, answer: &[u8]) -> Vec<String> {
        let schemas = Schemas::of(&DOCUMENT);
        let (Some(body), Some((name, kind))) = (&self.body, content(&operation["requestBody"])) else {
            return Vec::new();
        };
        let bodies: Vec<&[u8]> = match kind {
            "application/x-ndjson" => taken_lines(body, answer),
            _ => vec![body],
        };
        let read = bodies.into_iter().filter_map(|body| serde_json::from_slice::<Value>(body).ok());
        read.flat_map(|value| schemas.findings(name, &value)).collect()
    }
}

/// A body's schema, and its content type.
fn content(body: &Value) -> Option<(&str, &str)> {
    let (kind, content) = body["content"].as_object()?.iter().next()?;
    Some((content["schema"]["$ref"].as_str()?.rsplit('/').next()?, kind))
}

/// Of the lines of a bulk request those whose answer is no refusal.
fn taken_lines<'a>(body: &'a [u8], answer: &[u8]) -> Vec<&'a [u8]> {
    let lines: Vec<&[u8]> = body.split(|byte| *byte == b'\n').collect();
    let answers = answer.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Value>(line).ok());
    let taken = answers.filter(|answer| answer.get("error").is_none());
    taken.filter_map(|answer| lines.get(usize::try_from(answer["line"].as_u64()?).ok()? - 1).copied()).collect()
}

/// How many segments of a path are the same in the document's, if it fits.
fn literal(described: &str, asked: &str) -> Option<usize> {
    let (described, asked) = (described.split('/'), asked.split('/'));
    let fits = |(word, given): &(&str, &str)| word == given || (word.starts_with('{') && !given.is_empty());
    let pairs: Vec<_> = described.clone().zip(asked.clone()).collect();
    let all = described.count() == asked.count() && pairs.iter().all(fits);
    all.then(|| pairs.iter().filter(|(word, given)| word == given).count())
}

fn answer(operation: &Value, status: StatusCode, kind: &str, body: &[u8]) -> Vec<String> {
    let responses = &operation["responses"];
    let Some(response) = responses.get(status.as_str()).or_else(|| responses.get("default")) else {
        return vec![format!("the status is not described: {}", String::from_utf8_lossy(body))];
    };
    let Some(schema) = response["content"][kind]["schema"]["$ref"].as_str().and_then(|place| place.rsplit('/').next())
    else {
        return (!body.is_empty()).then(|| format!("the content type is not described: {kind}")).into_iter().collect();
    };
    let schemas = Schemas::of(&DOCUMENT);
    let lines: Vec<&[u8]> = match kind {
        "application/x-ndjson" => body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect(),
        _ => vec![body],
    };
    let mut found = Vec::new();
    for line in lines {
        let value = match kind.starts_with("text/") {
            true => Value::from(String::from_utf8_lossy(line).into_owned()),
            false => serde_json::from_slice(line).expect("JSON"),
        };
        found.extend(schemas.findings(schema, &value));
        let codes = response["x-codes"].as_array().filter(|_| kind == "application/problem+json");
        if codes.is_some_and(|codes| !codes.contains(&value["code"])) {
            found.push(format!("the code is not described: {value}"));
        }
    }
    found
}

#[test]
fn the_most_literal_path_is_the_one() {
    assert_eq!(literal("/v1/messages/{id}", "/v1/messages/bulk"), Some(3));
    assert_eq!(literal("/v1/messages/bulk", "/v1/messages/bulk"), Some(4));
    assert_eq!(literal("/v1/messages/{id}", "/v1/messages/"), None);
    assert_eq!(literal("/v1/messages/{id}", "/v1/messages"), None);
}
