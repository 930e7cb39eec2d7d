//! What to send, where to, how fast.

use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// All settings of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    /// The base of the target, `http://host:port`; messages go to [`RunConfig::path`] below it.
    pub target: String,
    /// The path of the send call.
    pub path: String,
    /// Sent as `Authorization: Bearer`.
    pub api_key: String,
    /// How fast, and how many.
    pub pace: Pace,
    /// Sending identities, as the target names them; taken in turn.
    pub senders: Vec<String>,
    /// Different people written to.
    pub recipients: u64,
    /// The first of them: runs at once that share no person need ranges of their own.
    pub first_recipient: u64,
    /// `priority` of each message, as the target names them; absent leaves it to the target.
    pub priority: Option<String>,
    /// `category` of each message, likewise.
    pub category: Option<String>,
    /// Bytes of the text, marker included.
    pub body_bytes: usize,
    /// The body to send instead of a text message: JSON in which `{from}`, `{to}`, `{text}` and `{marker}` are replaced.
    pub body: Option<String>,
    /// Send an `Idempotency-Key` (the marker).
    pub idempotency: bool,
    /// Repeat a request that got no answer, 429 or 5xx, for so long, in seconds; 0 never repeats. Needs [`RunConfig::idempotency`].
    pub retry_s: u64,
    /// A request without an answer counts as failed after this.
    pub timeout_ms: u64,
    /// Append each acknowledgement to this file, as JSON lines.
    pub acks: Option<PathBuf>,
    /// The simulator behind the target, `http://host:port`: without it nothing is known of arrivals.
    pub simulator: Option<String>,
    /// The sink the target notifies, `http://host:port`.
    pub sink: Option<String>,
    /// What to wait for after the last answer.
    pub until: Until,
    /// Wait for so long at most, in seconds.
    pub settle_s: u64,
    /// The process of the target, for CPU and memory.
    pub pid: Option<u32>,
    /// The name of this run inside markers (lower-case letters and digits); absent draws one.
    pub run: Option<String>,
}

impl Default for RunConfig {
    fn default() -> Self {
        Self {
            target: "http://127.0.0.1:8080".into(),
            path: "/v1/messages".into(),
            api_key: String::new(),
            pace: Pace::Closed { concurrency: 64, count: 10_000 },
            senders: vec!["demo".into()],
            recipients: 1000,
            first_recipient: 0,
            priority: None,
            category: None,
            body_bytes: 600,
            body: None,
            idempotency: false,
            retry_s: 0,
            timeout_ms: 30_000,
            acks: None,
            simulator: None,
            sink: None,
            until: Until::Answered,
            settle_s: 60,
            pid: None,
            run: None,
        }
    }
}

/// How fast, and how many.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// So many callers, each sends when its last message was answered.
    Closed {
        /// Callers.
        concurrency: usize,
        /// Messages in all.
        count: u64,
    },
    /// Messages are due at a rate.
    Open {
        /// Messages per second.
        rate: f64,
        /// Messages in all.
        count: u64,
        /// Requests under way at most; beyond it messages wait, and their latency counts.
        in_flight: usize,
    },
}

impl Pace {
    pub(super) fn count(self) -> u64 {
        match self {
            Self::Closed { count, .. } | Self::Open { count, .. } => count,
        }
    }

    pub(super) fn callers(self) -> usize {
        match self {
            Self::Closed { concurrency, .. } => concurrency,
            Self::Open { in_flight, .. } => in_flight,
        }
    }
}

/// What to wait for after the last answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// Nothing.
    Answered,
    /// Every acknowledged message was accepted by the simulator (or the sink was told that it failed).
    Arrived,
    /// And every callback of the simulator was taken.
    CalledBack,
    /// And the sink was told of each message that it was delivered, read, or failed.
    Notified,
}

impl RunConfig {
    /// What makes no sense, as a sentence.
    pub(super) fn check(&self) -> Result<(), String> {
        let fail = |text: &str| Err(text.to_owned());
        if self.senders.is_empty() || self.recipients == 0 {
            return fail("there must be at least one sender and one recipient");
        }
        if self.pace.callers() == 0 {
            return fail("there must be at least one caller (concurrency, in_flight)");
        }
        if matches!(self.pace, Pace::Open { rate, .. } if rate.is_nan() || rate <= 0.0) {
            return fail("the rate must be above 0");
        }
        if self.retry_s > 0 && !self.idempotency {
            return fail("repeating requests without an idempotency key would send messages twice");
        }
        let marked =
            |run: &String| !run.is_empty() && run.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        if self.run.as_ref().is_some_and(|run| !marked(run)) {
            return fail("the name of a run is made of lower-case letters and digits");
        }
        match self.until {
            Until::Notified if self.sink.is_none() => fail("waiting for notifications needs the address of the sink"),
            Until::Answered => Ok(()),
            _ if self.simulator.is_none() => fail("waiting for arrivals needs the address of the simulator"),
            _ => Ok(()),
        }
    }
}
