//! The tree of values with their places, as it comes out of one layer, and the laying of one layer over another.

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeArray, DeInteger, DeTable, DeValue};

use super::mistake::Mistake;
use super::place::{Lines, Place};

/// One value and where it was written. Not `Debug`: it may hold a literal secret.
#[derive(Clone)]
pub(super) struct Node {
    pub(super) value: Value,
    /// Where the value stands.
    pub(super) place: Place,
    /// Where its key stands; the value's own place for elements and roots.
    pub(super) key_place: Place,
}

/// TOML's kinds of value, plus the text of an environment variable, whose kind only the reader knows.
#[derive(Clone)]
pub(super) enum Value {
    Table(BTreeMap<String, Node>),
    Array(Vec<Node>),
    Text(String),
    /// Saturates: TOML integers beyond 128 bits are out of every range anyway.
    Integer(i128),
    Float(f64),
    Bool(bool),
    Datetime(String),
    /// From the environment: read as whatever kind the key has.
    Raw(String),
}

impl Node {
    pub(super) fn new(value: Value, place: Place) -> Self {
        Self { value, key_place: place.clone(), place }
    }

    /// Parses one document. Every syntax error is reported; a document with one is not read further, because what
    /// stands behind a broken header would be judged under the wrong section.
    pub(super) fn parse(text: &str, origin: &str) -> Result<Self, Vec<Mistake>> {
        let lines = Lines::of(text, origin);
        let (table, errors) = DeTable::parse_recoverable(text);
        if errors.is_empty() {
            let place = lines.place(table.span().start);
            return Ok(Self::new(table_value(table.get_ref(), &lines), place));
        }
        Err(errors.iter().map(|error| syntax(error, &lines)).collect())
    }

    /// Parses one value, such as the array that an environment variable holds.
    pub(super) fn parse_value(text: &str, place: &Place) -> Option<Self> {
        let lines = Lines::of(text, &place.origin);
        let value = DeValue::parse(text).ok()?;
        Some(from_spanned(&value, &lines).moved_to(place))
    }

    /// Lays another layer over this one: tables merge key by key, everything else is replaced.
    pub(super) fn overlay(&mut self, over: Node) {
        match (&mut self.value, over.value) {
            (Value::Table(below), Value::Table(above)) => {
                for (key, node) in above {
                    match below.get_mut(&key) {
                        Some(existing) => existing.overlay(node),
                        None => drop(below.insert(key, node)),
                    }
                }
                (self.place, self.key_place) = (over.place, over.key_place);
            }
            (_, value) => *self = Node { value, place: over.place, key_place: over.key_place },
        }
    }

    /// The node under a dotted key.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        key.split('.').try_fold(self, |node, part| node.table()?.get(part))
    }

    /// Takes back what a layer said under a dotted key: the default if there is one, else nothing.
    pub(super) fn take_back(&mut self, key: &str, defaults: &Node) {
        let (head, rest) = key.split_once('.').map_or((key, None), |(head, rest)| (head, Some(rest)));
        let head = head.split('[').next().unwrap_or(head);
        let Value::Table(table) = &mut self.value else {
            return;
        };
        match (defaults.table().and_then(|t| t.get(head)), table.get_mut(head), rest) {
            (Some(default), Some(node), Some(rest)) if node.table().is_some() => node.take_back(rest, default),
            (Some(default), _, _) => drop(table.insert(head.to_owned(), default.clone())),
            (None, _, _) => drop(table.remove(head)),
        }
    }

    /// The entries, if this is a table.
    pub(super) fn table(&self) -> Option<&BTreeMap<String, Node>> {
        match &self.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The text, if this is a string or comes from the environment.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) | Value::Raw(text) => Some(text),
            _ => None,
        }
    }

    /// The same value, every part of it said to stand at one place.
    fn moved_to(self, place: &Place) -> Self {
        let value = match self.value {
            Value::Array(items) => Value::Array(items.into_iter().map(|item| item.moved_to(place)).collect()),
            other => other,
        };
        Self::new(value, place.clone())
    }
}

fn syntax(error: &toml::de::Error, lines: &Lines<'_>) -> Mistake {
    let place = lines.place(error.span().map_or(0, |span| span.start));
    let what = format!("this is not TOML: {}", error.message());
    Mistake::at(&place, what, "Correct the syntax here; the rest of the file is judged after that")
}

fn table_value(table: &DeTable<'_>, lines: &Lines<'_>) -> Value {
    let entries = table.iter().map(|(key, value)| {
        let node = Node { key_place: lines.place(key.span().start), ..from_spanned(value, lines) };
        (key.get_ref().to_string(), node)
    });
    Value::Table(entries.collect())
}

fn array_value(array: &DeArray<'_>, lines: &Lines<'_>) -> Value {
    Value::Array(array.iter().map(|item| from_spanned(item, lines)).collect())
}

fn from_spanned(spanned: &Spanned<DeValue<'_>>, lines: &Lines<'_>) -> Node {
    let value = match spanned.get_ref() {
        DeValue::Table(table) => table_value(table, lines),
        DeValue::Array(array) => array_value(array, lines),
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(integer) => Value::Integer(integer_value(integer)),
        DeValue::Float(float) => Value::Float(float.as_str().parse().unwrap_or(f64::NAN)),
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(datetime) => Value::Datetime(datetime.to_string()),
    };
    Node::new(value, lines.place(spanned.span().start))
}

fn integer_value(integer: &DeInteger<'_>) -> i128 {
    let text = integer.as_str();
    let limit = if text.starts_with('-') { i128::MIN } else { i128::MAX };
    i128::from_str_radix(text, integer.radix()).unwrap_or(limit)
}
