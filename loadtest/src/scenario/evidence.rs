//! What was acknowledged, what arrived and what was notified, message by message; and whether all of it is over.
//!
//! Simulator and sinks are in this process, so their journals are read as they grow. The ledger joins each generator's messages for
//! themselves: an order between messages is an order within one stream.

use super::file::{Over, Scenario};
use super::run::ScenarioError;
use super::stage::Stage;
use super::streams::Loaded;
use crate::graph::Recorded;
use crate::ledger::{Ack, Ledger, join};
use crate::sink::Notified;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

const PAGE: usize = 10_000;
/// A look goes over every message: of a million that is some milliseconds.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// After everything is over: what arrives now arrives twice.
const LINGER: Duration = Duration::from_secs(1);

/// What became of one message; 0 is never.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fate {
    pub due_us: u64,
    pub acked_us: u64,
    pub arrived_us: u64,
    pub notified_us: u64,
    delivered: bool,
    /// Notified as failed, expired or cancelled.
    ended: bool,
}

/// The messages of one generator.
pub(super) struct Track {
    pub stream: usize,
    pub answers: BTreeMap<String, u64>,
    /// By number; only those that were acknowledged count.
    pub fates: Vec<Fate>,
    acks: Vec<Ack>,
    requests: Vec<Recorded>,
    notices: Vec<Notified>,
}

/// One request at the simulator, whatever became of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub at_us: u64,
    pub number: u32,
    pub refused: bool,
}

/// Everything that is known of a round's messages.
pub(super) struct Evidence {
    pub tracks: Vec<Track>,
    pub asked: Vec<Asked>,
    /// Accepted by the simulator, and nobody of this round sent it.
    pub strangers: u64,
    runs: HashMap<String, usize>,
    ids: HashMap<String, (usize, usize)>,
    numbers: HashMap<String, u32>,
    unknown: HashSet<String>,
    recorded: u64,
    told: BTreeMap<String, usize>,
}

/// The generator's name and the number of the message.
fn parts(marker: &str) -> Option<(&str, usize)> {
    let (run, n) = marker.strip_prefix("wbm-")?.rsplit_once('-')?;
    Some((run, n.parse().ok()?))
}

impl Evidence {
    pub(super) fn new(loaded: Vec<Loaded>) -> Self {
        let runs = loaded.iter().enumerate().map(|(at, it)| (it.run.clone(), at)).collect();
        let mut ids = HashMap::new();
        let tracks = loaded.into_iter().enumerate().map(|(at, loaded)| track(at, loaded, &mut ids)).collect();
        Self {
            tracks,
            asked: Vec::new(),
            strangers: 0,
            runs,
            ids,
            numbers: HashMap::new(),
            unknown: HashSet::new(),
            recorded: 0,
            told: BTreeMap::new(),
        }
    }

    /// Waits until everything is over, so long at most; says whether it is, and how long that took.
    pub(super) async fn settle(
        &mut self,
        scenario: &Scenario,
        stage: &mut Stage,
    ) -> Result<(bool, Duration), ScenarioError> {
        let begun = Instant::now();
        loop {
            self.read(stage)?;
            stage.target.is_there()?;
            let (over, took) = (self.is_over(scenario), begun.elapsed());
            if over || took >= Duration::from_secs(scenario.settle_s) {
                tokio::time::sleep(LINGER).await;
                self.read(stage)?;
                return Ok((over, took));
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    fn is_over(&self, scenario: &Scenario) -> bool {
        self.tracks.iter().all(|track| {
            let told = scenario.streams[track.stream].over == Over::Notified;
            let over = |fate: &Fate| fate.ended || (fate.arrived_us > 0 && (!told || fate.delivered));
            track.fates.iter().filter(|fate| fate.acked_us > 0).all(over)
        })
    }

    /// Reads on in all journals.
    fn read(&mut self, stage: &Stage) -> Result<(), ScenarioError> {
        let dropped = stage.simulator.stats().journal_dropped;
        if dropped > 0 {
            return Err(ScenarioError::Evidence(format!("the simulator's journal lost {dropped} requests")));
        }
        loop {
            let page = stage.simulator.requests(self.recorded, PAGE);
            if page.is_empty() {
                break;
            }
            self.recorded += page.len() as u64;
            page.into_iter().for_each(|request| self.arrived(request));
        }
        for (name, sink) in &stage.sinks {
            if sink.stats().dropped > 0 {
                return Err(ScenarioError::Evidence(format!("sink `{name}` could not keep all events")));
            }
            let seen = self.told.get(name).copied().unwrap_or(0);
            let events = sink.events(seen, usize::MAX);
            self.told.insert(name.clone(), seen + events.len());
            events.into_iter().for_each(|notice| self.notified(notice));
        }
        Ok(())
    }

    fn arrived(&mut self, request: Recorded) {
        let next = u32::try_from(self.numbers.len()).unwrap_or(u32::MAX);
        let number = *self.numbers.entry(request.phone_number_id.clone()).or_insert(next);
        self.asked.push(Asked { at_us: request.at_us, number, refused: request.error.is_some() });
        if request.wamid.is_none() {
            return;
        }
        let found = request.marker.as_deref().and_then(parts);
        let Some((track, n)) = found.and_then(|(run, n)| Some((*self.runs.get(run)?, n))) else {
            self.strangers += 1;
            return;
        };
        let track = &mut self.tracks[track];
        if let Some(fate) = track.fates.get_mut(n).filter(|fate| fate.arrived_us == 0) {
            fate.arrived_us = request.at_us;
        }
        track.requests.push(request);
    }

    fn notified(&mut self, notice: Notified) {
        let Some((track, n)) = self.ids.get(&notice.message_id).copied() else {
            return;
        };
        let track = &mut self.tracks[track];
        let fate = &mut track.fates[n];
        if fate.notified_us == 0 {
            fate.notified_us = notice.at_us;
        }
        match notice.kind.rsplit('.').next() {
            Some("delivered" | "read") => fate.delivered = true,
            Some("failed" | "expired" | "cancelled") => fate.ended = true,
            Some("unknown") => drop(self.unknown.insert(notice.message_id.clone())),
            _ => {}
        }
        track.notices.push(notice);
    }

    /// The ledger of one generator. A message of which the customer was told that its outcome is unknown is listed.
    pub(super) fn ledger(&self, track: &Track) -> Ledger {
        join(&track.acks, &track.requests, &track.notices, &self.unknown)
    }
}

fn track(at: usize, loaded: Loaded, ids: &mut HashMap<String, (usize, usize)>) -> Track {
    let Loaded { stream, count, load, .. } = loaded;
    let mut fates = vec![Fate::default(); usize::try_from(count).unwrap_or(usize::MAX)];
    for (ack, due_us) in load.acks.iter().zip(&load.due_us) {
        if let Some((n, fate)) = parts(&ack.marker).and_then(|(_, n)| Some((n, fates.get_mut(n)?))) {
            *fate = Fate { due_us: *due_us, acked_us: ack.acked_us, ..Fate::default() };
            ids.insert(ack.id.clone(), (at, n));
        }
    }
    Track { stream, answers: load.answers, fates, acks: load.acks, requests: Vec::new(), notices: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn a_marker_says_whose_it_is() {
        assert_eq!(parts("wbm-0a1b2c3dx0x12-77"), Some(("0a1b2c3dx0x12", 77)));
        assert_eq!(parts("wbm-f"), None);
        assert_eq!(parts("hello"), None);
    }
}
