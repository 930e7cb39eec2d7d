//! `waybill check-config`: every mistake of a settings file and of a declaration, at once, without a server.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::print::Tone;
use crate::config::{DEFAULTS, Declaration, Mistake, Mistakes, Settings};

/// Check a settings file and a declaration, and report every mistake at once.
///
/// The environment is checked too: a variable such as WAYBILL_SERVER__LISTEN overrides the file. Secrets are not read,
/// no server is called, nothing is changed.
#[derive(Debug, Args)]
pub struct CheckConfig {
    /// Settings file, in place of --config.
    #[arg(value_name = "FILE", conflicts_with = "defaults")]
    pub file: Option<PathBuf>,
    /// A declaration of tenants, sessions, endpoints and keys to check as well.
    #[arg(long, value_name = "FILE", conflicts_with = "defaults")]
    pub declarations: Option<PathBuf>,
    /// Print every setting with its default and its explanation, as a file to begin with.
    #[arg(long)]
    pub defaults: bool,
}

impl CheckConfig {
    /// Runs the command.
    ///
    /// # Errors
    /// A silent failure when there are mistakes: they have been printed.
    pub fn run(self, context: &Context) -> Result<(), Failure> {
        if self.defaults {
            return context.printer.line(DEFAULTS.trim_end());
        }
        let file = self.file.as_ref().or(context.config_file());
        let mut mistakes = found(Settings::load(file.map(PathBuf::as_path), context.variables()));
        if let Some(file) = &self.declarations {
            mistakes.extend(found(Declaration::load(file)));
        }
        if context.json() {
            context.printer.line(json!({ "good": mistakes.is_empty(), "mistakes": mistakes }))?;
        } else {
            tell(context, &mistakes)?;
        }
        if mistakes.is_empty() { Ok(()) } else { Err(Failure::said(Exit::Usage)) }
    }
}

fn found<T>(read: Result<T, Mistakes>) -> Vec<Mistake> {
    read.err().map(|mistakes| mistakes.iter().cloned().collect()).unwrap_or_default()
}

fn tell(context: &Context, mistakes: &[Mistake]) -> Result<(), Failure> {
    let printer = &context.printer;
    for mistake in mistakes {
        printer.line(printer.paint(Tone::Strong, &heading(mistake)))?;
        printer.line(format!("    {}.", mistake.what))?;
        printer.line(format!("    {}.", mistake.remedy))?;
    }
    match mistakes.len() {
        0 => printer.line(printer.paint(Tone::Good, "No mistakes.")),
        1 => printer.line(printer.paint(Tone::Bad, "1 mistake.")),
        many => printer.line(printer.paint(Tone::Bad, &format!("{many} mistakes."))),
    }
}

/// `waybill.toml:12:10  server.listen`
fn heading(mistake: &Mistake) -> String {
    let numbers = [mistake.line, mistake.column].into_iter().flatten().map(|n| n.to_string());
    let place: Vec<String> = std::iter::once(mistake.origin.clone()).chain(numbers).collect();
    let place = place.join(":");
    if mistake.key.is_empty() { place } else { format!("{place}  {}", mistake.key) }
}
