//! Why a command did not do its work: what is wrong, what to do about it, and the exit code.

use std::fmt;
use std::path::Path;

use super::exit::Exit;
use crate::config::{Mistakes, SecretError};

/// A failed command. Drawn by miette at the edge, or written as one JSON object with `--json`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    exit: Exit,
    what: String,
    remedy: Option<String>,
    parts: Vec<Failure>,
    silent: bool,
}

impl Failure {
    /// A failure in words: what is wrong, without a full stop.
    #[must_use]
    pub fn new(exit: Exit, what: impl Into<String>) -> Self {
        Self { exit, what: what.into(), remedy: None, parts: Vec::new(), silent: false }
    }

    /// The command line asks for something that cannot be.
    #[must_use]
    pub fn usage(what: impl Into<String>) -> Self {
        Self::new(Exit::Usage, what)
    }

    /// A file of the caller could not be read or written.
    #[must_use]
    pub fn file(verb: &str, path: &Path, error: &std::io::Error) -> Self {
        let what = format!("cannot {verb} {}: {error}", path.display());
        Self::new(Exit::Usage, what).remedy("Check the path and its permissions.")
    }

    /// Everything has been said already; only the exit code is left.
    #[must_use]
    pub fn said(exit: Exit) -> Self {
        Self { silent: true, ..Self::new(exit, "") }
    }

    /// What to do about it: whole sentences.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// One failure of which this one is made.
    #[must_use]
    pub fn part(mut self, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        let part = Self::new(self.exit, what).remedy(remedy);
        self.parts.push(part);
        self
    }

    /// The exit code.
    #[must_use]
    pub fn exit(&self) -> Exit {
        self.exit
    }

    /// Whether nothing is left to be said.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// The same for programs: `{"error": …, "remedy": …, "exit": 2, "parts": […]}`.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        let mut value = serde_json::json!({ "error": self.what, "exit": self.exit.code() });
        if let Some(remedy) = &self.remedy {
            value["remedy"] = remedy.as_str().into();
        }
        if !self.parts.is_empty() {
            value["parts"] = self.parts.iter().map(Self::to_json).collect();
        }
        value
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl std::error::Error for Failure {}

impl miette::Diagnostic for Failure {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        let remedy = self.remedy.as_ref()?;
        Some(Box::new(remedy))
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        let parts = self.parts.iter();
        (!self.parts.is_empty())
            .then(|| Box::new(parts.map(|part| part as &dyn miette::Diagnostic)) as Box<dyn Iterator<Item = _>>)
    }
}

/// Every mistake of a settings file or a declaration. The lines themselves are not quoted: one of them may hold a
/// literal secret, and terminals are recorded.
impl From<Mistakes> for Failure {
    fn from(mistakes: Mistakes) -> Self {
        let what = match mistakes.len() {
            1 => "there is a mistake in the settings".to_owned(),
            many => format!("there are {many} mistakes in the settings"),
        };
        mistakes.iter().fold(Self::usage(what), |failure, mistake| {
            let place: Vec<String> = std::iter::once(mistake.origin.clone())
                .chain([mistake.line, mistake.column].into_iter().flatten().map(|n| n.to_string()))
                .collect();
            let key = if mistake.key.is_empty() { String::new() } else { format!(" {}", mistake.key) };
            failure.part(format!("{}{key}: {}", place.join(":"), mistake.what), format!("{}.", mistake.remedy))
        })
    }
}

impl From<SecretError> for Failure {
    fn from(error: SecretError) -> Self {
        Self::usage(error.to_string())
    }
}
