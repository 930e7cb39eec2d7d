//! Sending one message.

use reqwest::Method;
use serde_json::{Value, json};

use super::Send;
use super::follow::{is_good, settle};
use crate::cli::client::Client;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::tail::tone_of;

const PATH: &str = "/v1/messages";

pub(super) async fn send(context: &Context, client: &Client, send: &Send) -> Result<(), Failure> {
    let key = send.idempotency_key.as_deref().map(|key| ("Idempotency-Key", key));
    let headers: Vec<(&'static str, &str)> = key.into_iter().collect();
    let taken = client.put(Method::POST, PATH, &body(send), &headers).await?;
    let id = taken["id"].as_str().unwrap_or_default().to_owned();
    if !send.wait {
        return said(context, &id, &taken, "accepted");
    }
    let last = settle(client, &id, send.patience()).await?;
    let state = last["state"].as_str().unwrap_or_default().to_owned();
    said(context, &id, &last, &state)?;
    if is_good(&last) { Ok(()) } else { Err(Failure::said(Exit::BadAnswer)) }
}

fn said(context: &Context, id: &str, answer: &Value, state: &str) -> Result<(), Failure> {
    let printer = &context.printer;
    if context.json() {
        return printer.line(answer);
    }
    printer.line(format!("{id}  {}", printer.paint(tone_of(state), state)))?;
    printer.note(format!("`waybill inspect {id}` tells its story."));
    Ok(())
}

/// The request, as `POST /v1/messages` takes it.
pub(in crate::cli) fn body(send: &Send) -> Value {
    let mut body = json!({ "from": send.from, "to": send.to });
    if let Some(text) = &send.text {
        body["type"] = json!("text");
        body["text"] = json!({ "body": text });
    }
    if let Some(name) = &send.template {
        body["type"] = json!("template");
        body["template"] = json!({ "name": name, "language": { "code": send.language } });
        if !send.params.is_empty() {
            let params: Vec<Value> = send.params.iter().map(|text| json!({ "type": "text", "text": text })).collect();
            body["template"]["components"] = json!([{ "type": "body", "parameters": params }]);
        }
    }
    let named = [("category", &send.category), ("reference", &send.reference), ("send_at", &send.at)];
    for (name, value) in named {
        if let Some(value) = value {
            body[name] = json!(value);
        }
    }
    body
}
