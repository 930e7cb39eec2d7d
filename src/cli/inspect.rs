//! `waybill inspect`: the story of one message.

use clap::Args;
use serde_json::Value;

use super::context::Context;
use super::failure::Failure;
use super::print::{Printer, Tone};
use super::table::Table;
use super::tail::tone_of;
use super::time::of_day;
use super::waiting::sentence;
use crate::domain::text::calm;

/// Tell the story of one message.
///
/// What was asked for, each attempt and its answer, what Meta reported, and where each step stands in the journal. The
/// server opens the sealed content for the operator's key; a person who was erased stays erased.
#[derive(Debug, Args)]
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

/// What is said of a message above its steps, in this order; what is null or not named here is left to `--json`.
const FACTS: [&str; 15] = [
    "tenant",
    "from",
    "to",
    "reference",
    "category",
    "accepted_at",
    "send_at",
    "expires_at",
    "not_before",
    "attempts",
    "duplicates",
    "failure",
    "content",
    "erased",
    "content_unavailable",
];

/// The story as text: what it is, then a table of its steps.
#[must_use]
pub fn story(printer: &Printer, message: &Value) -> String {
    let mut lines = vec![heading(printer, message)];
    lines.extend(sentence(message).map(|told| format!("  {told}")));
    let said = FACTS.iter().filter_map(|name| Some((name, message.get(name).filter(|value| !value.is_null())?)));
    lines.extend(said.map(|(name, value)| format!("  {:<14}{}", name.replace('_', " "), words(value))));
    let timeline = message["timeline"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !timeline.is_empty() {
        lines.push(String::new());
        lines.push(steps(timeline).to_string());
    }
    lines.join("\n")
}

fn heading(printer: &Printer, message: &Value) -> String {
    let text = |name: &str| calm(message[name].as_str().unwrap_or_default());
    let state = text("state");
    format!("{}  {}", printer.paint(Tone::Strong, &text("id")), printer.paint(tone_of(&state), &state))
}

/// A value as it is shown. A tenant chose some of it, and this is the operator's terminal.
fn words(value: &Value) -> String {
    calm(&value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned))
}

/// One row a step: when, where in the journal, what, and everything else that is said of it.
fn steps(timeline: &[Value]) -> Table {
    let mut table = Table::new(&["time", ">position", "step", "detail"]);
    for step in timeline {
        let rest = step.as_object().into_iter().flatten();
        let rest = rest.filter(|(name, value)| {
            !matches!(name.as_str(), "at" | "what" | "position") && !value.is_null() && **value != 0
        });
        let details: Vec<String> =
            rest.map(|(name, value)| format!("{} {}", calm(&name.replace('_', " ")), words(value))).collect();
        let what = words(&step["what"]).replace('_', " ");
        table.row([of_day(&words(&step["at"])), words(&step["position"]), what, details.join(", ")]);
    }
    table
}
