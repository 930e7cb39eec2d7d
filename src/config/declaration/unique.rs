//! Duplicates within one document. Judged on what is written, so that a record with another mistake is compared too.

use std::collections::BTreeMap;

use crate::config::mistake::Mistake;
use crate::config::node::{Node, Value};

/// Kinds of records and the keys that together may stand there only once.
const RULES: [(&str, &[&str]); 7] = [
    ("tenant", &["name"]),
    ("portfolio", &["name"]),
    ("session", &["tenant", "name"]),
    // Two sessions for one number would both send for it, each at the full rate.
    ("session", &["phone_number_id"]),
    ("pool", &["tenant", "name"]),
    ("endpoint", &["tenant", "name"]),
    ("key", &["tenant", "name"]),
];

/// One mistake for each record that repeats an earlier one, at the key that makes it a duplicate.
pub(super) fn mistakes(document: &Node) -> Vec<Mistake> {
    RULES.iter().flat_map(|(kind, keys)| repeated(document, kind, keys)).collect()
}

fn repeated(document: &Node, kind: &str, keys: &[&str]) -> Vec<Mistake> {
    let Some(Value::Array(records)) = document.get(kind).map(|node| &node.value) else {
        return Vec::new();
    };
    let mut seen: BTreeMap<Vec<&str>, Option<usize>> = BTreeMap::new();
    let mut found = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let Some(identity) = keys.iter().map(|key| record.get(key)?.text()).collect::<Option<Vec<_>>>() else {
            continue;
        };
        let Some(last) = keys.last().and_then(|key| Some((key, record.get(key)?))) else {
            continue;
        };
        match seen.get(&identity) {
            Some(first) => {
                found.push(duplicate(last.1, kind, keys, *first).under(last.0).under(&format!("{kind}[{index}]")))
            }
            None => drop(seen.insert(identity, last.1.place.line)),
        }
    }
    found
}

fn duplicate(node: &Node, kind: &str, keys: &[&str], first: Option<usize>) -> Mistake {
    let what = format!("another {kind} with this {} already stands in line {}", keys.join(" and "), first.unwrap_or(0));
    Mistake::at(&node.place, what, "Remove one of them, or change it")
}
