//! JSON that keeps its own text: an object as its pairs, each value exactly as it was written.
//!
//! Values are skipped, not built: no recursion, so depth costs nothing, and no number is rounded.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// An object, pair by pair.
pub(super) struct Object<'a> {
    pairs: Vec<(String, &'a RawValue)>,
}

struct Pairs<'a>(Vec<(String, &'a RawValue)>);

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

impl<'de> Deserialize<'de> for Pairs<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

impl<'a> Object<'a> {
    /// Reads an object. `None` for any other value, for keys that are no text (a lone surrogate), and for a key that
    /// stands twice: which of the two counts is a guess, and a guess loses one of them.
    pub(super) fn read(json: &'a str) -> Option<Self> {
        let Pairs(pairs) = serde_json::from_str(json).ok()?;
        let mut names: Vec<&str> = pairs.iter().map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        let twice = names.windows(2).any(|pair| pair[0] == pair[1]);
        (!twice).then_some(Self { pairs })
    }

    /// The text of a value.
    pub(super) fn get(&self, name: &str) -> Option<&'a str> {
        self.pairs.iter().find(|(own, _)| own == name).map(|(_, value)| value.get())
    }

    pub(super) fn object(&self, name: &str) -> Option<Object<'a>> {
        Object::read(self.get(name)?)
    }

    pub(super) fn list(&self, name: &str) -> Option<Vec<&'a str>> {
        let list: Vec<&'a RawValue> = serde_json::from_str(self.get(name)?).ok()?;
        Some(list.into_iter().map(RawValue::get).collect())
    }

    /// A string that is not empty.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?).ok().filter(|text: &String| !text.is_empty())
    }

    /// A string short enough to be copied into every part. Ids and field names of Meta's are below 128 bytes.
    pub(super) fn short(&self, name: &str) -> Option<String> {
        self.text(name).filter(|text| text.len() <= 128)
    }

    /// An id: a short string, or a whole number where a sender forgot the quotes.
    pub(super) fn id(&self, name: &str) -> Option<String> {
        self.short(name).or_else(|| Some(self.number(name)?.to_string()))
    }

    /// Yes or no.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        serde_json::from_str(self.get(name)?).ok()
    }

    /// A whole number, also one written as a string.
    pub(super) fn number(&self, name: &str) -> Option<i64> {
        let json = self.get(name)?;
        serde_json::from_str(json).ok().or_else(|| self.text(name)?.parse().ok())
    }

    /// Text of an object that keeps only the pairs whose name `keep` accepts; `None` if none is left.
    pub(super) fn only(&self, keep: impl Fn(&str) -> bool) -> Option<String> {
        let kept: Vec<String> = self
            .pairs
            .iter()
            .filter(|(name, _)| keep(name))
            .map(|(name, value)| format!("{}:{}", serde_json::Value::from(name.as_str()), value.get()))
            .collect();
        (!kept.is_empty()).then(|| format!("{{{}}}", kept.join(",")))
    }

    /// Text of this object with the value of `name` replaced.
    pub(super) fn with(&self, name: &str, json: &str) -> String {
        let pairs = self.pairs.iter().map(|(own, value)| {
            let value = if own == name { json } else { value.get() };
            format!("{}:{value}", serde_json::Value::from(own.as_str()))
        });
        format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_text() {
        let object =
            Object::read(r#"{"a": 1.50e3, "b":"caf\u00e9", "c":[ {"x":1} ,2], "d":{}, "n":"42"}"#).expect("object");
        assert_eq!(object.get("a"), Some("1.50e3"));
        assert_eq!(object.get("b"), Some(r#""caf\u00e9""#));
        assert_eq!(object.text("b").as_deref(), Some("café"));
        assert_eq!(object.list("c"), Some(vec![r#"{"x":1}"#, "2"]));
        assert_eq!(object.number("n"), Some(42));
        assert_eq!(object.only(|name| name == "a").as_deref(), Some(r#"{"a":1.50e3}"#));
        assert_eq!(object.only(|_| false), None);
    }

    #[test]
    fn what_cannot_be_read_for_sure_is_not_read() {
        for json in ["[]", "1", r#"{"a":1,"a":2}"#, r#"{"\ud800":1}"#] {
            assert!(Object::read(json).is_none(), "{json}");
        }
    }

    #[test]
    fn depth_costs_nothing() {
        let deep = format!(r#"{{"a":{}{}}}"#, "[".repeat(100_000), "]".repeat(100_000));
        assert!(Object::read(&deep).is_some_and(|object| object.get("a").is_some()));
    }
}
