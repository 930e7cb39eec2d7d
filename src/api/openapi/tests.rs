//! The document against the table of routes, against itself, and against the routers.

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;

fn word_is_known(kept: &Value, word: &str) -> bool {
    kept["groups"][word].is_array() || Code::ALL.iter().any(|code| code.word() == word)
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    let kept = kept();
    let described: BTreeSet<String> = kept["operations"].as_object().expect("an object").keys().cloned().collect();
    let all: BTreeSet<String> = routes().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(described, all);
    assert_eq!(all.len(), routes().count(), "a route stands twice");
}

#[test]
fn every_reference_leads_somewhere_and_ids_are_unique() {
    let document = document();
    let text = document.to_string();
    for (at, _) in text.match_indices("#/components/") {
        let place = text[at + 1..].split('"').next().unwrap_or_default();
        assert!(document.pointer(place).is_some_and(Value::is_object), "nothing at {place}");
    }
    let ids: BTreeSet<String> = routes().map(id).collect();
    assert_eq!(ids.len(), routes().count(), "{ids:?}");
    assert!(!text.contains("$with"), "a schema is not whole");
}

#[test]
fn every_code_of_the_document_is_one() {
    let kept = kept();
    for (operation, its) in kept["operations"].as_object().expect("an object") {
        for word in its["codes"].as_array().unwrap_or_else(|| panic!("{operation} has no codes")) {
            assert!(word_is_known(&kept, word.as_str().expect("a word")), "{operation}: {word}");
        }
    }
    for (group, words) in kept["groups"].as_object().expect("an object") {
        let codes = words.as_array().expect("words").iter().filter_map(Value::as_str);
        assert!(codes.clone().all(|word| Code::ALL.iter().any(|code| code.word() == word)), "{group}");
    }
}
