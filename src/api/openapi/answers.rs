//! What an operation answers: its own answers from `openapi.json`, and each code it may refuse with under its status.
//!
//! Codes come in groups by what a route does (`groups` in `openapi.json`); some follow from the route itself: a key that is
//! asked for may be wrong, a body may be malformed.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::super::codes::Code;
use super::super::guard::Access;
use super::super::routes::Route;
use super::reference;

/// Headers that several answers have.
pub(super) fn headers() -> Value {
    json!({
        "RetryAfter": {
            "description": "Seconds after which it is worth trying again, where that can be said",
            "schema": {"type": "integer"},
        },
    })
}

/// The section `responses` of an operation.
pub(super) fn answers(route: &Route, its: &Value, groups: &Value) -> Value {
    let mut all = Map::new();
    for (status, answer) in its["responses"].as_object().into_iter().flatten() {
        let mut said = json!({"description": answer["description"]});
        if let Some(schema) = answer["schema"].as_str() {
            let kind = answer["type"].as_str().unwrap_or("application/json");
            said["content"] = content(kind, schema);
            for (kind, schema) in answer["also"].as_object().into_iter().flatten() {
                said["content"][kind] = json!({"schema": reference(schema.as_str().unwrap_or_default())});
            }
        }
        all.insert(status.clone(), said);
    }
    match its["refusal"].as_str() {
        Some(schema) => drop(all.insert("default".to_owned(), in_other_words(schema))),
        None => refusals(&codes(route, its, groups), &mut all),
    }
    Value::Object(all)
}

/// The drop-in refuses in Meta's shape, and clients decide by the code in it.
fn in_other_words(schema: &str) -> Value {
    json!({
        "description": "Refused; the status is that of a problem of `POST /v1/messages`, but 400 for mistakes in the message",
        "headers": {"Retry-After": {"$ref": "#/components/headers/RetryAfter"}},
        "content": content("application/json", schema),
    })
}

fn refusals(codes: &[Code], all: &mut Map<String, Value>) {
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for code in codes {
        by_status.entry(code.status().as_u16()).or_default().push(*code);
    }
    for (status, codes) in by_status {
        let told: Vec<String> = codes.iter().map(|code| format!("`{}`: {}", code.word(), code.title())).collect();
        let words: Vec<&str> = codes.iter().map(|code| code.word()).collect();
        let mut said = json!({
            "description": told.join(". "),
            "content": content("application/problem+json", "Problem"),
            "x-codes": words,
        });
        if matches!(status, 429 | 503) {
            said["headers"] = json!({"Retry-After": {"$ref": "#/components/headers/RetryAfter"}});
        }
        // Where an answer of the route's own has this status too, both may come: the content type tells them apart.
        match all.get_mut(&status.to_string()) {
            Some(own) => {
                own["content"]["application/problem+json"] = said["content"]["application/problem+json"].take();
                own["x-codes"] = said["x-codes"].take();
            }
            None => drop(all.insert(status.to_string(), said)),
        }
    }
}

fn codes(route: &Route, its: &Value, groups: &Value) -> Vec<Code> {
    let mut words: Vec<&str> = match route.access {
        Access::Public => Vec::new(),
        Access::Operator => vec!["operator"],
        Access::Roles(roles) if roles.len() < 3 => vec!["key", "forbidden"],
        Access::Roles(_) => vec!["key"],
    };
    if its["request"].is_string() && its["request_type"].is_null() && route.access != Access::Public {
        words.push("body");
    }
    let mut asked = its["parameters"].as_array().into_iter().flatten();
    if route.access != Access::Public && asked.any(|parameter| parameter["in"] == "query") {
        words.push("query");
    }
    words.extend(its["codes"].as_array().into_iter().flatten().filter_map(Value::as_str));
    let spread = words.iter().flat_map(|word| match groups[*word].as_array() {
        Some(group) => group.iter().filter_map(Value::as_str).collect(),
        None => vec![*word],
    });
    let known = |word: &str| Code::ALL.iter().copied().find(|code| code.word() == word);
    let mut codes = Vec::new();
    for code in spread.filter_map(known) {
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

fn content(kind: &str, schema: &str) -> Value {
    let mut content = Map::new();
    content.insert(kind.to_owned(), json!({"schema": reference(schema)}));
    Value::Object(content)
}
