//! What is wrong with a settings file, where, and what to do: one [`Mistake`] each, all of them in [`Mistakes`].
//!
//! No mistake ever carries the text of a secret: readers of secret kinds describe what they found by its type alone.

use std::fmt;

use serde::Serialize;

use super::place::Place;

/// One thing that is wrong in a settings file, a declaration or the environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The file's path as it was given, or the name of the environment variable.
    pub origin: String,
    /// Line in the file, from 1. None for the environment and for a file that could not be read.
    pub line: Option<usize>,
    /// Column in the line, from 1, in characters. None where `line` is.
    pub column: Option<usize>,
    /// The dotted key, such as `server.listen` or `session[2].token` (elements count from 0). Empty for a mistake of the whole file.
    pub key: String,
    /// What is wrong, as a clause: `expected a duration such as "30s", found the integer 30`.
    pub what: String,
    /// What to do about it, as a sentence without its full stop.
    pub remedy: String,
}

impl Mistake {
    /// A mistake at a place, not yet under any key.
    pub(super) fn at(place: &Place, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            origin: place.origin.to_string(),
            line: place.line,
            column: place.column,
            key: String::new(),
            what: what.into(),
            remedy: remedy.into(),
        }
    }

    /// The same mistake seen from one level further out: `listen` under `server` is `server.listen`.
    pub(super) fn under(mut self, parent: &str) -> Self {
        self.key = match self.key.as_str() {
            "" => parent.to_owned(),
            child if child.starts_with('[') => format!("{parent}{child}"),
            child => format!("{parent}.{child}"),
        };
        self
    }
}

impl fmt::Display for Mistake {
    /// `waybill.toml:12:10 server.listen: what. Remedy.`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        for number in [self.line, self.column].into_iter().flatten() {
            write!(f, ":{number}")?;
        }
        if !self.key.is_empty() {
            write!(f, " {}", self.key)?;
        }
        write!(f, ": {}. {}.", self.what, self.remedy)
    }
}

/// Every mistake that was found, at least one, ordered by file, line, column; those of the environment last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Mistakes(Vec<Mistake>);

impl Mistakes {
    /// Orders the mistakes. The caller has at least one.
    pub(super) fn new(mut found: Vec<Mistake>) -> Self {
        found.sort_by(|a, b| {
            let rank = |m: &Mistake| (m.line.is_none(), m.origin.clone(), m.line, m.column, m.key.clone());
            rank(a).cmp(&rank(b))
        });
        Self(found)
    }

    /// The mistakes in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Mistake> {
        self.0.iter()
    }

    /// How many there are: at least one.
    #[allow(clippy::len_without_is_empty, reason = "never empty: a reading without mistakes is Ok")]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Mistakes {
    /// One line per mistake.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, mistake) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            mistake.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}
