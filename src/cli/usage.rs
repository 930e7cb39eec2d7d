//! `waybill usage`: what became of messages, by day.

use clap::Args;
use serde_json::Value;

use super::context::Context;
use super::failure::Failure;
use super::table::Table;

/// The columns of the answer, as the server's CSV has them.
const COLUMNS: [&str; 8] =
    ["day", "category", "outcome", "price_category", "billable", "pricing_model", "pricing_type", "messages"];

/// Count what became of messages, by day, category and outcome.
///
/// By the UTC day of acceptance. What was read counts as delivered and sent too. Lines with the outcome `priced` say what
/// Meta charges. Messages of test keys are not counted. It needs a key of the tenant.
#[derive(Debug, Args)]
pub struct Usage {
    /// First day, such as 2026-01-01. By default 29 days before the last one.
    #[arg(long, value_name = "DAY")]
    pub from: Option<String>,
    /// Last day, included. Today by default.
    #[arg(long, value_name = "DAY")]
    pub to: Option<String>,
    /// Write CSV.
    #[arg(long, conflicts_with = "json")]
    pub csv: bool,
}

impl Usage {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let days = [("from", self.from), ("to", self.to)];
        let query: Vec<(&str, String)> = days.into_iter().filter_map(|(name, day)| Some((name, day?))).collect();
        let answer = context.tenant()?.get("/v1/usage", &query).await?;
        let lines = answer["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        if context.json() {
            return lines.iter().try_for_each(|line| context.printer.line(line));
        }
        if self.csv {
            context.printer.line(COLUMNS.join(","))?;
            return lines.iter().try_for_each(|line| context.printer.line(cells(line).join(",")));
        }
        if lines.is_empty() {
            context.printer.note("No messages were accepted on these days.");
            return Ok(());
        }
        context.printer.line(table(lines))
    }
}

/// Words, numbers and days: nothing in them has to be quoted.
fn cells(line: &Value) -> [String; 8] {
    COLUMNS.map(|column| match &line[column] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    })
}

fn table(lines: &[Value]) -> Table {
    let mut table = Table::new(&["day", "category", "outcome", "price", "billable", "model", "type", ">messages"]);
    for line in lines {
        table.row(cells(line));
    }
    table
}
