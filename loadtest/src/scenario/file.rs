//! A scenario as its file says it: data, read from TOML, with every setting that is not there at its default.

use crate::graph::{Faults, Limits, SimulatorConfig};
use crate::house::Kind;
use crate::sink::Behaviour;
use serde::Deserialize;
use std::collections::BTreeMap;

/// What is set up, what happens, and what must hold.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// Its name.
    pub name: String,
    /// What it shows, in a sentence.
    pub about: String,
    /// What is measured.
    #[serde(default = "waybill")]
    pub target: Kind,
    /// Wait for so many seconds at most until everything has arrived.
    #[serde(default = "minute")]
    pub settle_s: u64,
    /// A round that takes longer has failed.
    #[serde(default = "quarter_of_an_hour")]
    pub limit_s: u64,
    /// What is looked at while it runs.
    #[serde(default)]
    pub sample: Sampling,
    /// Settings of Waybill, as in its own file.
    #[serde(default)]
    pub waybill: toml::Table,
    /// The simulator: limits, faults, callbacks. Each phase without its own goes back to these.
    #[serde(default)]
    pub simulator: SimulatorConfig,
    /// Who is notified.
    #[serde(default, rename = "sink")]
    pub sinks: Vec<SinkSpec>,
    /// Who sends.
    #[serde(rename = "tenant")]
    pub tenants: Vec<TenantSpec>,
    /// What happens, one after the other.
    #[serde(rename = "phase")]
    pub phases: Vec<PhaseSpec>,
    /// What is sent.
    #[serde(default, rename = "stream")]
    pub streams: Vec<StreamSpec>,
    /// What must hold.
    #[serde(rename = "verdict")]
    pub verdicts: Vec<VerdictSpec>,
}

fn waybill() -> Kind {
    Kind::Waybill
}

fn minute() -> u64 {
    60
}

fn quarter_of_an_hour() -> u64 {
    900
}

/// What is looked at while it runs.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sampling {
    /// Memory and CPU of the target, every so many milliseconds.
    pub every_ms: u64,
    /// What it takes on disk, likewise; a walk over its files, so less often.
    pub disk_every_ms: u64,
    /// Samples kept: when there are more, every second one goes and the next come half as often. 2,000 of 40 bytes are 80 kB.
    pub keep: usize,
}

impl Default for Sampling {
    fn default() -> Self {
        Self { every_ms: 250, disk_every_ms: 2_000, keep: 2_000 }
    }
}

/// A customer's endpoint.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SinkSpec {
    /// Its name.
    pub name: String,
    /// How it behaves, in phases that do not say otherwise.
    #[serde(default)]
    pub behaviour: Behaviour,
}

/// A tenant, or several alike.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TenantSpec {
    /// Its name; with copies `<name>0`, `<name>1` and so on.
    pub name: String,
    /// So many alike.
    #[serde(default = "one")]
    pub copies: usize,
    /// Sessions of each, `<tenant>-0`, `<tenant>-1` and so on, each with a number of its own.
    pub sessions: usize,
    /// Whether a scale changes the number of sessions.
    #[serde(default)]
    pub scaled: bool,
    /// Messages a second that each may hand in.
    #[serde(default)]
    pub per_second: Option<u32>,
    /// And at once after a rest.
    #[serde(default)]
    pub burst: Option<u32>,
    /// Messages a second of each number.
    #[serde(default)]
    pub session_per_second: Option<u32>,
    /// And at once after a rest.
    #[serde(default)]
    pub session_burst: Option<u32>,
    /// The numbers of each share a portfolio that may write to so many people a day; absent: none is declared.
    #[serde(default)]
    pub portfolio_people: Option<u32>,
    /// The sink that is told; absent tells nobody.
    #[serde(default)]
    pub sink: Option<String>,
    /// Of what; `message.unknown` and the ends of a message belong to it, or the ledger cannot know them.
    #[serde(default = "events")]
    pub events: Vec<String>,
    /// Test sessions: they stand there and send nothing.
    #[serde(default)]
    pub test: bool,
}

fn one() -> usize {
    1
}

fn events() -> Vec<String> {
    ["sent", "delivered", "read", "failed", "unknown", "expired", "cancelled"]
        .map(|kind| format!("message.{kind}"))
        .to_vec()
}

/// A time in which nothing is changed but at its start.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseSpec {
    /// Its name.
    pub name: String,
    /// How long it takes.
    #[serde(default)]
    pub seconds: Option<f64>,
    /// Or: until the last message of these streams is answered ...
    #[serde(default)]
    pub until: Vec<String>,
    /// ... but so long at most.
    #[serde(default = "ten_minutes")]
    pub at_most_s: u64,
    /// What goes wrong at the simulator.
    #[serde(default)]
    pub faults: Option<Faults>,
    /// Meta's limits.
    #[serde(default)]
    pub limits: Option<Limits>,
    /// Numbers that are refused whatever they send.
    #[serde(default)]
    pub refuse: Vec<Refusal>,
    /// How sinks behave, by name.
    #[serde(default)]
    pub sinks: BTreeMap<String, Behaviour>,
    /// All sessions of these tenants are suspended first.
    #[serde(default)]
    pub suspend: Vec<String>,
    /// Or resumed.
    #[serde(default)]
    pub resume: Vec<String>,
    /// The target is started again first.
    #[serde(default)]
    pub restart: Option<Restart>,
}

fn ten_minutes() -> u64 {
    600
}

/// Numbers that are refused.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// Whose.
    pub tenant: String,
    /// The first so many of each copy; absent all.
    #[serde(default)]
    pub sessions: Option<usize>,
    /// With which of Meta's codes.
    pub code: u32,
}

/// How a target ends before it is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restart {
    /// In order.
    Stop,
    /// SIGKILL.
    Kill,
}

/// Messages of one kind, from one tenant (or each of its copies).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamSpec {
    /// Its name.
    pub name: String,
    /// Who sends; each copy as much as the rest says.
    pub tenant: String,
    /// Only through the first so many of the tenant's sessions.
    #[serde(default)]
    pub sessions: Option<usize>,
    /// The phase with whose start it starts; absent the first.
    #[serde(default)]
    pub from: Option<String>,
    /// The last phase it fills; absent the one it starts in. Only for a stream whose messages are not counted.
    #[serde(default)]
    pub through: Option<String>,
    /// Messages; absent as many as the rate gives until the end of `through`.
    #[serde(default)]
    pub count: Option<u64>,
    /// Open loop: messages a second.
    #[serde(default)]
    pub rate: Option<f64>,
    /// Closed loop: so many callers. Open loop: requests under way at most.
    #[serde(default = "callers")]
    pub callers: usize,
    /// Different people written to; no two streams share one.
    #[serde(default = "thousand")]
    pub people: u64,
    /// Bytes of a text.
    #[serde(default = "body_bytes")]
    pub body_bytes: usize,
    /// The body to send instead of a text: JSON with `{from}`, `{to}`, `{text}`, `{marker}`.
    #[serde(default)]
    pub body: Option<String>,
    /// `urgent`, `normal`, `bulk`.
    #[serde(default)]
    pub priority: Option<String>,
    /// `authentication`, `utility`, `marketing`, `service`.
    #[serde(default)]
    pub category: Option<String>,
    /// Repeat what got no answer, 429 or 5xx, for so many seconds, under one idempotency key.
    #[serde(default)]
    pub repeat_s: u64,
    /// When its messages are over.
    #[serde(default)]
    pub over: Over,
}

fn callers() -> usize {
    64
}

fn thousand() -> u64 {
    1_000
}

fn body_bytes() -> usize {
    600
}

/// When a message is over.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// The simulator accepted it, or the customer was told that it failed.
    #[default]
    Arrived,
    /// The customer was told that it was delivered, or that it failed.
    Notified,
}

/// What must hold: `(value - minus) / over` within limits.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerdictSpec {
    /// What it says.
    pub name: String,
    /// The quantity.
    pub value: String,
    /// Less this one.
    #[serde(default)]
    pub minus: Option<String>,
    /// Divided by this one.
    #[serde(default)]
    pub over: Option<String>,
    /// At most this.
    #[serde(default)]
    pub at_most: Option<f64>,
    /// At least this.
    #[serde(default)]
    pub at_least: Option<f64>,
    /// Of several rounds.
    #[serde(default)]
    pub across: Across,
}

/// Which of several rounds counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Across {
    /// The one furthest beyond its limit: what must never happen must not happen once.
    #[default]
    Worst,
    /// The middle one: for times and ratios, which one bad second can spoil.
    Median,
}
