//! Who is meant.

use std::io::{self, Read};

use clap::Args;

use crate::cli::failure::Failure;

/// Longest name that is read, bytes: a phone number has 15 digits, an id of Meta's up to 128 characters.
const MAX: u64 = 256;

/// A person.
#[derive(Debug, Clone, Args)]
pub struct Person {
    /// Phone number with country code, or `bsuid:` and an id; `-`: read from standard input.
    #[arg(value_name = "PERSON", allow_hyphen_values = true)]
    person: String,
}

impl Person {
    /// The name, as the server is asked for it.
    ///
    /// # Errors
    /// When standard input cannot be read, or has none.
    pub fn name(self) -> Result<String, Failure> {
        if self.person != "-" {
            return Ok(self.person);
        }
        let mut text = String::new();
        let read = io::stdin().take(MAX).read_to_string(&mut text);
        read.map_err(|error| Failure::usage(format!("standard input cannot be read: {error}")))?;
        match text.trim() {
            "" => Err(Failure::usage("standard input holds no person".to_owned())
                .remedy("write a phone number with country code, or `bsuid:` and an id, on one line.")),
            name => Ok(name.to_owned()),
        }
    }
}
