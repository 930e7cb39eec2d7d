//! `waybill contact export`: everything that is kept of a person, as one JSON document.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};

use super::person::Person;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::time::thousands;

/// Entries of one person that are kept in memory to be put in order: of some kilobytes each, some hundred megabytes.
const MOST: usize = 100_000;

/// Write everything that is kept of a person into one JSON document.
///
/// Names, what was allowed, every message to and from the person with what became of it, consents with their evidence, and what
/// was asked for by right; in the order of time. That it was exported is recorded.
#[derive(Debug, Args)]
pub struct Export {
    /// Whose data.
    #[command(flatten)]
    pub person: Person,
    /// Why, in a few words. Kept in the journal for ever.
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Where to: a new file that only you can read. Standard output by default.
    #[arg(long, short = 'o', value_name = "FILE")]
    pub out: Option<PathBuf>,
}

impl Export {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses; when the file cannot be written.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let (client, to) = (context.tenant()?, self.person.name()?);
        let ask = async |after: Option<&str>| {
            let body = json!({"to": to, "reason": self.reason, "after": after});
            client.put(Method::POST, "/v1/contacts/export", &body, &[]).await
        };
        let mut whole = ask(None).await?;
        let mut entries = take(&mut whole["entries"]);
        while let Some(after) = whole["next"].as_str().map(str::to_owned) {
            let mut page = ask(Some(&after)).await?;
            entries.append(&mut take(&mut page["entries"]));
            whole["next"] = page["next"].take();
            if entries.len() > MOST {
                let why = format!("more than {} entries are kept of this person", thousands(MOST as u64));
                return Err(Failure::new(Exit::BadAnswer, why)
                    .remedy("page through POST /v1/contacts/export yourself; it has no such limit."));
            }
        }
        // By the text: times are all in UTC, with the same number of digits or fewer.
        entries.sort_by(|a, b| a["at"].as_str().cmp(&b["at"].as_str()));
        let count = entries.len() as u64;
        if let Some(whole) = whole.as_object_mut() {
            whole.remove("next");
            whole.insert("entries".to_owned(), Value::Array(entries));
        }
        let text = serde_json::to_string_pretty(&whole)
            .map_err(|error| Failure::new(Exit::Internal, format!("the document cannot be written: {error}")))?;
        match &self.out {
            None => context.printer.line(text),
            Some(path) => {
                write(path, &text)?;
                context.printer.note(format!("{} entries written to {}.", thousands(count), path.display()));
                Ok(())
            }
        }
    }
}

fn take(entries: &mut Value) -> Vec<Value> {
    match entries.take() {
        Value::Array(entries) => entries,
        _ => Vec::new(),
    }
}

/// A file that is there is left alone: it may be another person's.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| writeln!(file, "{text}").and_then(|()| file.sync_all()));
    written.map_err(|error| Failure::usage(format!("{} cannot be written: {error}", path.display())))
}
