//! Tests of the room as a whole: what goes in as text, what comes out as settings or mistakes.

mod data;
mod declarations;
mod defaults;
mod layers;
mod mistakes;
mod rules;
mod secrets;

use super::{Mistakes, Settings};

/// Reads a file's text called `w.toml` with these variables.
fn read(text: &str, variables: &[(&str, &str)]) -> Result<Settings, Mistakes> {
    let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Settings::parse(text, "w.toml", variables)
}

/// The mistakes as their lines.
fn lines<T>(read: Result<T, Mistakes>) -> Vec<String> {
    read.err().map_or_else(Vec::new, |mistakes| mistakes.iter().map(ToString::to_string).collect())
}
