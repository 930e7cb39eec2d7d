//! The verdict: every message that was acknowledged is looked up at Meta's side and at the endpoints.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use serde::Serialize;
use waybill_loadtest::graph::Recorded;
use waybill_loadtest::ledger::{Ack, Ledger, join};

use super::handover::Book;
use super::stage::Stage;
use super::watch::{Told, fold};
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::print::Tone;
use crate::cli::table::Table;
use crate::cli::time::{spent, thousands};

/// The last line of `demo --json`, fields in this order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    accepted: u64,
    sent: u64,
    delivered: u64,
    read: u64,
    failed: u64,
    /// Still unknown at the end.
    unknown: u64,
    lost: u64,
    duplicated: u64,
    notified: u64,
}

/// Messages that are listed where the accounts do not agree.
const OPEN_SHOWN: usize = 10;

/// What the ledger says.
pub(super) struct Verdict {
    counts: Counts,
    ledger: Ledger,
    refused: BTreeMap<String, u64>,
    by_session: BTreeMap<String, Counts>,
    /// The first messages that are neither delivered nor failed.
    open: Vec<String>,
    took: Duration,
    /// A message with a story worth telling.
    pub(super) example: Option<String>,
    /// A key to call the API with.
    pub(super) key: Option<String>,
}

impl Verdict {
    /// Joins what was acknowledged with what arrived and what was told.
    pub(super) fn reach(stage: &Stage, book: &Book, key: Option<String>, took: Duration) -> Self {
        let acks = book.acks();
        let (requests, notices) = (stage.simulator.requests(0, usize::MAX), stage.sink.events(0, usize::MAX));
        let ledger = join(&acks, &requests, &notices, &HashSet::new());
        let mut told = HashMap::new();
        fold(&notices, &mut told);
        let unknown = acks.iter().filter(|ack| told.get(&ack.id).is_some_and(|it| it.unknown && !it.is_settled()));
        let counts = Counts {
            accepted: ledger.accepted,
            sent: ledger.sent,
            delivered: ledger.delivered,
            read: ledger.read,
            failed: ledger.failed,
            unknown: unknown.count() as u64,
            lost: ledger.lost,
            duplicated: ledger.duplicated,
            notified: ledger.notified,
        };
        let (by_session, example) = (by_session(&acks, &told), example(&acks, &requests, &told));
        let open = acks.iter().filter(|ack| !told.get(&ack.id).is_some_and(|told| told.is_settled()));
        let open = open.take(OPEN_SHOWN).map(|ack| ack.id.clone()).collect();
        Self { counts, ledger, refused: book.refused(), by_session, open, took, example, key }
    }

    /// Whether every account agrees: nothing lost, nothing doubled, and each message came to one end.
    pub(super) fn agrees(&self) -> bool {
        let counts = &self.counts;
        counts.lost == 0
            && counts.duplicated == 0
            && counts.delivered + counts.failed == counts.accepted
            && self.refused.is_empty()
    }

    /// The counts, for programs: one line, its fields in the order of the struct.
    pub(super) fn json(&self) -> Result<String, Failure> {
        serde_json::to_string(&self.counts).map_err(|error| Failure::new(Exit::Internal, error.to_string()))
    }

    /// The counts, for people.
    pub(super) fn tell(&self, context: &Context, stage: &Stage) -> Result<(), Failure> {
        let printer = &context.printer;
        printer.line(self.table())?;
        let per_second = self.counts.accepted as f64 / self.took.as_secs_f64().max(0.001);
        printer.line(format!(
            "\n{} messages in {}, {per_second:.0} a second: Meta allows each number 80.",
            thousands(self.counts.accepted),
            spent(self.took)
        ))?;
        for line in self.remarks(stage) {
            printer.line(line)?;
        }
        let verdict = if self.agrees() {
            printer.paint(
                Tone::Good,
                "The ledger agrees: every message came to one end, none was lost, none was sent twice.",
            )
        } else {
            printer.paint(Tone::Bad, "The ledger does not agree.")
        };
        printer.line(format!("\n{verdict}"))?;
        if !self.agrees() {
            printer.line(&self.ledger)?;
        }
        if !self.open.is_empty() {
            printer.line("Neither delivered nor failed, to be looked at with `waybill inspect`:")?;
        }
        self.open.iter().try_for_each(|id| printer.line(format!("  {id}")))
    }

    fn table(&self) -> Table {
        let headings = ["session", ">accepted", ">sent", ">delivered", ">read", ">failed", ">unknown"];
        let mut table = Table::new(&headings);
        let row = |name: &str, counts: &Counts| {
            let Counts { accepted, sent, delivered, read, failed, unknown, .. } = *counts;
            let numbers = [accepted, sent, delivered, read, failed, unknown].map(thousands);
            std::iter::once(name.to_owned()).chain(numbers).collect::<Vec<_>>()
        };
        for (session, counts) in &self.by_session {
            table.row(row(session, counts));
        }
        table.row(row("together", &self.counts));
        table
    }

    /// What else happened on the way.
    fn remarks(&self, stage: &Stage) -> Vec<String> {
        let (meta, sink) = (stage.simulator.stats(), stage.sink.stats());
        let mut remarks = vec![format!(
            "{} of them were notified, in {} signed calls of the endpoints.",
            thousands(self.counts.notified),
            thousands(sink.deliveries)
        )];
        let codes: Vec<String> =
            meta.errors.iter().map(|(code, times)| format!("{code} {} times", thousands(*times))).collect();
        if !codes.is_empty() {
            remarks.push(format!("Meta refused with {}.", codes.join(", ")));
        }
        if self.ledger.unknown > 0 {
            let unknown = thousands(self.ledger.unknown);
            remarks.push(format!(
                "{unknown} answers were lost on the way; Meta's callbacks told what had become of them."
            ));
        }
        remarks.extend(self.refused.iter().map(|(code, times)| format!("{times} requests were refused: {code}.")));
        remarks
    }
}

fn by_session(acks: &[Ack], told: &HashMap<String, Told>) -> BTreeMap<String, Counts> {
    let mut found: BTreeMap<String, Counts> = BTreeMap::new();
    for ack in acks {
        let told = told.get(&ack.id).copied().unwrap_or_default();
        let counts = found.entry(ack.from.clone()).or_default();
        counts.accepted += 1;
        counts.sent += u64::from(told.sent || told.delivered);
        counts.delivered += u64::from(told.delivered);
        counts.read += u64::from(told.read);
        counts.failed += u64::from(told.failed);
        counts.unknown += u64::from(told.unknown && !told.is_settled());
    }
    found
}

/// A message that was refused for the moment and read in the end, or else one that was read.
fn example(acks: &[Ack], requests: &[Recorded], told: &HashMap<String, Told>) -> Option<String> {
    let throttled: HashSet<&str> = requests
        .iter()
        .filter(|request| request.error.is_some())
        .filter_map(|request| request.marker.as_deref())
        .collect();
    let is_read = |ack: &&Ack| told.get(&ack.id).is_some_and(|told| told.read);
    let of = |ack: &Ack| ack.id.clone();
    acks.iter()
        .filter(is_read)
        .find(|ack| throttled.contains(&*ack.marker))
        .or_else(|| acks.iter().find(is_read))
        .or_else(|| acks.first())
        .map(of)
}
