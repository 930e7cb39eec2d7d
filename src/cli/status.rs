//! `waybill status`: how the server is.

use clap::Args;
use serde_json::Value;

use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::time::thousands;
use crate::domain::text::calm;

/// Say how the server is.
///
/// Its health and why, and how far its partitions are. The exit code is 1 when it is not well. --json lists each
/// partition; for graphs and alarms scrape /metrics.
#[derive(Debug, Args)]
pub struct Status {}

impl Status {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let status = context.operator()?.get("/v1/admin/status", &[]).await?;
        let healthy = status["healthy"] == true;
        if context.json() {
            context.printer.line(status)?;
        } else {
            for line in lines(&status) {
                context.printer.line(line)?;
            }
        }
        if healthy { Ok(()) } else { Err(Failure::said(Exit::BadAnswer)) }
    }
}

/// The answer in lines.
#[must_use]
pub fn lines(status: &Value) -> Vec<String> {
    let words = |name: &str| status[name].as_str().unwrap_or("-").to_owned();
    let health = if status["healthy"] == true { "well: messages are taken and sent" } else { "not well" };
    let mut facts = vec![("health", health.to_owned())];
    for reason in status["reasons"].as_array().into_iter().flatten() {
        let text = |name: &str| reason[name].as_str().unwrap_or("-");
        facts.push(("", format!("{}: {}", text("part"), text("why"))));
    }
    let partitions = status["partitions"].as_array().map(Vec::as_slice).unwrap_or_default();
    let sum = |of: fn(&Value) -> u64| thousands(partitions.iter().map(of).sum());
    facts.extend([
        ("installation", words("installation")),
        ("node", words("node")),
        ("partitions", partitions.len().to_string()),
        ("events", sum(|it| it["events"].as_u64().unwrap_or(0))),
        ("not yet applied", sum(|it| it["behind"].as_u64().unwrap_or(0))),
        ("quarantined", sum(|it| it["quarantined"].as_u64().unwrap_or(0))),
    ]);
    facts.into_iter().map(|(name, value)| format!("{name:<17}{}", calm(&value))).collect()
}
