//! `waybill tail`: the events of the journal as lines.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
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
use crate::domain::text::calm;

/// Kinds of the events that seal the others: a report of each partition, and what is to be signed, was, and was published.
const SEALING: RangeInclusive<u64> = 112..=115;
/// Events of one page: as many as may be begun with.
const PAGE: usize = 200;
/// How long to wait when nothing new was there. A person does not see a quarter of a second, a server does not feel it.
const IDLE: Duration = Duration::from_millis(250);

/// Show the events of the journal, and follow them.
///
/// One line for each message that an event moves: when (UTC), where it stands (partition:position), what it is, which
/// message, and what has become of it. Events of one partition stand in their order, those of different partitions in
/// the order of their times. Sealed content is never shown: `waybill inspect` opens it for one message. Events of the sealing
/// of the audit trail, which come each second that anything happens, are shown with `--all`.
#[derive(Debug, Args)]
pub struct Tail {
    /// Only events of this tenant.
    #[arg(long, value_name = "NAME")]
    pub tenant: Option<String>,
    /// Only this partition.
    #[arg(long, value_name = "NUMBER")]
    pub partition: Option<u16>,
    /// Also the events of the sealing of the audit trail.
    #[arg(long)]
    pub all: bool,
    /// How many of the newest events to begin with.
    #[arg(long, short = 'n', value_name = "COUNT", default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=200))]
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
        let mut reader = self.reader(context.operator()?).await?;
        let newest = reader.read().await?;
        let shown = usize::try_from(self.lines).unwrap_or(usize::MAX);
        for event in &newest[newest.len().saturating_sub(shown)..] {
            show(context, event)?;
        }
        if !self.follow {
            return Ok(());
        }
        loop {
            tokio::time::sleep(IDLE).await;
            for event in &reader.read().await? {
                show(context, event)?;
            }
        }
    }

    /// A reader that begins as many events before each end as are shown of all partitions together.
    async fn reader(&self, client: Client) -> Result<Reader, Failure> {
        let tenant = match &self.tenant {
            Some(name) => Some(tenant_id(&client, name).await?),
            None => None,
        };
        let mut next = ends(&client).await?;
        next.retain(|partition, _| self.partition.is_none_or(|only| only == *partition));
        if let (true, Some(only)) = (next.is_empty(), self.partition) {
            return Err(Failure::usage(format!("the journal has no partition {only}"))
                .remedy("`waybill status --json` lists the partitions."));
        }
        let newest = self.lines;
        let next = next.into_iter().map(|(partition, end)| (partition, (newest == 0).then_some(end))).collect();
        Ok(Reader { client, tenant, all: self.all, newest, next })
    }
}

/// Reads on in every partition.
struct Reader {
    client: Client,
    tenant: Option<String>,
    /// Events of the sealing too.
    all: bool,
    newest: u64,
    /// Where to go on; nothing before the newest events were read.
    next: BTreeMap<u16, Option<u64>>,
}

impl Reader {
    /// What is new, by time: one page of each partition at most. With 1,024 partitions and events of 1 KB that is 200 MB
    /// in the worst moment; usually it is a handful.
    async fn read(&mut self) -> Result<Vec<Value>, Failure> {
        let mut found = Vec::new();
        for (partition, end) in ends(&self.client).await? {
            let Some(next) = self.next.get_mut(&partition).filter(|next| next.is_none_or(|next| next < end)) else {
                continue;
            };
            // In the audit's own partition most of the newest ones may be of the sealing.
            let newest = if self.all { self.newest } else { PAGE as u64 };
            let place = next.map_or(("last", newest.to_string()), |next| ("from", next.to_string()));
            let query = [("partition", partition.to_string()), place, ("limit", PAGE.to_string())];
            let mut page = self.client.get("/v1/admin/events", &query).await?;
            *next = page["next"].as_u64().max(*next);
            for mut event in page["events"].as_array_mut().map(std::mem::take).unwrap_or_default() {
                if is_wanted(&event, self.tenant.as_deref(), self.all) {
                    event["partition"] = partition.into();
                    found.push(event);
                }
            }
        }
        // Stable: what one partition says at one time stays in its order. Times may step back, positions never do.
        found.sort_by_cached_key(|event| event["at"].as_str().and_then(|at| at.parse::<jiff::Timestamp>().ok()));
        Ok(found)
    }
}

/// Whether an event is to be shown.
#[must_use]
pub fn is_wanted(event: &Value, tenant: Option<&str>, all: bool) -> bool {
    let is_sealing = event["kind"].as_u64().is_some_and(|kind| SEALING.contains(&kind));
    (all || !is_sealing) && tenant.is_none_or(|tenant| event["tenant"] == tenant)
}

/// How far each partition goes.
async fn ends(client: &Client) -> Result<BTreeMap<u16, u64>, Failure> {
    let status = client.get("/v1/admin/status", &[]).await?;
    let partitions = status["partitions"].as_array().into_iter().flatten();
    let ends =
        partitions.filter_map(|row| Some((u16::try_from(row["partition"].as_u64()?).ok()?, row["end"].as_u64()?)));
    Ok(ends.collect())
}

fn show(context: &Context, event: &Value) -> Result<(), Failure> {
    if context.json() {
        return context.printer.line(event);
    }
    lines(&context.printer, event).into_iter().try_for_each(|line| context.printer.line(line))
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
pub fn lines(printer: &Printer, event: &Value) -> Vec<String> {
    let text = |name: &str| calm(event[name].as_str().unwrap_or_default());
    let place = calm(&format!("{}:{}", event["partition"], event["position"]));
    let moved = moves(event).into_iter().map(|it| {
        let state = calm(&it.state);
        let cells = [
            printer.paint(Tone::Faint, &of_day(&text("at"))),
            format!("{place:<10}"),
            format!("{:<17}", text("name")),
            it.message.map_or_else(|| "-".to_owned(), |message| calm(&message)),
            printer.paint(tone_of(&state), &state),
            calm(&it.detail),
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
