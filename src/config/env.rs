//! The environment as a layer: `WAYBILL_SECTION__KEY`, two underscores between the parts.
//!
//! A variable without two underscores after the prefix is not a setting and is left alone: orchestrators inject names like
//! `WAYBILL_PORT` and `WAYBILL_SERVICE_HOST` for a service called waybill, and secrets are referred to by names of one's own.

#![expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]

use std::collections::BTreeMap;

use super::mistake::Mistake;
use super::node::{Node, Value};
use super::place::Place;
use super::setting::Shape;
use super::unknown::nearest;

/// What every variable begins with.
const PREFIX: &str = "WAYBILL_";

/// The variables of this process that may be settings, for [`super::Settings::load`].
///
/// A value that is not UTF-8 arrives with replacement characters and is refused there.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    let lossy = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
    std::env::vars_os()
        .map(move |(name, value)| (lossy(name), lossy(value)))
        .filter(|(name, _)| name.starts_with(PREFIX))
}

/// Whether people at this terminal asked for no colour: `NO_COLOR` is set and not empty (no-color.org), or `TERM` is `dumb`.
pub fn no_color() -> bool {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    set("NO_COLOR").is_some() || set("TERM").is_some_and(|term| term == "dumb")
}

/// The layer that the variables make for this table of keys, and the mistakes in their names and encoding.
pub(super) fn layer(shape: &Shape, variables: impl Iterator<Item = (String, String)>) -> (Node, Vec<Mistake>) {
    let known = variables_of(shape);
    let mut root = Node::new(Value::Table(BTreeMap::new()), Place::whole("the environment"));
    let mut mistakes = Vec::new();
    for (variable, value) in variables.filter(|(name, _)| is_setting(name)) {
        match known.get(variable.as_str()) {
            Some(_) if value.contains(char::REPLACEMENT_CHARACTER) => mistakes.push(not_utf8(&variable)),
            Some(path) => insert(&mut root, path, Node::new(Value::Raw(value), Place::whole(&variable))),
            None => mistakes.push(unknown(&variable, &known)),
        }
    }
    (root, mistakes)
}

fn is_setting(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|rest| rest.contains("__"))
}

/// Every variable and the path of the key it sets.
fn variables_of(shape: &Shape) -> BTreeMap<String, Vec<&'static str>> {
    let mut found = BTreeMap::new();
    collect(shape, &mut Vec::new(), &mut found);
    found
}

fn collect(shape: &Shape, path: &mut Vec<&'static str>, found: &mut BTreeMap<String, Vec<&'static str>>) {
    match shape {
        Shape::Key => drop(found.insert(format!("{PREFIX}{}", path.join("__").to_uppercase()), path.clone())),
        Shape::Table(keys) => {
            for (key, inner) in *keys {
                path.push(key);
                collect(inner, path, found);
                path.pop();
            }
        }
    }
}

fn insert(root: &mut Node, path: &[&str], leaf: Node) {
    let place = leaf.place.clone();
    let wrap = |node, key: &&str| Node::new(Value::Table(BTreeMap::from([((*key).to_owned(), node)])), place.clone());
    root.overlay(path.iter().rev().fold(leaf, wrap));
}

fn unknown(variable: &str, known: &BTreeMap<String, Vec<&'static str>>) -> Mistake {
    // The prefix is the same for all and would make every name look alike.
    let bare = |name| str::strip_prefix(name, PREFIX).unwrap_or(name);
    let remedy = match nearest(bare(variable), known.keys().map(|name| bare(name.as_str()))) {
        Some(name) => format!("The nearest variable is {PREFIX}{name}"),
        None => "Remove it, or write WAYBILL_SECTION__KEY in capitals with two underscores between the parts".into(),
    };
    Mistake::at(&Place::whole(variable), "no setting has this variable", remedy)
}

fn not_utf8(variable: &str) -> Mistake {
    Mistake::at(&Place::whole(variable), "the value is not UTF-8 text", "Set it to UTF-8 text")
}
