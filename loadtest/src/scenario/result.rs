//! What comes out, for people and for programs.

use super::sample::Sample;
use super::verdict::{Values, Verdict, shown};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What one round found.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RoundResult {
    /// Every quantity that was measured.
    pub values: BTreeMap<String, f64>,
    /// Every other, and why not.
    pub unmeasured: BTreeMap<String, String>,
    /// Markers of what must not be, for looking them up.
    pub examples: BTreeMap<String, Vec<String>>,
    /// The target over time. Not in the line for programs, only in the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub samples: Vec<Sample>,
}

impl RoundResult {
    pub(super) fn new(values: &Values, examples: BTreeMap<String, Vec<String>>, samples: Vec<Sample>) -> Self {
        let mut round = Self { examples, samples, ..Self::default() };
        for (name, value) in values {
            match value {
                Ok(value) if value.is_finite() => drop(round.values.insert(name.clone(), *value)),
                Ok(value) => drop(round.unmeasured.insert(name.clone(), format!("is {value}"))),
                Err(why) => drop(round.unmeasured.insert(name.clone(), why.clone())),
            }
        }
        round
    }
}

/// What a scenario found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ScenarioResult {
    /// Its name.
    pub scenario: String,
    /// What it shows.
    pub about: String,
    /// What was measured.
    pub target: String,
    /// Whether it ran in its whole length. A short run shows that the scenario works, not that its limits hold.
    pub full: bool,
    /// Cores of the machine, which target, simulator and generators share.
    pub cores: usize,
    /// Whether every verdict holds.
    pub pass: bool,
    /// Why a round could not be finished: then nothing holds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What became of each condition.
    pub verdicts: Vec<Verdict>,
    /// Every round that was finished.
    pub rounds: Vec<RoundResult>,
}

impl ScenarioResult {
    /// The same without samples.
    #[must_use]
    pub fn without_samples(mut self) -> Self {
        self.rounds.iter_mut().for_each(|round| round.samples.clear());
        self
    }
}

/// The quantities shown beside the verdicts: what a reader asks first.
const SHOWN: [&str; 14] = [
    "accepted",
    "lost",
    "doubled",
    "doubled_listed",
    "inversions",
    "inversions_listed",
    "failed",
    "settle_s",
    "ready_s",
    "rss.start_bytes",
    "rss.peak_bytes",
    "disk.bytes_per_message",
    "cpu.s_per_10k",
    "limits.exceeded_after_answer",
];

impl fmt::Display for ScenarioResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scenario, about, target, full, cores, pass, error, verdicts, rounds } = self;
        let length = if *full { "" } else { ", a SHORT run" };
        let word = if *pass { "holds" } else { "FAILS" };
        writeln!(f, "\n{scenario}: {word} ({target}, {} finished rounds, {cores} cores{length})", rounds.len())?;
        writeln!(f, "  {about}")?;
        for verdict in verdicts {
            writeln!(f, "{verdict}")?;
        }
        for (n, round) in rounds.iter().enumerate() {
            let known = SHOWN.iter().filter_map(|name| round.values.get(*name).map(|value| (name, value)));
            let known: Vec<String> = known.map(|(name, value)| format!("{name} {}", shown(*value))).collect();
            writeln!(f, "  round {}: {}", n + 1, known.join(", "))?;
            for (kind, markers) in &round.examples {
                writeln!(f, "    {kind}: {}", markers.join(" "))?;
            }
        }
        error.iter().try_for_each(|error| writeln!(f, "  could not be finished: {error}"))
    }
}
