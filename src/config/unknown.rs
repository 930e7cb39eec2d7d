//! Keys that nobody reads: refused, with the name that was probably meant.

use std::collections::BTreeMap;

use super::mistake::Mistake;
use super::node::Node;
use super::setting::{Shape, quote};

/// How alike two names must be, from 0 to 1, for one to be proposed for the other. At 0.6 three letters in eight may differ.
const ALIKE: f64 = 0.6;

/// One mistake for each entry that is not among the known keys.
pub(super) fn keys(entries: &BTreeMap<String, Node>, known: &[(&'static str, Shape)]) -> Vec<Mistake> {
    let strangers = entries.iter().filter(|(key, _)| !known.iter().any(|(name, _)| name == key));
    strangers
        .map(|(key, node)| {
            Mistake::at(&node.key_place, format!("unknown key {}", quote(key)), remedy(key, known)).under(key)
        })
        .collect()
}

/// Proposes the nearest key; else the section that has a key of this name; else lists what there is.
fn remedy(key: &str, known: &[(&'static str, Shape)]) -> String {
    if let Some(name) = nearest(key, known.iter().map(|(name, _)| *name)) {
        return format!("The nearest key is {name}");
    }
    let below = known
        .iter()
        .find(|(_, shape)| matches!(shape, Shape::Table(inner) if inner.iter().any(|(name, _)| *name == key)));
    if let Some((section, _)) = below {
        return format!("Move it to the section {section}");
    }
    let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
    format!("Remove it; known here: {}", names.join(", "))
}

/// The most similar of the names, if any is similar enough.
pub(super) fn nearest<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let scored = among.map(|candidate| (strsim::normalized_damerau_levenshtein(name, candidate), candidate));
    scored.filter(|(score, _)| *score >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}
