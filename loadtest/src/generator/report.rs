//! The numbers of a run.

use super::load::{Load, histogram};
use crate::graph::Recorded;
use crate::ledger::Ledger;
use crate::proc::Usage;
use hdrhistogram::Histogram;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// Latencies in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Half were faster.
    pub p50: f64,
    /// 99 of 100 were faster.
    pub p99: f64,
    /// 999 of 1,000 were faster.
    pub p999: f64,
    /// The slowest.
    pub max: f64,
}

#[allow(clippy::cast_precision_loss, reason = "microseconds below 2^53")]
fn latency(seen: &Histogram<u64>) -> Latency {
    let ms = |us: u64| us as f64 / 1000.0;
    let at = |quantile| ms(seen.value_at_quantile(quantile));
    Latency { p50: at(0.5), p99: at(0.99), p999: at(0.999), max: ms(seen.max()) }
}

/// What a run found.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Report {
    /// Answers by name: `202`, other statuses, `no connection`, `no answer in time`, `connection broke`.
    pub answers: BTreeMap<String, u64>,
    /// Messages acknowledged.
    pub accepted: u64,
    /// Acknowledged per second, from the start to the last answer.
    pub accepted_per_s: f64,
    /// Messages accepted by the counterpart, of those acknowledged.
    pub arrived: u64,
    /// Arrived per second, from the start to the last arrival.
    pub delivered_per_s: f64,
    /// From the moment a message was due (open loop) or sent (closed loop) to its acknowledgement.
    pub accept_ms: Latency,
    /// From sending to the first arrival at the counterpart.
    pub arrival_ms: Latency,
    /// CPU seconds of the target for 10,000 acknowledged messages, until everything had arrived.
    pub cpu_s_per_10k: Option<f64>,
    /// Peak memory of the target.
    pub peak_rss_mib: Option<f64>,
    /// Seconds from the start to the last answer.
    pub load_s: f64,
    /// Whether everything waited for came in time.
    pub settled: bool,
    /// The join, where the counterpart could be asked.
    pub ledger: Option<Ledger>,
}

/// The times of a run.
pub(super) struct Span {
    pub started_us: u64,
    pub loaded_us: u64,
    pub settled: bool,
}

/// First arrivals of acknowledged messages.
struct Arrivals {
    count: u64,
    last_us: u64,
    latency: Histogram<u64>,
}

fn arrivals(load: &Load, requests: &[Recorded], started_us: u64) -> Arrivals {
    let mut waiting: HashMap<&str, u64> = load.acks.iter().map(|ack| (&*ack.marker, ack.started_us)).collect();
    let mut arrivals = Arrivals { count: 0, last_us: started_us, latency: histogram() };
    for request in requests.iter().filter(|request| request.wamid.is_some()) {
        let Some(sent_us) = request.marker.as_deref().and_then(|marker| waiting.remove(marker)) else {
            continue;
        };
        arrivals.count += 1;
        arrivals.last_us = arrivals.last_us.max(request.at_us);
        arrivals.latency.saturating_record(request.at_us.saturating_sub(sent_us));
    }
    arrivals
}

#[allow(clippy::cast_precision_loss, reason = "counts and microseconds below 2^53")]
pub(super) fn build(
    load: Load,
    requests: &[Recorded],
    ledger: Option<Ledger>,
    span: &Span,
    usage: Option<(Usage, Usage)>,
) -> Report {
    let arrivals = arrivals(&load, requests, span.started_us);
    let seconds = |until_us: u64| (until_us.saturating_sub(span.started_us) as f64 / 1e6).max(1e-6);
    let accepted = load.acks.len() as u64;
    let per_10k = 10_000.0 / accepted.max(1) as f64;
    Report {
        accepted,
        accepted_per_s: accepted as f64 / seconds(span.loaded_us),
        arrived: arrivals.count,
        delivered_per_s: arrivals.count as f64 / seconds(arrivals.last_us),
        accept_ms: latency(&load.latency),
        arrival_ms: latency(&arrivals.latency),
        cpu_s_per_10k: usage.map(|(before, after)| (after.cpu_s - before.cpu_s) * per_10k),
        peak_rss_mib: usage.map(|(_, after)| after.peak_rss_mib),
        load_s: seconds(span.loaded_us),
        settled: span.settled,
        answers: load.answers,
        ledger,
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.2}  p99 {:.2}  p99.9 {:.2}  max {:.2} ms", self.p50, self.p99, self.p999, self.max)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answers: Vec<_> = self.answers.iter().map(|(name, n)| format!("{name}: {n}")).collect();
        writeln!(f, "answers    {}", answers.join(", "))?;
        writeln!(f, "accepted   {} in {:.2} s, {:.0}/s", self.accepted, self.load_s, self.accepted_per_s)?;
        write!(f, "           {}", self.accept_ms)?;
        if let Some(ledger) = &self.ledger {
            let waited = if self.settled { "" } else { "  (waited in vain for the rest)" };
            writeln!(f, "\narrived    {}, {:.0}/s{waited}", self.arrived, self.delivered_per_s)?;
            writeln!(f, "           {}", self.arrival_ms)?;
            write!(f, "{ledger}")?;
        }
        if let (Some(cpu), Some(rss)) = (self.cpu_s_per_10k, self.peak_rss_mib) {
            write!(f, "\ntarget     {cpu:.3} CPU s per 10k, peak {rss:.0} MiB")?;
        }
        Ok(())
    }
}
