//! `waybill tail`: the events of the journal as lines.

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use serde_json::Value;

use super::client::Client;
use super::context::Context;
use super::exit::Exit;
use super::failure::Failure;
use super::moves::moves;
use super::print::{Printer, Tone};
use super::time::of_day;

/// Events of one page.
const PAGE: usize = 500;
/// How long to wait when nothing new was there. A person does not see a quarter of a second, a server does not feel it.
const IDLE: Duration = Duration::from_millis(250);

/// Show the events of the journal, and follow them.
///
/// One line for each message that an event moves: when (UTC), where it stands (partition:position), what it is, which
/// message, and what has become of it. Events of one partition come in their order; between partitions there is none.
/// Sealed content is never shown: `waybill inspect` opens it for one message.
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
        let tenant = match &self.tenant {
            Some(name) => Some(tenant_id(&client, name).await?),
            None => None,
        };
        let mut cursors = self.beginning(&client).await?;
        loop {
            let seen = self.round(context, &client, tenant.as_deref(), &mut cursors).await?;
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
        tenant: Option<&str>,
        cursors: &mut BTreeMap<u16, u64>,
    ) -> Result<bool, Failure> {
        let mut seen = false;
        for (partition, next) in cursors.iter_mut() {
            let query = [("partition", partition.to_string()), ("from", next.to_string()), ("limit", PAGE.to_string())];
            let page = client.get("/v1/admin/events", &query).await?;
            for event in page["events"].as_array().into_iter().flatten() {
                seen = true;
                if tenant.is_none_or(|tenant| event["tenant"] == tenant) {
                    self.show(context, *partition, event)?;
                }
            }
            *next = page["next"].as_u64().unwrap_or(*next).max(*next);
        }
        Ok(seen)
    }

    fn show(&self, context: &Context, partition: u16, event: &Value) -> Result<(), Failure> {
        if context.json() {
            let mut event = event.clone();
            event["partition"] = partition.into();
            return context.printer.line(event);
        }
        lines(&context.printer, partition, event).into_iter().try_for_each(|line| context.printer.line(line))
    }
}

/// The id of a tenant, which is what events name.
async fn tenant_id(client: &Client, name: &str) -> Result<String, Failure> {
    let mut after = String::new();
    loop {
        let page = client.get("/v1/admin/tenants", &[("after", after)]).await?;
        let mut tenants = page["data"].as_array().into_iter().flatten();
        if let Some(id) = tenants.find(|tenant| tenant["name"] == name).and_then(|tenant| tenant["id"].as_str()) {
            return Ok(id.to_owned());
        }
        match page["next"].as_str() {
            Some(next) => after = next.to_owned(),
            None => {
                return Err(Failure::new(Exit::BadAnswer, format!("there is no tenant {name:?}"))
                    .remedy("Check its spelling: a tenant is called as its declaration names it."));
            }
        }
    }
}

/// An event as lines, one for each message it moves: `09:30:00.125  12:3456  AttemptsClosed  msg_0c1f…  sent  attempt 1`
#[must_use]
pub fn lines(printer: &Printer, partition: u16, event: &Value) -> Vec<String> {
    let text = |name: &str| event[name].as_str().unwrap_or_default();
    let place = format!("{partition}:{}", event["position"]);
    let moved = moves(event).into_iter().map(|it| {
        let cells = [
            printer.paint(Tone::Faint, &of_day(text("at"))),
            format!("{place:<10}"),
            format!("{:<17}", text("name")),
            it.message.unwrap_or_else(|| "-".to_owned()),
            printer.paint(tone_of(&it.state), &it.state),
            it.detail,
        ];
        cells.iter().filter(|cell| !cell.is_empty()).map(String::as_str).collect::<Vec<_>>().join("  ")
    });
    moved.collect()
}

/// How a state sounds.
#[must_use]
pub fn tone_of(state: &str) -> Tone {
    match state {
        "delivered" | "read" | "sent" => Tone::Good,
        "failed" | "expired" | "cancelled" | "withdrawn" => Tone::Bad,
        "unknown" | "held" | "retry" => Tone::Warn,
        _ => Tone::Strong,
    }
}
