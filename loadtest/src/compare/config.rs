//! How many, which legs, which targets.

use crate::house::Kind;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// All settings of a comparison.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CompareConfig {
    /// The `waybill` program to measure.
    pub waybill: PathBuf,
    /// The targets, in the order in which each round measures them.
    pub targets: Vec<Kind>,
    /// With which legs; each is a table of its own.
    pub legs: Vec<Legs>,
    /// Messages of one measurement.
    pub count: u64,
    /// Messages before it that do not count: connections, caches and branch predictors are warm in all targets.
    pub warm_up: u64,
    /// Rounds; the median of three is the least that one bad second does not spoil.
    pub rounds: usize,
    /// Callers.
    pub concurrency: usize,
    /// Sending identities. Waybill paces each at 1,000 a second at most, as Meta does: 50 of them leave the pacing out of the way.
    pub senders: usize,
    /// Different people written to.
    pub recipients: u64,
    /// Bytes of a text.
    pub body_bytes: usize,
    /// The simulator answers each send so many milliseconds late.
    pub latency_ms: u64,
    /// Where the folders of the targets are made; each is removed when its measurement is over. It must be a real disk.
    pub folder: PathBuf,
    /// Wait for so many seconds at most until everything has arrived.
    pub settle_s: u64,
    /// The synced forwarder waits so long for more messages of a group, microseconds. 500 is what Waybill's journal does.
    pub linger_us: u64,
}

impl Default for CompareConfig {
    fn default() -> Self {
        Self {
            waybill: PathBuf::from("target/release/waybill"),
            targets: vec![Kind::Plain, Kind::Synced, Kind::Waybill],
            legs: vec![Legs::Send, Legs::All],
            count: 50_000,
            warm_up: 5_000,
            rounds: 3,
            concurrency: 64,
            senders: 50,
            recipients: 5_000,
            body_bytes: 600,
            latency_ms: 0,
            folder: std::env::temp_dir(),
            settle_s: 120,
            linger_us: 500,
        }
    }
}

impl CompareConfig {
    /// What makes no sense, as a sentence.
    pub(super) fn check(&self) -> Result<(), String> {
        match self {
            _ if self.targets.is_empty() || self.legs.is_empty() => Err("there is nothing to compare".to_owned()),
            _ if self.rounds == 0 || self.count == 0 => Err("rounds and count must be at least 1".to_owned()),
            _ if self.senders == 0 || self.senders > 1_000 => Err("senders: 1 to 1000".to_owned()),
            _ if self.targets.contains(&Kind::Waybill) && !self.waybill.is_file() => {
                let path = self.waybill.display();
                Err(format!("{path} is no program; build it with `cargo build --release`, or name another"))
            }
            _ => Ok(()),
        }
    }
}

/// Which part of the way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Legs {
    /// Accepted and sent; nobody calls back.
    Send,
    /// And the simulator calls back `sent` and `delivered` of each, and the customer is notified of each.
    All,
}
