//! `waybill failures retry` and `… resolve`: something is done about many, after they were counted.

use clap::{Args, ValueEnum};
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{Which, word};
use crate::cli::client::Client;
use crate::cli::context::Context;
use crate::cli::failure::Failure;
use crate::cli::table::Table;
use crate::cli::time::thousands;

/// Queue failed and expired messages again.
///
/// They are counted first, and just those that were counted are queued: each gets its next attempt, its tries count
/// afresh, and its time begins anew. What may have been sent is not touched: `waybill failures resolve` is for that. It
/// needs an admin's key of the tenant.
#[derive(Debug, Args)]
pub struct Retry {
    /// Which of them, and how.
    #[command(flatten)]
    pub how: How,
    /// Time that they have from now, such as 2h. By default that of their category.
    #[arg(long, value_name = "TIME")]
    pub expires_in: Option<String>,
}

/// Decide what unknown outcomes were.
///
/// They are counted first, and just those that were counted are decided. A message that is sent again may arrive twice.
/// It needs an admin's key of the tenant.
#[derive(Debug, Args)]
pub struct Resolve {
    /// What they were.
    #[arg(long = "as", value_name = "WHAT")]
    pub resolution: Resolution,
    /// Which of them, and how.
    #[command(flatten)]
    pub how: How,
}

/// What an unknown outcome is taken for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Resolution {
    /// It was sent.
    Sent,
    /// Send it once more.
    Resend,
    /// Give it up.
    #[value(name = "give_up")]
    GiveUp,
}

/// What both are told.
#[derive(Debug, Clone, Args)]
pub struct How {
    /// Which of them.
    #[command(flatten)]
    pub which: Which,
    /// Only count.
    #[arg(long)]
    pub dry_run: bool,
    /// Why, in a few words. Kept in the journal.
    #[arg(long, value_name = "TEXT", required_unless_present = "dry_run")]
    pub reason: Option<String>,
    /// Fingerprint of a dry run: do it only if it would still be about the same messages.
    #[arg(long, value_name = "TEXT", conflicts_with = "dry_run")]
    pub fingerprint: Option<String>,
    /// How many at most.
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub limit: u64,
}

impl Retry {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut body = self.how.body();
        body.extend(self.expires_in.map(|time| ("expires_in".to_owned(), Value::from(time))));
        self.how.act(context, "/v1/failures/retry", body, "queued again").await
    }
}

impl Resolve {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked, or refuses.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let mut body = self.how.body();
        body.insert("as".to_owned(), word(&self.resolution));
        self.how.act(context, "/v1/failures/resolve", body, "decided").await
    }
}

impl How {
    fn body(&self) -> Map<String, Value> {
        let filter: Map<String, Value> =
            self.which.words().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        let mut body = Map::new();
        body.insert("filter".to_owned(), Value::Object(filter));
        body.insert("limit".to_owned(), json!(self.limit));
        body
    }

    async fn act(&self, context: &Context, path: &str, body: Map<String, Value>, done: &str) -> Result<(), Failure> {
        let client = context.tenant()?;
        let counted = match &self.fingerprint {
            Some(fingerprint) => json!({"fingerprint": fingerprint}),
            None => ask(&client, path, &body, &[("dry_run", json!(true))]).await?,
        };
        let answer = match &self.reason {
            Some(reason) if !self.dry_run && counted["matched"] != 0 => {
                let more = [("reason", json!(reason)), ("fingerprint", counted["fingerprint"].clone())];
                ask(&client, path, &body, &more).await?
            }
            _ => counted,
        };
        if context.json() {
            return context.printer.line(answer);
        }
        told(context, &answer, done)
    }
}

async fn ask(client: &Client, path: &str, body: &Map<String, Value>, more: &[(&str, Value)]) -> Result<Value, Failure> {
    let mut body = body.clone();
    body.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
    client.put(Method::POST, path, &Value::Object(body), &[]).await
}

fn told(context: &Context, answer: &Value, done: &str) -> Result<(), Failure> {
    let number = |name: &str| answer[name].as_u64().unwrap_or(0);
    let groups = answer["by"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !groups.is_empty() {
        let mut table = Table::new(&["state", "class", ">code", ">messages"]);
        for group in groups {
            let text = |name: &str| group[name].as_str().map_or_else(|| group[name].to_string(), ToOwned::to_owned);
            table.row(["state", "class", "code", "count"].map(text));
        }
        context.printer.line(table)?;
    }
    let matched = thousands(number("matched"));
    context.printer.line(match number("done") {
        0 => format!("{matched} messages; nothing was done."),
        done_for => format!("{} of {matched} messages are {done}.", thousands(done_for)),
    })?;
    if number("left_out") > 0 {
        context.printer.note(format!(
            "{} more fit, and cannot be taken: called off, of a cancelled campaign, in conflict with another, or not for this key.",
            thousands(number("left_out"))
        ));
    }
    if answer["more"] == true {
        context.printer.note("There may be more: repeat the command.");
    }
    if answer["dry_run"] == true && number("matched") > 0 {
        context.printer.note(format!("--fingerprint {}", answer["fingerprint"].as_str().unwrap_or_default()));
    }
    Ok(())
}
