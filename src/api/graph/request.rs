//! The request of a client: a Graph message object, and what it says in headers beside it.

use axum::http::HeaderMap;
use serde_json::Value;

use super::super::accept::{IdempotencyKey, Request, Sender, fingerprint};
use super::super::codes::Code;
use super::super::problem::Problem;
use super::error::GraphError;
use crate::domain::content::Content;
use crate::domain::event::Category;

/// What the message is for, where a client can say it; else it follows from the kind of message.
pub(super) const CATEGORY: &str = "x-waybill-category";

/// Makes a repeated request the same message.
pub(super) const IDEMPOTENCY: &str = "idempotency-key";

/// The body as JSON, before anything in it is looked at.
pub(super) fn read(body: &[u8]) -> Result<Value, GraphError> {
    let value: Value = serde_json::from_slice(body).map_err(|error| {
        let at = format!("line {} column {}", error.line(), error.column());
        Problem::new(Code::MalformedJson, format!("the body is not JSON at {at}"))
    })?;
    if value.get("status").and_then(Value::as_str).is_some() && value.get("type").is_none() {
        return Err(GraphError::unsupported(
            "marking messages as read and typing indicators are not offered by this server yet",
        ));
    }
    Ok(value)
}

/// Whom the client meant, in its own words: what the reply calls `input`.
pub(super) fn input(body: &Value) -> Option<String> {
    let named = body.get("to").filter(|to| !to.is_null()).or_else(|| body.get("recipient"));
    Some(named?.as_str()?.to_owned())
}

/// The request to accept. `print` is of the body as the client sent it.
pub(super) fn checked(account: &str, headers: &HeaderMap, body: Value, print: [u8; 32]) -> Result<Request, GraphError> {
    let content = Content::check(body)?;
    Ok(Request {
        from: Sender::Account(account.to_owned()),
        category: category(headers)?,
        content,
        priority: None,
        unknown: None,
        expiry: None,
        send_at: None,
        campaign: None,
        ordered: false,
        idempotency: header(headers, IDEMPOTENCY)?.map(IdempotencyKey::parse).transpose()?,
        fingerprint: print,
    })
}

/// The fingerprint of a request: body and category, for a change of either makes another message of it.
pub(super) fn print(headers: &HeaderMap, body: &Value) -> Result<[u8; 32], GraphError> {
    let category = header(headers, CATEGORY)?;
    Ok(fingerprint(&serde_json::json!({ "body": body, "category": category })))
}

fn category(headers: &HeaderMap) -> Result<Option<Category>, GraphError> {
    let Some(word) = header(headers, CATEGORY)? else {
        return Ok(None);
    };
    let read = serde_json::from_value(Value::from(word));
    read.map(Some).map_err(|_| {
        GraphError::invalid(format!("header `{CATEGORY}` is none of authentication, utility, marketing, service"))
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, GraphError> {
    let Some(value) = headers.get(name) else {
        return Ok(None);
    };
    let text = value.to_str();
    text.map(Some).map_err(|_| GraphError::invalid(format!("header `{name}` is not visible ASCII")))
}
