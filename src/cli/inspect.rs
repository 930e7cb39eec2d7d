//! `waybill inspect`: the story of one message.

use clap::Args;
use serde_json::Value;

use super::context::Context;
use super::failure::Failure;
use super::print::{Printer, Tone};
use super::table::Table;
use super::tail::tone_of;

/// Tell the story of one message.
///
/// What was asked for, each attempt and its answer, what Meta reported, and where each step stands in the journal. The
/// server opens the sealed content for the operator's key; a person who was erased stays erased.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Inspect {
    /// Id of the message, as accepting it answered.
    #[arg(value_name = "MESSAGE", value_parser = message_id)]
    pub message: String,
}

/// An id goes into a path: nothing else may stand in it.
fn message_id(text: &str) -> Result<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    match (1..=64).contains(&text.len()) && text.chars().all(plain) {
        true => Ok(text.to_owned()),
        false => Err("an id of a message is letters and digits, as the answer to sending it has it".to_owned()),
    }
}

impl Inspect {
    /// Runs the command.
    ///
    /// # Errors
    /// When there is no such message, or the server cannot be asked.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let path = format!("/v1/admin/messages/{}", self.message);
        let message = context.operator()?.get(&path, &[]).await?;
        if context.json() {
            return context.printer.line(message);
        }
        context.printer.line(story(&context.printer, &message))
    }
}

/// The story as text: what it is, then a table of its steps.
#[must_use]
pub fn story(printer: &Printer, message: &Value) -> String {
    let mut lines = vec![heading(printer, message)];
    let skipped = ["id", "state", "timeline", "attempts", "content"];
    let facts = message.as_object().into_iter().flatten().filter(|(name, _)| !skipped.contains(&name.as_str()));
    lines.extend(facts.filter(|(_, value)| !value.is_null()).map(|(name, value)| fact(name, value)));
    if let Some(content) = message.get("content").filter(|content| !content.is_null()) {
        lines.push(fact("content", content));
    }
    let timeline = message["timeline"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !timeline.is_empty() {
        lines.push(String::new());
        lines.push(steps(timeline).to_string());
    }
    lines.join("\n")
}

fn heading(printer: &Printer, message: &Value) -> String {
    let text = |name: &str| message[name].as_str().unwrap_or_default();
    let state = text("state");
    format!("{}  {}", printer.paint(Tone::Strong, text("id")), printer.paint(tone_of(state), state))
}

fn fact(name: &str, value: &Value) -> String {
    let said = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
    format!("  {:<14}{said}", name.replace('_', " "))
}

/// One row a step: when, what, and everything else that is said of it.
fn steps(timeline: &[Value]) -> Table {
    let mut table = Table::new(&["time", "step", "detail"]);
    for step in timeline {
        let text = |name: &str| step[name].as_str().unwrap_or_default().to_owned();
        let rest = step.as_object().into_iter().flatten();
        let rest = rest.filter(|(name, value)| !matches!(name.as_str(), "at" | "step") && !value.is_null());
        let details: Vec<String> = rest
            .map(|(name, value)| {
                let value = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
                format!("{} {value}", name.replace('_', " "))
            })
            .collect();
        table.row([text("at"), text("step"), details.join(", ")]);
    }
    table
}
