//! `waybill contact requests`: what people asked for by right, and what was done about it.

use clap::Args;
use serde_json::Value;

use crate::cli::client::Client;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::table::Table;

/// List what people asked for by right, and what was done about it.
///
/// What is open comes first. People are named by the ids of their contacts, as in their messages. `waybill audit export` proves
/// the list.
#[derive(Debug, Args)]
pub struct Requests {
    /// Only what is not done.
    #[arg(long)]
    pub open: bool,
}

impl Requests {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let found = all(&context.tenant()?, |request| !self.open || request["state"] != "done").await?;
        if context.json() {
            return found.iter().try_for_each(|request| context.printer.line(request));
        }
        if found.is_empty() {
            context.printer.note(if self.open { "Nothing is open." } else { "Nobody has asked for anything." });
            return Ok(());
        }
        context.printer.line(table(&found))
    }
}

/// All requests that are wanted: what is open first, then what was done, by when it was asked for.
pub(super) async fn all(client: &Client, wanted: impl Fn(&Value) -> bool) -> Result<Vec<Value>, Failure> {
    let (mut found, mut after): (Vec<Value>, Option<String>) = (Vec::new(), None);
    loop {
        let query: Vec<(&str, String)> = after.iter().map(|after| ("after", after.clone())).collect();
        let mut page = client.get("/v1/privacy/requests", &query).await?;
        if let Value::Array(data) = page["data"].take() {
            found.extend(data.into_iter().filter(&wanted));
        }
        after = page["next"].as_str().map(str::to_owned);
        if after.is_none() {
            break;
        }
    }
    // A word that stands twice in the journal was carried out once.
    let order = |request: &Value| {
        let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
        (request["state"] == "done", text("asked_at"), text("id"))
    };
    found.sort_by_key(order);
    found.dedup_by(|a, b| a["id"] == b["id"]);
    Ok(found)
}

fn table(requests: &[Value]) -> Table {
    let mut table = Table::new(&["asked", "right", "contact", "state", "due or done", "reason"]);
    for request in requests {
        let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
        let then = if request["state"] == "done" { text("done_at") } else { text("due_at") };
        table.row([text("asked_at"), text("right"), text("contact"), text("state"), then, text("reason")]);
    }
    table
}
