//! `waybill status`: how the server is.

use clap::Args;
use serde_json::Value;

use super::context::Context;
use super::failure::Failure;

/// Say how the server is.
///
/// Health, partitions, and how much is waiting. For machines use --json, or scrape /metrics.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Status {}

impl Status {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let status = context.operator()?.get("/v1/admin/status", &[]).await?;
        if context.json() {
            return context.printer.line(status);
        }
        for (name, value) in status.as_object().into_iter().flatten() {
            context.printer.line(format!("{:<16}{}", name.replace('_', " "), spoken(value)))?;
        }
        Ok(())
    }
}

/// A value in one line; of a list its length.
fn spoken(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => format!("{} (--json lists them)", items.len()),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("{} {}", name.replace('_', " "), spoken(value)));
            fields.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
