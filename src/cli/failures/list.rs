//! `waybill failures list`: which messages, and why.

use clap::Args;
use serde_json::Value;

use super::Which;
use crate::cli::client::Client;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::table::Table;

/// Failures asked for at once: the server's largest page.
const PAGE: u64 = 200;

/// List messages that failed, expired, or may have been sent.
///
/// Oldest first, each with its failure class and Meta's code; of a message that ran out of time those of its last
/// attempt. What was settled since is left out. It needs a key of the tenant; `waybill inspect` tells one message's story.
#[derive(Debug, Args)]
pub struct List {
    /// Which of them.
    #[command(flatten)]
    pub which: Which,
    /// How many at most.
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub limit: u64,
}

impl List {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let (found, more) = self.read(&context.tenant()?, limit).await?;
        if context.json() {
            return found.iter().try_for_each(|row| context.printer.line(row));
        }
        if found.is_empty() {
            context.printer.note("No messages stand so.");
            return Ok(());
        }
        context.printer.line(table(&found))?;
        if more {
            context.printer.note(format!("There may be more than these {}: ask with a larger --limit.", found.len()));
        }
        Ok(())
    }

    async fn read(&self, client: &Client, limit: usize) -> Result<(Vec<Value>, bool), Failure> {
        let plain = |value: Value| value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
        let which: Vec<(&str, String)> =
            self.which.words().into_iter().map(|(name, value)| (name, plain(value))).collect();
        let (mut found, mut cursor) = (Vec::new(), None::<String>);
        loop {
            let mut query = which.clone();
            query.push(("limit", PAGE.min(self.limit).to_string()));
            query.extend(cursor.map(|cursor| ("cursor", cursor)));
            let mut page = client.get("/v1/failures", &query).await?;
            found.extend(page["data"].as_array_mut().map(std::mem::take).unwrap_or_default());
            let more = page["more"] == true || found.len() > limit;
            if found.len() >= limit || !more {
                found.truncate(limit);
                return Ok((found, more));
            }
            cursor = page["next"].as_str().map(ToOwned::to_owned);
        }
    }
}

/// The list as a table.
#[must_use]
pub fn table(found: &[Value]) -> Table {
    let mut table =
        Table::new(&["at", "message", "from", "state", "class", ">code", "category", ">attempts", "template"]);
    for row in found {
        let text = |name: &str| match &row[name] {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let names = ["at", "id", "from", "state", "class", "code", "category", "attempts", "template"];
        table.row(names.map(text));
    }
    table
}
