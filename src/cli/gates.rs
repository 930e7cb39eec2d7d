//! `waybill gates`: what is stopped, why, and how much waits for it.

use clap::Args;
use serde_json::Value;

use super::context::Context;
use super::failure::Failure;
use super::table::Table;
use super::time::thousands;

/// List what is stopped, why, and how many messages wait for it.
///
/// Tenants, templates and countries that `waybill suspend` has stopped, and those that are being let go. Sessions are not
/// listed: the API shows how each stands (GET /v1/sessions). It needs a key of the tenant.
///
/// Example: waybill gates --json | jq 'select(.effective | not)'
#[derive(Debug, Args)]
pub struct Gates {}

impl Gates {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let answer = context.tenant()?.get("/v1/gates", &[]).await?;
        let gates = answer["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        if context.json() {
            return gates.iter().try_for_each(|gate| context.printer.line(gate));
        }
        if gates.is_empty() {
            context.printer.note("Nothing is stopped.");
            return Ok(());
        }
        context.printer.line(table(gates))
    }
}

/// The list as a table.
#[must_use]
pub fn table(gates: &[Value]) -> Table {
    let mut table = Table::new(&["since", "what", "name", "stands", ">messages", "by", "reason"]);
    for gate in gates {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        table.row([
            text(&gate["since"]),
            text(&gate["gate"]["kind"]),
            text(&gate["gate"]["name"]),
            standing(gate),
            thousands(gate["messages"].as_u64().unwrap_or(0)),
            text(&gate["by"]),
            text(&gate["reason"]),
        ]);
    }
    table
}

fn standing(gate: &Value) -> String {
    let (applied, of) = (&gate["partitions"]["applied"], &gate["partitions"]["of"]);
    match (gate["closed"] == true, gate["effective"] == true) {
        (true, true) => "suspended".to_owned(),
        (true, false) => format!("being suspended, {applied} of {of}"),
        (false, _) => format!("being resumed, {applied} of {of}"),
    }
}
