//! The ledger: joins what was acknowledged, what arrived at the counterpart, and what was notified.
//!
//! The join needs nothing of the product: the load generator writes a marker into each message, the simulator finds it again, and the
//! acknowledgement ties the marker to the id that notifications carry.
//!
//! | column | meaning |
//! | --- | --- |
//! | accepted | messages acknowledged to the caller |
//! | sent | of these, accepted at least once by the counterpart |
//! | delivered, read, failed | of these, notified as such (`failed` holds failed, expired and cancelled) |
//! | unknown | of these, visibly unknown: notified as unknown or held, or in the given list |
//! | lost | acknowledged, and yet neither at the counterpart, nor failed, nor visibly unknown: must be 0 |
//! | duplicated | messages the counterpart accepted more often than acknowledged, and no list explains it: must be 0 |
//! | duplicated_listed | the same, explained by an attempt that was listed as unknown |
//! | reordered | messages that reached the counterpart before one of the same sender and recipient acknowledged earlier |
//! | reordered_listed | the same, where only messages that were visibly unknown were overtaken: those block nobody |
//! | notified | messages with at least one notification |
//! | unacknowledged | markers at the counterpart that nobody acknowledged: the answer was lost, not the message |

use crate::graph::Recorded;
use crate::lines::{LinesError, read_lines};
use crate::sink::Notified;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;

/// One acknowledgement, as the load generator writes it down.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// The mark in the message.
    pub marker: String,
    /// The id the target answered with.
    pub id: String,
    /// The sender, as the caller names it.
    #[serde(default)]
    pub from: String,
    /// The recipient.
    #[serde(default)]
    pub to: String,
    /// When the request was started, microseconds since the epoch; 0 leaves it out of the order.
    #[serde(default)]
    pub started_us: u64,
    /// When the answer was there.
    #[serde(default)]
    pub acked_us: u64,
}

/// What the join found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Messages acknowledged to the caller (distinct ids).
    pub accepted: u64,
    /// Of these, accepted at least once by the counterpart.
    pub sent: u64,
    /// Of these, notified as delivered or read.
    pub delivered: u64,
    /// Of these, notified as read.
    pub read: u64,
    /// Of these, notified as failed, expired or cancelled.
    pub failed: u64,
    /// Of these, visibly unknown.
    pub unknown: u64,
    /// Of these, nowhere. Must be 0.
    pub lost: u64,
    /// Messages the counterpart accepted too often, not explained by the list. Must be 0.
    pub duplicated: u64,
    /// Messages the counterpart accepted too often, explained by the list.
    pub duplicated_listed: u64,
    /// Messages that overtook an earlier one to the same recipient.
    pub reordered: u64,
    /// Messages that overtook none but such as were visibly unknown.
    #[serde(default)]
    pub reordered_listed: u64,
    /// Messages with at least one notification.
    pub notified: u64,
    /// Markers at the counterpart that nobody acknowledged.
    pub unacknowledged: u64,
    /// The first markers of what must not be, for looking them up.
    pub examples: BTreeMap<String, Vec<String>>,
}

/// Examples kept per kind.
const EXAMPLES: usize = 10;

impl Ledger {
    /// Whether nothing is there that must not be.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.lost == 0 && self.duplicated == 0
    }

    fn example(&mut self, kind: &str, marker: &str) {
        let kept = self.examples.entry(kind.to_owned()).or_default();
        if kept.len() < EXAMPLES {
            kept.push(marker.to_owned());
        }
    }
}

impl std::fmt::Display for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { accepted, sent, delivered, read, failed, unknown, notified, .. } = self;
        writeln!(
            f,
            "ledger     accepted {accepted}, sent {sent}, delivered {delivered}, read {read}, failed {failed}, unknown {unknown}, notified {notified}"
        )?;
        let Self { lost, duplicated, duplicated_listed, reordered, reordered_listed, unacknowledged, .. } = self;
        write!(
            f,
            "           lost {lost}, duplicated {duplicated} (listed {duplicated_listed}), reordered {reordered} (listed {reordered_listed}), unacknowledged {unacknowledged}"
        )?;
        self.examples.iter().try_for_each(|(kind, markers)| write!(f, "\n           {kind}: {}", markers.join(" ")))
    }
}

/// What notifications say of one message.
#[derive(Default, Clone, Copy)]
struct Told {
    delivered: bool,
    read: bool,
    failed: bool,
    unknown: bool,
}

impl Told {
    /// Takes the last word of a type such as `message.delivered`.
    fn hear(&mut self, kind: &str) {
        match kind.rsplit('.').next().unwrap_or(kind) {
            "delivered" => self.delivered = true,
            "read" => self.read = true,
            "failed" | "expired" | "cancelled" => self.failed = true,
            "unknown" | "held" => self.unknown = true,
            _ => {}
        }
    }
}

/// What the counterpart has of one marker.
#[derive(Default, Clone, Copy)]
struct Arrived {
    times: u64,
    first: u64,
}

fn arrivals(requests: &[Recorded]) -> HashMap<&str, Arrived> {
    let mut found: HashMap<&str, Arrived> = HashMap::new();
    for request in requests.iter().filter(|request| request.wamid.is_some()) {
        let Some(marker) = request.marker.as_deref() else {
            continue;
        };
        let arrived = found.entry(marker).or_default();
        arrived.first = if arrived.times == 0 { request.n } else { arrived.first.min(request.n) };
        arrived.times += 1;
    }
    found
}

fn told(notices: &[Notified]) -> HashMap<&str, Told> {
    let mut found: HashMap<&str, Told> = HashMap::new();
    for notice in notices.iter().filter(|notice| !notice.message_id.is_empty()) {
        found.entry(&notice.message_id).or_default().hear(&notice.kind);
    }
    found
}

/// Joins three JSON lines files: acknowledgements, the simulator's journal, the sink's events (absent where nothing is notified).
///
/// # Errors
/// [`LinesError`] when a file cannot be read or is damaged.
pub fn join_files(
    acks: &Path,
    requests: &Path,
    notices: Option<&Path>,
    unknown: &HashSet<String>,
) -> Result<Ledger, LinesError> {
    let notices = notices.map(read_lines).transpose()?.unwrap_or_default();
    Ok(join(&read_lines(acks)?, &read_lines(requests)?, &notices, unknown))
}

/// Joins the three. `unknown` lists message ids (or markers) whose attempts the target itself calls unknown.
#[must_use]
pub fn join(acks: &[Ack], requests: &[Recorded], notices: &[Notified], unknown: &HashSet<String>) -> Ledger {
    let (arrived, told) = (arrivals(requests), told(notices));
    let mut ledger = Ledger::default();
    // An id acknowledged twice (a retry under one idempotency key) is one promise; a marker under two ids is two.
    let mut ids: HashSet<&str> = HashSet::with_capacity(acks.len());
    let mut promises: HashMap<&str, Vec<&Ack>> = HashMap::with_capacity(acks.len());
    for ack in acks.iter().filter(|ack| ids.insert(&ack.id)) {
        promises.entry(&ack.marker).or_default().push(ack);
        let listed = unknown.contains(&ack.id) || unknown.contains(&ack.marker);
        let there = arrived.get(&*ack.marker).is_some_and(|a| a.times > 0);
        settle(&mut ledger, ack, there, told.get(&*ack.id).copied(), listed);
    }
    for (marker, arrived) in &arrived {
        let acks = promises.get(marker).map_or(&[][..], Vec::as_slice);
        excess(&mut ledger, marker, *arrived, acks, unknown);
    }
    let is_unknown = |ack: &Ack| {
        let said = told.get(&*ack.id).is_some_and(|told| told.unknown);
        said || unknown.contains(&ack.id) || unknown.contains(&ack.marker)
    };
    reordered(&mut ledger, acks, &arrived, is_unknown);
    ledger
}

fn settle(ledger: &mut Ledger, ack: &Ack, there: bool, told: Option<Told>, listed: bool) {
    let (notified, told) = (told.is_some(), told.unwrap_or_default());
    let unknown = told.unknown || listed;
    ledger.accepted += 1;
    ledger.sent += u64::from(there);
    ledger.delivered += u64::from(told.delivered || told.read);
    ledger.read += u64::from(told.read);
    ledger.failed += u64::from(told.failed);
    ledger.unknown += u64::from(unknown);
    ledger.notified += u64::from(notified);
    if !there && !told.failed && !unknown {
        ledger.lost += 1;
        ledger.example("lost", &ack.marker);
    }
}

fn excess(ledger: &mut Ledger, marker: &str, arrived: Arrived, acks: &[&Ack], unknown: &HashSet<String>) {
    if acks.is_empty() {
        ledger.unacknowledged += 1;
    }
    if arrived.times <= acks.len().max(1) as u64 {
        return;
    }
    if unknown.contains(marker) || acks.iter().any(|ack| unknown.contains(&ack.id)) {
        ledger.duplicated_listed += 1;
    } else {
        ledger.duplicated += 1;
        ledger.example("duplicated", marker);
    }
}

/// One message on its lane: those of one sender to one recipient.
struct Passage<'a> {
    started: u64,
    acked: u64,
    arrival: u64,
    unknown: bool,
    marker: &'a str,
}

/// Counts messages that arrived before one whose acknowledgement was there before they were even started: two requests under
/// way at once have no order.
fn reordered(ledger: &mut Ledger, acks: &[Ack], arrived: &HashMap<&str, Arrived>, is_unknown: impl Fn(&Ack) -> bool) {
    let mut lanes: HashMap<(&str, &str), Vec<Passage<'_>>> = HashMap::new();
    for ack in acks.iter().filter(|ack| ack.started_us > 0 && ack.acked_us > 0) {
        if let Some(arrived) = arrived.get(&*ack.marker) {
            let (started, acked, arrival) = (ack.started_us, ack.acked_us, arrived.first);
            let passage = Passage { started, acked, arrival, unknown: is_unknown(ack), marker: &ack.marker };
            lanes.entry((&ack.from, &ack.to)).or_default().push(passage);
        }
    }
    lanes.into_values().for_each(|lane| overtaking(ledger, lane));
}

/// Sorted by start, with the latest arrivals among those acknowledged so far, each message is looked at once.
fn overtaking(ledger: &mut Ledger, mut lane: Vec<Passage<'_>>) {
    let mut by_ack: Vec<(u64, u64, bool)> = lane.iter().map(|it| (it.acked, it.arrival, it.unknown)).collect();
    by_ack.sort_unstable();
    lane.sort_unstable_by_key(|it| (it.started, it.acked));
    let (mut acked, mut latest, mut latest_unknown) = (by_ack.into_iter().peekable(), 0, 0);
    for it in lane {
        while let Some((_, earlier, unknown)) = acked.next_if(|(acked, ..)| *acked < it.started) {
            let of = if unknown { &mut latest_unknown } else { &mut latest };
            *of = earlier.max(*of);
        }
        if latest > it.arrival {
            ledger.reordered += 1;
            ledger.example("reordered", it.marker);
        } else if latest_unknown > it.arrival {
            ledger.reordered_listed += 1;
        }
    }
}

#[cfg(test)]
mod tests;
