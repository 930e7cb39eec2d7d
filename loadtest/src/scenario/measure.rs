//! From what was seen to the quantities of `names`. One that cannot be had says why.

use super::evidence::{Evidence, Fate, Track};
use super::file::Scenario;
use super::sample::Samples;
use super::timeline::{Phase, seconds};
use super::times::{Delays, number, percentile, rate, tenths};
use super::verdict::{Measured, Values};
use crate::graph::Stats;
use crate::ledger::Ledger;
use crate::proc::Look;
use std::collections::{BTreeMap, HashSet};

/// Everything that was seen of a round.
pub(super) struct Seen<'a> {
    pub scenario: &'a Scenario,
    pub evidence: &'a Evidence,
    pub phases: &'a [Phase],
    pub samples: &'a Samples,
    pub simulator: Stats,
    pub bad_signatures: u64,
    pub sessions: usize,
    pub ready_s: f64,
    pub settled: bool,
    pub settle_s: f64,
    pub rss_ready_bytes: Result<u64, String>,
    /// The target before the first phase and after the end.
    pub before: Result<Look, String>,
    pub after: Result<Look, String>,
    pub disk_before: Result<u64, String>,
    pub disk_after: Result<u64, String>,
    pub unknowns_left: Result<u64, String>,
}

/// All quantities, and examples of what must not be.
pub(super) fn measure(seen: &Seen<'_>) -> (Values, BTreeMap<String, Vec<String>>) {
    let (mut values, mut examples) = (Values::new(), BTreeMap::new());
    let ledgers: Vec<Ledger> = seen.evidence.tracks.iter().map(|track| seen.evidence.ledger(track)).collect();
    for ledger in &ledgers {
        for (kind, markers) in &ledger.examples {
            let kept: &mut Vec<String> = examples.entry(kind.clone()).or_default();
            kept.extend(markers.iter().take(10_usize.saturating_sub(kept.len())).cloned());
        }
    }
    round(seen, &ledgers, &mut values);
    target(seen, sum(&ledgers, |ledger| ledger.accepted), &mut values);
    for (at, spec) in seen.scenario.phases.iter().enumerate() {
        if let Some(phase) = seen.phases.get(at) {
            of_phase(seen, phase, &mut |name, value| drop(values.insert(format!("{}.{name}", spec.name), value)));
        }
    }
    for at in 0..seen.scenario.streams.len() {
        stream(seen, at, &ledgers, &mut values);
    }
    (values, examples)
}

fn sum(ledgers: &[Ledger], of: fn(&Ledger) -> u64) -> f64 {
    number(ledgers.iter().map(of).sum::<u64>())
}

/// The ledger, and what simulator and sinks counted.
fn round(seen: &Seen<'_>, ledgers: &[Ledger], values: &mut Values) {
    let counts = |counts: &BTreeMap<String, u64>| number(counts.values().sum::<u64>());
    let of = |of: fn(&Ledger) -> u64| sum(ledgers, of);
    let silent = seen.scenario.streams.iter().enumerate().find(|(at, _)| {
        let own = seen.evidence.tracks.iter().zip(ledgers).filter(|(track, _)| track.stream == *at);
        own.map(|(_, ledger)| ledger.accepted).sum::<u64>() == 0
    });
    let promises = [
        ("lost", of(|it| it.lost)),
        ("doubled", of(|it| it.duplicated)),
        ("doubled_listed", of(|it| it.duplicated_listed)),
        ("inversions", of(|it| it.reordered)),
        ("inversions_listed", of(|it| it.reordered_listed)),
        ("failed", of(|it| it.failed)),
    ];
    for (name, value) in promises {
        // A target that takes nothing loses nothing: that is no promise kept.
        let value = silent.map_or(Ok(value), |(_, spec)| Err(format!("nothing of `{}` was accepted", spec.name)));
        values.insert(name.to_owned(), value);
    }
    let all = [
        ("accepted", of(|it| it.accepted)),
        ("unacknowledged", of(|it| it.unacknowledged) + number(seen.evidence.strangers)),
        ("settled", f64::from(u8::from(seen.settled))),
        ("settle_s", seen.settle_s),
        ("sessions", number(seen.sessions)),
        ("ready_s", seen.ready_s),
        ("limits.exceeded", counts(&seen.simulator.limits_exceeded)),
        ("limits.exceeded_after_answer", counts(&seen.simulator.limits_exceeded_after_answer)),
        ("notices.bad_signatures", number(seen.bad_signatures)),
    ];
    values.extend(all.into_iter().map(|(name, value)| (name.to_owned(), Ok(value))));
    values.insert("unknowns.left".to_owned(), bytes(&seen.unknowns_left));
}

fn bytes(of: &Result<u64, String>) -> Measured {
    of.clone().map(number)
}

/// Memory, disk and CPU of the target.
fn target(seen: &Seen<'_>, accepted: f64, values: &mut Values) {
    let a_message = |of: Measured| match of {
        Ok(_) if accepted == 0.0 => Err("nothing was accepted".to_owned()),
        of => of.map(|of| of / accepted),
    };
    let between = |of: fn(&Look) -> f64| -> Measured {
        if seen.phases.iter().any(|phase| phase.ready_s.is_some()) {
            return Err("it was started again, and counts from there".to_owned());
        }
        Ok(of(seen.after.as_ref()?) - of(seen.before.as_ref()?))
    };
    let look = |of: &Result<Look, String>| of.clone().map(|look| number(look.rss_bytes));
    let peak = seen.samples.failed.clone().map_or(Ok(seen.samples.peak_rss_bytes), Err);
    let more = bytes(&seen.disk_after).and_then(|after| bytes(&seen.disk_before).map(|before| after - before));
    let all = [
        ("rss.ready_bytes", bytes(&seen.rss_ready_bytes)),
        ("rss.start_bytes", look(&seen.before)),
        ("rss.peak_bytes", bytes(&peak)),
        ("rss.end_bytes", look(&seen.after)),
        ("disk.start_bytes", bytes(&seen.disk_before)),
        ("disk.end_bytes", bytes(&seen.disk_after)),
        ("disk.bytes_per_message", a_message(more)),
        ("disk.written_per_message", a_message(between(|look| number(look.written_bytes)))),
        ("cpu.s_per_10k", a_message(between(|look| look.cpu_s * 10_000.0))),
    ];
    values.extend(all.into_iter().map(|(name, value)| (name.to_owned(), value)));
}

fn of_phase(seen: &Seen<'_>, phase: &Phase, put: &mut dyn FnMut(&str, Measured)) {
    let within = |at_us: u64| (phase.start_us..phase.end_us).contains(&at_us);
    let took = seconds(phase.start_us, phase.end_us);
    let asked = seen.evidence.asked.iter().filter(|asked| within(asked.at_us));
    let refused: Vec<u32> = asked.clone().filter(|asked| asked.refused).map(|asked| asked.number).collect();
    let numbers = refused.iter().collect::<HashSet<_>>().len();
    let samples = seen.samples.kept.iter().filter(|sample| within(sample.at_us));
    let peak = samples.map(|sample| sample.rss_bytes).max();
    put("seconds", Ok(took));
    put("cpu_cores", phase.cpu_cores.clone());
    put("rss_peak_bytes", peak.map(number).ok_or_else(|| "no sample was kept of it".to_owned()));
    put("requests", Ok(number(asked.count())));
    put("refused", Ok(number(refused.len())));
    put("refused_per_number_s", Ok(number(refused.len()) / number(numbers.max(1)) / took));
    put("ready_s", phase.ready_s.ok_or_else(|| "it was not started again in it".to_owned()));
}

fn stream(seen: &Seen<'_>, at: usize, ledgers: &[Ledger], values: &mut Values) {
    let spec = &seen.scenario.streams[at];
    let told = seen.scenario.tenants.iter().any(|tenant| tenant.name == spec.tenant && tenant.sink.is_some());
    let tracks: Vec<&Track> = seen.evidence.tracks.iter().filter(|track| track.stream == at).collect();
    let own = seen.evidence.tracks.iter().zip(ledgers).filter(|(track, _)| track.stream == at);
    let own: Vec<Ledger> = own.map(|(_, ledger)| ledger.clone()).collect();
    let fates: Vec<Fate> =
        tracks.iter().flat_map(|track| &track.fates).filter(|fate| fate.acked_us > 0).copied().collect();
    let mut put = |name: &str, value: Measured| drop(values.insert(format!("{}.{name}", spec.name), value));
    answers(&tracks, &mut put);
    for (name, of) in [
        ("accepted", (|it| it.accepted) as fn(&Ledger) -> u64),
        ("lost", |it| it.lost),
        ("failed", |it| it.failed),
        ("doubled", |it| it.duplicated),
        ("inversions", |it| it.reordered),
    ] {
        let nothing = name != "accepted" && fates.is_empty();
        put(name, if nothing { Err("nothing of it was accepted".to_owned()) } else { Ok(sum(&own, of)) });
    }
    let acked: Vec<u64> = fates.iter().map(|fate| fate.acked_us).collect();
    let sent: Vec<u64> = fates.iter().map(|fate| fate.arrived_us).filter(|at_us| *at_us > 0).collect();
    put("sent_per_s", rate(&sent));
    let (first, last) = tenths(acked.clone());
    put("accepted_per_s_first_tenth", first);
    put("accepted_per_s_last_tenth", last);
    let (first, last) = tenths(sent.clone());
    put("sent_per_s_first_tenth", first);
    put("sent_per_s_last_tenth", last);
    latencies(&fates, told, &mut put);
    for (phase, about) in seen.phases.iter().zip(&seen.scenario.phases) {
        let within = |at_us: &&u64| (phase.start_us..phase.end_us).contains(*at_us);
        let took = seconds(phase.start_us, phase.end_us);
        let due: Vec<Fate> = fates.iter().filter(|fate| within(&&fate.due_us)).copied().collect();
        let mut put = |name: &str, value: Measured| put(&format!("{}.{name}", about.name), value);
        put("due", Ok(number(due.len())));
        put("accepted_per_s", Ok(number(acked.iter().filter(within).count()) / took));
        put("sent_per_s", Ok(number(sent.iter().filter(within).count()) / took));
        latencies(&due, told, &mut put);
    }
}

/// Answers that did not accept: all of them, and those that do not say when to come again.
fn answers(tracks: &[&Track], put: &mut dyn FnMut(&str, Measured)) {
    let all = tracks.iter().flat_map(|track| &track.answers);
    let refused = all.filter(|(name, _)| !(name.starts_with('2') && name.len() == 3));
    // A 429 or 503 without `Retry-After` has another name: it is counted here.
    let unexplained = refused.clone().filter(|(name, _)| !matches!(name.as_str(), "429" | "503"));
    put("refused", Ok(number(refused.map(|(_, count)| count).sum::<u64>())));
    put("unexplained", Ok(number(unexplained.map(|(_, count)| count).sum::<u64>())));
}

/// From the moment each message was due.
fn latencies(fates: &[Fate], told: bool, put: &mut dyn FnMut(&str, Measured)) {
    let since = |of: fn(&Fate) -> u64| -> Delays {
        fates.iter().map(|fate| Some(of(fate)).filter(|at| *at > 0).map(|at| at.saturating_sub(fate.due_us))).collect()
    };
    let kinds = [("accept", since(|it| it.acked_us)), ("arrival", since(|it| it.arrived_us))];
    for (kind, delays) in kinds {
        put(&format!("{kind}_p50_ms"), percentile(&delays, 0.5));
        put(&format!("{kind}_p99_ms"), percentile(&delays, 0.99));
    }
    let notified = since(|it| it.notified_us);
    let of = |share| if told { percentile(&notified, share) } else { Err("nobody is told of it".to_owned()) };
    put("notified_p50_ms", of(0.5));
    put("notified_p99_ms", of(0.99));
}
