//! Secrets by reference: settings name where a secret is (`env:NAME`, `file:/path`), and it is read only when it is used.
//!
//! A secret in the file itself needs the prefix `literal:`, so that none stands there by accident and every reader sees that it does.

#![expect(clippy::disallowed_methods, reason = "a secret by reference may stand in the environment")]

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;

use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::setting::text_setting;

/// Largest secret file that is read: keys and tokens are below 4 KiB, so 64 KiB is ample and bounded.
const LARGEST_SECRET: u64 = 64 * 1024;

/// The text of a secret: wiped from memory when dropped, never printed.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text over.
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// The text itself, for the one call that needs it. Never for a log, an error or an event.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

impl PartialEq for Secret {
    /// In constant time for equal lengths.
    fn eq(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }
}

/// Where a secret is to be found.
#[derive(Clone, PartialEq)]
pub enum SecretRef {
    /// `env:NAME`: the environment variable of the process.
    Env(String),
    /// `file:/path`: the content of a file, without the line break at its end. The path is absolute.
    File(PathBuf),
    /// `literal:text`: the text itself.
    Literal(Secret),
}

/// Why a secret could not be had. Names the reference, never the text.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The environment variable is not set, or is not UTF-8.
    #[error("the environment variable {name} is not set to UTF-8 text; set it, or change the reference env:{name}")]
    Unset {
        /// The variable.
        name: String,
    },
    /// The file could not be read.
    #[error("the secret file {} cannot be read: {source}; check the path and its permissions", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// There is no text in it.
    #[error("the secret {reference} is empty; put the secret there")]
    Empty {
        /// The reference, without any text.
        reference: String,
    },
}

impl SecretRef {
    /// Reads a reference; None if it has no known prefix, no name, or a relative path.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = text.split_once(':')?;
        match kind {
            "env" if is_variable(rest) => Some(Self::Env(rest.to_owned())),
            "file" if rest.starts_with('/') => Some(Self::File(PathBuf::from(rest))),
            "literal" if !rest.is_empty() => Some(Self::Literal(Secret::new(rest.to_owned()))),
            _ => None,
        }
    }

    /// Fetches the secret now, from the process's environment or from disk.
    ///
    /// # Errors
    /// [`SecretError`], which names the reference and never the text.
    pub fn resolve(&self) -> Result<Secret, SecretError> {
        self.resolve_with(|name| std::env::var(name).ok())
    }

    /// Like [`SecretRef::resolve`], with another way to look a variable up.
    ///
    /// # Errors
    /// [`SecretError`], which names the reference and never the text.
    pub fn resolve_with(&self, variable: impl FnOnce(&str) -> Option<String>) -> Result<Secret, SecretError> {
        let secret = match self {
            Self::Env(name) => {
                variable(name).map(Secret::new).ok_or_else(|| SecretError::Unset { name: name.clone() })?
            }
            Self::File(path) => {
                read_secret(path).map_err(|source| SecretError::Unreadable { path: path.clone(), source })?
            }
            Self::Literal(secret) => secret.clone(),
        };
        if secret.expose().is_empty() {
            return Err(SecretError::Empty { reference: self.to_string() });
        }
        Ok(secret)
    }
}

fn is_variable(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.chars().all(word) && name.chars().next().is_some_and(|first| !first.is_ascii_digit())
}

fn read_secret(path: &PathBuf) -> io::Result<Secret> {
    // The buffer has its full size from the start: a growing one would leave copies of the secret behind.
    let mut text = Zeroizing::new(String::with_capacity(LARGEST_SECRET as usize + 1));
    File::open(path)?.take(LARGEST_SECRET + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LARGEST_SECRET {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than 64 KiB"));
    }
    Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

impl fmt::Display for SecretRef {
    /// The reference; of a literal nothing but that it is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
            Self::Literal(_) => f.write_str("literal:(hidden)"),
        }
    }
}

impl fmt::Debug for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretRef({self})")
    }
}

text_setting!(
    SecretRef,
    expected: "a reference to a secret: \"env:NAME\" or \"file:/path\"",
    remedy: "Name the environment variable or the absolute path that holds the secret; write \"literal:…\" only where the file itself is kept secret",
    parse: SecretRef::parse,
    spell: SecretRef::to_string,
    secret: true,
);
