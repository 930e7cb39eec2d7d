//! `GET /v1/openapi.json`: the document of this API, made of the table of routes and the schemas beside it.
//!
//! Paths, methods and who may stand in `routes.rs` alone; `openapi.json` holds bodies and answers. A test compares them.

use axum::Json;
use serde_json::{Map, Value, json};

use super::codes::Code;
use super::guard::{Access, word};
use super::routes::{ROUTES, Route};

/// Bodies and answers by `"<method> <path>"`, and the schemas they name.
const SCHEMAS: &str = include_str!("openapi.json");

/// The document.
pub async fn show() -> Json<Value> {
    Json(document())
}

fn schemas() -> Value {
    serde_json::from_str(SCHEMAS).expect("a test reads the compiled-in schemas")
}

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let mut kept = schemas();
    let operations = kept["operations"].take();
    let mut paths = Map::new();
    for route in ROUTES {
        let path = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        path[route.method] = operation(route, &operations);
    }
    let mut components = kept["schemas"].take();
    components["Problem"]["properties"]["code"] = json!({
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
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key of a tenant"},
                "operator": {"type": "http", "scheme": "bearer", "description": "The operator's key"},
            },
        },
    })
}

fn operation(route: &Route, operations: &Value) -> Value {
    let kept = &operations[format!("{} {}", route.method, route.path)];
    let mut operation = json!({
        "summary": route.summary,
        "operationId": id(route),
        "security": security(route.access),
        "parameters": parameters(route, kept),
        "responses": responses(kept),
    });
    if let Access::Roles(roles) = route.access {
        let words: Vec<&str> = roles.iter().map(|role| word(*role)).collect();
        operation["x-roles"] = json!(words);
    }
    if let Some(schema) = kept["request"].as_str() {
        let kind = kept["request_type"].as_str().unwrap_or("application/json");
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

fn parameters(route: &Route, kept: &Value) -> Value {
    let in_path = route.path.split(['{', '}']).skip(1).step_by(2);
    let mut all: Vec<Value> = in_path
        .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
        .collect();
    all.extend(kept["parameters"].as_array().cloned().unwrap_or_default());
    Value::Array(all)
}

fn responses(kept: &Value) -> Value {
    let mut all = Map::new();
    for (status, answer) in kept["responses"].as_object().into_iter().flatten() {
        let kind = answer["type"].as_str().unwrap_or("application/json");
        let schema = answer["schema"].as_str().unwrap_or("Anything");
        let mut content = Map::new();
        content.insert(kind.to_owned(), json!({"schema": reference(schema)}));
        let said = json!({"description": answer["description"], "content": content});
        all.insert(status.clone(), said);
    }
    let problem = json!({
        "description": "A problem (RFC 9457)",
        "content": {"application/problem+json": {"schema": reference("Problem")}},
    });
    all.insert("default".to_owned(), problem);
    Value::Object(all)
}

fn reference(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_route_is_described_and_nothing_else_is() {
        let kept = schemas();
        let described: BTreeSet<String> = kept["operations"].as_object().expect("an object").keys().cloned().collect();
        let routes: BTreeSet<String> = ROUTES.iter().map(|route| format!("{} {}", route.method, route.path)).collect();
        assert_eq!(described, routes);
        assert_eq!(routes.len(), ROUTES.len(), "a route stands twice");
    }

    #[test]
    fn every_reference_leads_somewhere_and_ids_are_unique() {
        let document = document();
        let text = document.to_string();
        for (at, _) in text.match_indices("#/components/schemas/") {
            let name = &text[at + "#/components/schemas/".len()..];
            let name = name.split('"').next().unwrap_or_default();
            let schema = &document["components"]["schemas"][name];
            assert!(schema.is_object(), "no schema {name}");
        }
        let ids: BTreeSet<String> = ROUTES.iter().map(id).collect();
        assert_eq!(ids.len(), ROUTES.len(), "{ids:?}");
    }
}
