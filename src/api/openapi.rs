//! `GET /v1/openapi.json`: the document of this API, made of the table of routes and the schemas beside it.
//!
//! Paths, methods and who may stand in `routes.rs`, for what is merged beside that table in [`outside`]; `openapi.json`
//! holds bodies, answers and codes. Tests compare them, and validate every answer of every API test against them.
//!
//! | file | holds |
//! | --- | --- |
//! | `openapi.json` | `operations`, `schemas`; `groups` of codes; `parts`, which schemas take in by `$with` |
//! | [`outside`] | the drop-in, Meta's callbacks, the metrics |
//! | [`answers`] | what an operation answers: its own words, and every code with its status |
//! | [`notifications`] | `webhooks`: what customers' endpoints are told |

mod answers;
mod notifications;
mod outside;
mod parts;

use axum::Json;
use serde_json::{Map, Value, json};

use super::codes::Code;
use super::guard::{Access, word};
use super::routes::{ROUTES, Route};
use outside::OUTSIDE;

/// Bodies, answers and codes by `"<method> <path>"`, and the schemas they name.
const SCHEMAS: &str = include_str!("openapi.json");

/// The document.
pub async fn show() -> Json<Value> {
    Json(document())
}

fn kept() -> Value {
    serde_json::from_str(SCHEMAS).expect("a test reads the compiled-in schemas")
}

/// Every route that is served.
fn routes() -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().chain(OUTSIDE)
}

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let kept = kept();
    let mut paths = Map::new();
    for route in routes() {
        let path = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        path[route.method] = operation(route, &kept);
    }
    let mut schemas = parts::joined(&kept);
    schemas["Problem"]["properties"]["code"] = json!({
        "type": "string",
        "enum": Code::ALL.iter().map(|code| code.word()).collect::<Vec<_>>(),
    });
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Waybill",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "webhooks": notifications::section(),
        "components": {
            "schemas": schemas,
            "headers": answers::headers(),
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key of a tenant"},
                "operator": {"type": "http", "scheme": "bearer", "description": "The operator's key"},
            },
        },
    })
}

fn operation(route: &Route, kept: &Value) -> Value {
    let its = &kept["operations"][format!("{} {}", route.method, route.path)];
    let mut operation = json!({
        "summary": route.summary,
        "operationId": id(route),
        "security": security(route.access),
        "parameters": parameters(route, its),
        "responses": answers::answers(route, its, &kept["groups"]),
    });
    if let Access::Roles(roles) = route.access {
        let words: Vec<&str> = roles.iter().map(|role| word(*role)).collect();
        operation["x-roles"] = json!(words);
    }
    if let Some(schema) = its["request"].as_str() {
        let kind = its["request_type"].as_str().unwrap_or("application/json");
        let mut content = Map::new();
        content.insert(kind.to_owned(), json!({"schema": reference(schema)}));
        operation["requestBody"] = json!({"required": true, "content": content});
    }
    operation
}

/// `get /v1/messages/{id}` is `getMessagesId`.
fn id(route: &Route) -> String {
    let mut id = route.method.to_owned();
    let words = route.path.trim_start_matches("/v1").split(|c: char| !c.is_ascii_alphanumeric());
    for word in words.filter(|word| !word.is_empty()) {
        let (first, rest) = word.split_at(1);
        id.push_str(&first.to_ascii_uppercase());
        id.push_str(rest);
    }
    id
}

fn security(access: Access) -> Value {
    match access {
        Access::Public => json!([]),
        Access::Operator => json!([{"operator": []}]),
        Access::Roles(_) => json!([{"key": []}]),
    }
}

fn parameters(route: &Route, its: &Value) -> Value {
    let in_path = route.path.split(['{', '}']).skip(1).step_by(2);
    let named = in_path.map(|name| {
        let mut named = json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}});
        if let Some(text) = its["path"][name].as_str() {
            named["description"] = json!(text);
        }
        named
    });
    let mut all: Vec<Value> = named.collect();
    all.extend(its["parameters"].as_array().cloned().unwrap_or_default());
    Value::Array(all)
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

#[cfg(test)]
mod tests;
