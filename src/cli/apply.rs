//! `waybill apply`: a declaration file made true.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use clap::Args;
use reqwest::Method;
use serde_json::Value;

use super::context::Context;
use super::declare;
use super::exit::Exit;
use super::failure::Failure;
use super::print::Tone;
use super::table::Table;
use crate::config::Declaration;

/// Declare tenants, sessions, endpoints and API keys from a file.
///
/// Applying a file twice changes nothing the second time; nothing is ever removed. Secrets are read on this machine and
/// travel to the server once. New API keys and generated signing secrets are shown once and kept nowhere: write them
/// down, or have them written with --keys-out. A key whose text was lost is replaced by `waybill revoke` and applying again.
#[derive(Debug, Args)]
pub struct Apply {
    /// The declaration, as TOML; config/examples/tenants.toml is one to begin with.
    #[arg(long, short, value_name = "FILE")]
    pub file: PathBuf,
    /// Say what would change, and change nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Write new keys and secrets to this new file, readable by its owner alone, in place of showing them.
    #[arg(long, value_name = "FILE", conflicts_with = "dry_run")]
    pub keys_out: Option<PathBuf>,
}

impl Apply {
    /// Runs the command.
    ///
    /// # Errors
    /// Every mistake in the file; secrets that cannot be had; what the server refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let declaration = Declaration::load(&self.file)?;
        let body = declare::body(&declaration, self.dry_run)?;
        let client = context.operator()?;
        // Made before anything is changed: a key that can be written nowhere is lost.
        let out = self.keys_out.as_deref().map(create).transpose()?;
        let mut answer = client.put(Method::PUT, declare::PATH, &body, &[]).await?;
        if let Some((mut file, path)) = out {
            let secrets = Value::from(take_secrets(&mut answer));
            let written = writeln!(file, "{secrets:#}").and_then(|()| file.sync_all());
            written.map_err(|error| lost(path, &error))?;
            context.printer.note(format!("New keys and secrets are in {}.", path.display()));
        }
        if context.json() {
            return context.printer.line(answer);
        }
        self.tell(context, &answer)
    }

    fn tell(&self, context: &Context, answer: &Value) -> Result<(), Failure> {
        let printer = &context.printer;
        let table = changes(answer);
        if table.is_empty() {
            return printer.line("The file declares nothing.");
        }
        printer.line(&table)?;
        let changed = objects(answer).filter(|(_, object)| object["change"].as_str() != Some("unchanged")).count();
        printer.line(match (changed, self.dry_run) {
            (0, _) => "\nNothing to change: everything is as declared.".to_owned(),
            (some, true) => format!("\n{some} of {} would change. Nothing was changed.", table.len()),
            (some, false) => format!("\n{some} of {} changed.", table.len()),
        })?;
        let secrets = take_secrets(&mut answer.clone());
        if !secrets.is_empty() {
            printer.line(printer.paint(Tone::Warn, "\nShown once, kept nowhere:"))?;
        }
        for secret in secrets {
            let text = |name: &str| secret[name].as_str().unwrap_or_default().to_owned();
            printer.line(format!("  {}  {}/{}  {}", text("kind"), text("tenant"), text("name"), text("text")))?;
        }
        Ok(())
    }
}

fn create(path: &Path) -> Result<(std::fs::File, &Path), Failure> {
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match file {
        Ok(file) => Ok((file, path)),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            Err(Failure::usage(format!("{} exists already; nothing was changed", path.display()))
                .remedy("It may hold keys that are kept nowhere else. Name a new file."))
        }
        Err(error) => Err(Failure::file("create", path, &error)),
    }
}

fn lost(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(
        Exit::Internal,
        format!("the declaration was applied, but {} cannot be written: {error}", path.display()),
    )
    .remedy(
        "The new keys are lost. Revoke each with `waybill revoke TENANT NAME` and apply the file again: it makes new ones. \
         A signing secret is replaced by declaring one of your own.",
    )
}

/// The lists of an answer, and what one of each is called.
const LISTS: [(&str, &str); 6] = [
    ("tenants", "tenant"),
    ("portfolios", "portfolio"),
    ("sessions", "session"),
    ("pools", "pool"),
    ("endpoints", "endpoint"),
    ("keys", "key"),
];

/// Every object of an answer with its kind.
fn objects(answer: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    LISTS
        .into_iter()
        .flat_map(move |(list, kind)| answer[list].as_array().into_iter().flatten().map(move |object| (kind, object)))
}

/// What changes, as a table.
#[must_use]
pub fn changes(answer: &Value) -> Table {
    let mut table = Table::new(&["kind", "tenant", "name", "change"]);
    for (kind, object) in objects(answer) {
        let text = |name: &str| object[name].as_str().unwrap_or("-").to_owned();
        table.row([kind.to_owned(), text("tenant"), text("name"), text("change")]);
    }
    table
}

/// Takes the texts of new keys and secrets out of an answer: `{kind, tenant, name, text}` each.
pub fn take_secrets(answer: &mut Value) -> Vec<Value> {
    let mut found = Vec::new();
    for (list, field, kind) in [("keys", "key", "key"), ("endpoints", "secret", "signing secret")] {
        for object in answer[list].as_array_mut().into_iter().flatten() {
            let Some(text) = object.as_object_mut().and_then(|fields| fields.remove(field)) else {
                continue;
            };
            if text.is_string() {
                found.push(serde_json::json!({ "kind": kind, "tenant": object["tenant"], "name": object["name"], "text": text }));
            }
        }
    }
    found
}
