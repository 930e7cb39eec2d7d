//! The quantities a verdict may speak of. Each of them is in every result: with its value, or with why it could not be measured.
//!
//! | written | what |
//! | --- | --- |
//! | `lost` | of the whole round: [`ROUND`] |
//! | `storm.cpu_cores` | of a phase: [`PHASE`] |
//! | `codes.lost` | of a stream: [`STREAM`] |
//! | `codes.storm.arrival_p99_ms` | of the messages of a stream that were due in a phase: [`STREAM_IN_PHASE`] |
//!
//! To add one: its name here, its arm in `measure`.

use super::file::Scenario;

/// Of the whole round.
const ROUND: &[&str] = &[
    "accepted",
    "lost",
    "doubled",
    "doubled_listed",
    "inversions",
    "inversions_listed",
    "failed",
    "unacknowledged",
    "settled",
    "settle_s",
    "sessions",
    "ready_s",
    "rss.ready_bytes",
    "rss.start_bytes",
    "rss.peak_bytes",
    "rss.end_bytes",
    "disk.start_bytes",
    "disk.end_bytes",
    "disk.bytes_per_message",
    "disk.written_per_message",
    "cpu.s_per_10k",
    "unknowns.left",
    "limits.exceeded",
    "limits.exceeded_after_answer",
    "notices.bad_signatures",
];

/// Of a phase.
const PHASE: &[&str] =
    &["seconds", "cpu_cores", "rss_peak_bytes", "requests", "refused", "refused_per_number_s", "ready_s"];

/// Of a stream.
const STREAM: &[&str] = &[
    "accepted",
    "refused",
    "unexplained",
    "lost",
    "failed",
    "doubled",
    "inversions",
    "sent_per_s",
    "accepted_per_s_first_tenth",
    "accepted_per_s_last_tenth",
    "sent_per_s_first_tenth",
    "sent_per_s_last_tenth",
    "accept_p50_ms",
    "accept_p99_ms",
    "arrival_p50_ms",
    "arrival_p99_ms",
    "notified_p50_ms",
    "notified_p99_ms",
];

/// Of the messages of a stream that were due in a phase.
const STREAM_IN_PHASE: &[&str] = &[
    "due",
    "accepted_per_s",
    "sent_per_s",
    "accept_p50_ms",
    "accept_p99_ms",
    "arrival_p50_ms",
    "arrival_p99_ms",
    "notified_p50_ms",
    "notified_p99_ms",
];

impl Scenario {
    /// Every quantity of this scenario.
    #[must_use]
    pub fn quantities(&self) -> Vec<String> {
        let mut all: Vec<String> = ROUND.iter().map(|what| (*what).to_owned()).collect();
        for phase in &self.phases {
            all.extend(PHASE.iter().map(|what| format!("{}.{what}", phase.name)));
        }
        for stream in &self.streams {
            all.extend(STREAM.iter().map(|what| format!("{}.{what}", stream.name)));
            for phase in &self.phases {
                all.extend(STREAM_IN_PHASE.iter().map(|what| format!("{}.{}.{what}", stream.name, phase.name)));
            }
        }
        all
    }
}
