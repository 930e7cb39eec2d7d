//! What a value must be able to do to stand in a settings file: be read with diagnostics, and be spelled again.

use super::mistake::Mistake;
use super::node::{Node, Value};

/// The table of keys of a type, from which the check for unknown keys and the names of environment variables derive.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    /// One key with one value.
    Key,
    /// A section: its keys in the order of declaration.
    Table(&'static [(&'static str, Shape)]),
}

/// A kind of value.
pub(super) trait Setting: Sized {
    /// A key, unless the type is a section.
    const SHAPE: Shape = Shape::Key;
    /// True where the value may hold a secret, so that no mistake may repeat what was found.
    const SECRET: bool = false;
    /// True where an empty string means "not set" (`tls_cert = ""`).
    const EMPTY_IS_NONE: bool = false;

    /// What is expected, with its article: `a duration such as "30s"`.
    fn expected() -> String;

    /// What to write instead.
    fn remedy() -> String;

    /// Reads a value.
    ///
    /// # Errors
    /// Everything that is wrong with it, keys relative to the value.
    fn read(node: &Node) -> Result<Self, Vec<Mistake>>;

    /// The value of a key that was not written; None if the key must be written.
    fn absent() -> Option<Self> {
        None
    }

    /// The value as it would be written; a literal secret is spelled without its text.
    fn spell(&self) -> toml::Value;
}

/// The refusal of a value of the wrong kind: what was expected, what was found.
pub(super) fn refuse<T: Setting>(node: &Node) -> Vec<Mistake> {
    let what = format!("expected {}, found {}", T::expected(), describe(&node.value, T::SECRET));
    vec![Mistake::at(&node.place, what, T::remedy())]
}

/// Names a value for a person; of a secret only its type.
fn describe(value: &Value, secret: bool) -> String {
    match value {
        Value::Table(_) => "a table".into(),
        Value::Array(_) => "an array".into(),
        Value::Text(_) if secret => "a string".into(),
        Value::Integer(_) if secret => "an integer".into(),
        Value::Raw(_) if secret => "other text".into(),
        Value::Text(text) => format!("the string {}", quote(text)),
        Value::Raw(text) => quote(text),
        Value::Integer(number) => format!("the integer {number}"),
        Value::Float(number) => format!("the float {number}"),
        Value::Bool(flag) => format!("the boolean {flag}"),
        Value::Datetime(text) => format!("the date-time {text}"),
    }
}

/// Quotes text as TOML would, cut after 60 characters so that a mistake stays one readable line.
pub(super) fn quote(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("\"{}{more}\"", short.escape_debug())
}

/// Implements [`Setting`] for a type that is written as a string.
macro_rules! text_setting {
    ($ty:ty, expected: $expected:expr, remedy: $remedy:expr, parse: $parse:expr, spell: $spell:expr $(, secret: $secret:expr)? $(,)?) => {
        impl $crate::config::setting::Setting for $ty {
            const EMPTY_IS_NONE: bool = true;
            $(const SECRET: bool = $secret;)?

            fn expected() -> String {
                $expected.into()
            }

            fn remedy() -> String {
                $remedy.into()
            }

            fn read(node: &$crate::config::node::Node) -> Result<Self, Vec<$crate::config::mistake::Mistake>> {
                let parse: fn(&str) -> Option<$ty> = $parse;
                node.text().and_then(parse).ok_or_else(|| $crate::config::setting::refuse::<Self>(node))
            }

            fn spell(&self) -> toml::Value {
                let spell: fn(&$ty) -> String = $spell;
                toml::Value::String(spell(self))
            }
        }
    };
}
pub(super) use text_setting;
