//! `waybill tail`: the events of the journal as lines.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::client::Client;
use super::context::Context;
use super::failure::Failure;
use super::print::{Printer, Tone};

/// Events of one page.
const PAGE: usize = 500;
/// How long to wait when nothing new was there. A person does not see a quarter of a second, a server does not feel it.
const IDLE: Duration = Duration::from_millis(250);

/// Show the events of the journal, and follow them.
///
/// One line an event: when, where it stands (partition:position), what it is, which message it moves, and what that
/// message has become. Events of one partition come in their order; between partitions there is none.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct Tail {
    /// Only events of this tenant.
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<String>,
    /// Only this partition.
    #[arg(long, value_name = "NUMBER")]
    pub partition: Option<u16>,
    /// How many of the newest events of each partition to begin with.
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 10)]
    pub lines: u64,
    /// Go on until Ctrl-C, and show events as they come.
    #[arg(long, short)]
    pub follow: bool,
}

impl Tail {
    /// Runs the command.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn run(self, context: &Context) -> Result<(), Failure> {
        let client = context.operator()?;
        let mut cursors = self.beginning(&client).await?;
        loop {
            let seen = self.round(context, &client, &mut cursors).await?;
            if !seen {
                if !self.follow {
                    return Ok(());
                }
                tokio::time::sleep(IDLE).await;
            }
        }
    }

    /// Where to begin in each partition.
    async fn beginning(&self, client: &Client) -> Result<BTreeMap<u16, u64>, Failure> {
        let status = client.get("/v1/admin/status", &[]).await?;
        let partitions = status["partitions"].as_array().into_iter().flatten();
        let all = partitions.filter_map(|row| {
            let partition = u16::try_from(row["partition"].as_u64()?).ok()?;
            let end = row["end"].as_u64()?;
            Some((partition, end.saturating_sub(self.lines)))
        });
        let cursors: BTreeMap<u16, u64> =
            all.filter(|(partition, _)| self.partition.is_none_or(|only| only == *partition)).collect();
        match (cursors.is_empty(), self.partition) {
            (true, Some(only)) => Err(Failure::usage(format!("the journal has no partition {only}"))
                .remedy("`waybill status` lists the partitions.")),
            _ => Ok(cursors),
        }
    }

    /// Reads one page of each partition. Says whether anything was there.
    async fn round(
        &self,
        context: &Context,
        client: &Client,
        cursors: &mut BTreeMap<u16, u64>,
    ) -> Result<bool, Failure> {
        let mut seen = false;
        for (partition, next) in cursors.iter_mut() {
            let query = [("partition", partition.to_string()), ("from", next.to_string()), ("limit", PAGE.to_string())];
            let page = client.get("/v1/admin/events", &query).await?;
            for event in page["events"].as_array().into_iter().flatten() {
                seen = true;
                self.show(context, event)?;
            }
            *next = page["next"].as_u64().unwrap_or(*next).max(*next);
        }
        Ok(seen)
    }

    fn show(&self, context: &Context, event: &Value) -> Result<(), Failure> {
        if self.tenant.as_ref().is_some_and(|tenant| event["tenant"].as_str() != Some(tenant)) {
            return Ok(());
        }
        if context.json() {
            return context.printer.line(event);
        }
        context.printer.line(line(&context.printer, event))
    }
}

/// `2026-01-31T09:30:00.125Z  12:3456  message_accepted  0c1f…  queued`
#[must_use]
pub fn line(printer: &Printer, event: &Value) -> String {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let place = format!("{}:{}", event["partition"], event["position"]);
    let state = text("state");
    let tone = tone_of(state);
    let cells = [
        printer.paint(Tone::Faint, text("at")),
        format!("{place:<10}"),
        format!("{:<22}", text("kind")),
        text("message").to_owned(),
        printer.paint(tone, state),
    ];
    cells.join("  ").trim_end().to_owned()
}

/// How a state sounds.
#[must_use]
pub fn tone_of(state: &str) -> Tone {
    match state {
        "delivered" | "read" | "sent" => Tone::Good,
        "failed" | "expired" | "cancelled" => Tone::Bad,
        "unknown" | "held" => Tone::Warn,
        _ => Tone::Strong,
    }
}
