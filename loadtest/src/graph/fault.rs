//! What can go wrong on purpose: by seeded chance, by the number of the request, or by recipient.

use crate::clock::draw;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One thing that goes wrong with a send request. `accepted` says whether the message was accepted all the same (and will be reported
/// on): the caller cannot know, which is what it is for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// Answer this much later.
    Latency {
        /// Milliseconds.
        ms: u64,
    },
    /// Answer with an HTTP status.
    Http {
        /// The status, 100 to 999.
        status: u16,
        /// What stands in the body.
        #[serde(default)]
        body: BodyKind,
        /// Accepted all the same.
        #[serde(default)]
        accepted: bool,
    },
    /// Answer with an error of Meta's.
    Error {
        /// Meta's code.
        code: u32,
        /// Accepted all the same.
        #[serde(default)]
        accepted: bool,
    },
    /// Never answer (the connection closes after ten minutes, or when the caller hangs up).
    Stall {
        /// Accepted all the same.
        #[serde(default)]
        accepted: bool,
    },
    /// Reset the connection when the head of the request was read and its body was not.
    ResetBeforeBody,
    /// Reset the connection after `at` bytes of the response, head included; 0 is before the first.
    Reset {
        /// Bytes let through.
        at: u64,
        /// Accepted all the same.
        #[serde(default = "yes")]
        accepted: bool,
    },
    /// Accept, then close the connection without an answer.
    AcceptedNoAnswer,
    /// Answer 200 with a body that is no JSON.
    MalformedBody {
        /// Accepted all the same.
        #[serde(default = "yes")]
        accepted: bool,
    },
}

fn yes() -> bool {
    true
}

/// The body of [`Fault::Http`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BodyKind {
    /// An error body of Meta's (code 2, transient, for 5xx; code 1 otherwise).
    #[default]
    Json,
    /// A page of a proxy.
    Html,
    /// Nothing.
    Empty,
}

impl Fault {
    /// Its name in the request journal and in the counts.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Latency { .. } => "latency",
            Self::Http { .. } => "http",
            Self::Error { .. } => "error",
            Self::Stall { .. } => "stall",
            Self::ResetBeforeBody => "reset_before_body",
            Self::Reset { .. } => "reset",
            Self::AcceptedNoAnswer => "accepted_no_answer",
            Self::MalformedBody { .. } => "malformed_body",
        }
    }

    /// Whether the message may be accepted under this fault.
    #[must_use]
    pub fn accepts(&self) -> bool {
        match self {
            Self::Latency { .. } | Self::AcceptedNoAnswer => true,
            Self::ResetBeforeBody => false,
            Self::Http { accepted, .. }
            | Self::Error { accepted, .. }
            | Self::Stall { accepted }
            | Self::Reset { accepted, .. }
            | Self::MalformedBody { accepted } => *accepted,
        }
    }
}

/// A fault by chance.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RandomFault {
    /// Share of requests, 0.0 to 1.0.
    pub share: f64,
    /// Only for this phone number.
    #[serde(default)]
    pub phone_number_id: Option<String>,
    /// What happens.
    pub fault: Fault,
}

/// A fault of one request.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ScriptedFault {
    /// The number of the send request since the start, from 1 (`/_sim/stats` says how many there were).
    pub request: u64,
    /// What happens.
    pub fault: Fault,
}

/// The connection is reset at every byte of the answer, one after the other.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cuts {
    /// Bytes of an answer, head included, at which a cut is tried: 0 up to one less than this; then from the start again.
    pub bytes: u64,
}

impl Cuts {
    /// Of three requests one is accepted and cut, one cut without being accepted, one answered whole; the next three are
    /// cut one byte later.
    fn decide(self, n: u64) -> Option<Fault> {
        let at = (n / 3) % self.bytes.max(1);
        match n % 3 {
            0 => Some(Fault::Reset { at, accepted: true }),
            1 => Some(Fault::Reset { at, accepted: false }),
            _ => None,
        }
    }
}

/// All faults in force. Changing them replaces them as a whole.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// Every draw derives from it and from the number of the request.
    pub seed: u64,
    /// Every answer is this late, in milliseconds.
    pub latency_ms: u64,
    /// And up to this much later, evenly.
    pub latency_jitter_ms: u64,
    /// By chance, tried in this order; each has its own stream of draws.
    pub random: Vec<RandomFault>,
    /// By request.
    pub scripted: Vec<ScriptedFault>,
    /// At every byte in turn.
    pub cuts: Option<Cuts>,
    /// A phone number id that always answers this code (130429, 131056, ...).
    pub phone_number_overrides: BTreeMap<String, u32>,
    /// What happens to callbacks.
    pub callbacks: CallbackFaults,
}

/// Shares (0.0 to 1.0) of accepted messages whose callbacks misbehave.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallbackFaults {
    /// Every status of the message comes `late_ms` later, as after an outage.
    pub late: f64,
    /// How much later, in milliseconds.
    pub late_ms: u64,
    /// Each status of the message is posted twice.
    pub doubled: f64,
    /// The first status is posted before the send is answered.
    pub early: f64,
    /// The statuses come in the reverse order.
    pub reordered: f64,
}

/// What was drawn for the callbacks of one message.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Twist {
    pub late_ms: u64,
    pub doubled: bool,
    pub early: bool,
    pub reordered: bool,
}

// Streams of draws, apart from the ones of `random` (which count up from RANDOM).
const LATENCY: u64 = 1;
const LATE: u64 = 2;
const DOUBLED: u64 = 3;
const EARLY: u64 = 4;
const REORDERED: u64 = 5;
const RANDOM: u64 = 1000;

impl Faults {
    /// The fault of request `n` of a number, if any: scripted before cuts before drawn.
    #[must_use]
    pub fn decide(&self, n: u64, phone_number_id: &str) -> Option<Fault> {
        if let Some(scripted) = self.scripted.iter().find(|s| s.request == n) {
            return Some(scripted.fault.clone());
        }
        if let Some(cut) = self.cuts.and_then(|cuts| cuts.decide(n)) {
            return Some(cut);
        }
        let fits = |r: &RandomFault| r.phone_number_id.as_deref().is_none_or(|id| id == phone_number_id);
        let drawn =
            self.random.iter().zip(RANDOM..).find(|(r, stream)| fits(r) && draw(self.seed, *stream, n) < r.share);
        drawn.map(|(r, _)| r.fault.clone())
    }

    /// How late request `n` is answered, in milliseconds, faults of its own aside.
    #[must_use]
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "milliseconds of a latency"
    )]
    pub fn latency(&self, n: u64) -> u64 {
        if self.latency_jitter_ms == 0 {
            return self.latency_ms;
        }
        self.latency_ms + (draw(self.seed, LATENCY, n) * self.latency_jitter_ms as f64) as u64
    }

    pub(super) fn twist(&self, n: u64) -> Twist {
        let c = &self.callbacks;
        let hit = |share: f64, stream| share > 0.0 && draw(self.seed, stream, n) < share;
        Twist {
            late_ms: if hit(c.late, LATE) { c.late_ms } else { 0 },
            doubled: hit(c.doubled, DOUBLED),
            early: hit(c.early, EARLY),
            reordered: hit(c.reordered, REORDERED),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Faults};

    #[test]
    fn cuts_go_through_every_byte_accepted_and_not() {
        let faults: Faults = serde_json::from_str(r#"{"cuts": {"bytes": 40}}"#).expect("faults");
        let cut = |at, accepted| (1..=120).any(|n| faults.decide(n, "1") == Some(Fault::Reset { at, accepted }));
        assert!((0..40).all(|at| cut(at, true) && cut(at, false)));
        assert!(!cut(40, true));
        assert_eq!((1..=120).filter(|n| faults.decide(*n, "1").is_none()).count(), 40);
    }

    #[test]
    fn faults_are_read_from_json_and_drawn_from_a_seed() {
        let text = r#"{"seed": 3, "random": [{"share": 0.25, "fault": {"kind": "reset", "at": 17}}],
            "scripted": [{"request": 5, "fault": {"kind": "stall"}}]}"#;
        let faults: Faults = serde_json::from_str(text).expect("faults");
        assert_eq!(faults.decide(5, "1"), Some(Fault::Stall { accepted: false }));
        let hits = |f: &Faults| (10..4010).filter(|n| f.decide(*n, "1").is_some()).collect::<Vec<_>>();
        let first = hits(&faults);
        assert!((850..1150).contains(&first.len()), "{} of 4,000 drawn at 0.25", first.len());
        assert_eq!(first, hits(&faults), "the same seed gives the same faults");
        assert_ne!(first, hits(&Faults { seed: 4, ..faults.clone() }));
        assert_eq!(faults.decide(first[0], "1"), Some(Fault::Reset { at: 17, accepted: true }));
        assert!(serde_json::from_str::<Faults>(r#"{"sede": 1}"#).is_err(), "a misspelt setting is refused");
    }
}
