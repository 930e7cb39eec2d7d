//! What can be set and what comes out: settings, behaviour, events, counts, errors.

use crate::lines::LinesError;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// All settings.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SinkConfig {
    /// Where to listen; port 0 lets the system choose.
    pub addr: SocketAddr,
    /// Accepted secrets, `whsec_<base64>`; none verifies nothing and counts every delivery as unverified.
    pub secrets: Vec<String>,
    /// How it behaves at the start.
    pub behaviour: Behaviour,
    /// Events kept in memory: 4 million at about 120 bytes are 480 MB. Beyond that new ones are only counted.
    pub capacity: usize,
    /// Also append each event to this file, as JSON lines.
    pub events_path: Option<PathBuf>,
}

impl Default for SinkConfig {
    fn default() -> Self {
        let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self { addr, secrets: Vec::new(), behaviour: Behaviour::default(), capacity: 4_000_000, events_path: None }
    }
}

/// How the sink answers; it can be changed while it runs.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// Seeds [`Behaviour::fail_share`].
    pub seed: u64,
    /// Always answer this status (500, 410, ...).
    pub status: Option<u16>,
    /// Share of deliveries answered 500, 0.0 to 1.0.
    pub fail_share: f64,
    /// Never answer.
    pub hang: bool,
    /// Answer the body one byte per so many milliseconds; 0 answers at once.
    pub drip_ms: u64,
    /// Answer this much later, in milliseconds.
    pub latency_ms: u64,
}

/// One delivery that was answered 2xx.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notified {
    /// `webhook-id`.
    pub id: String,
    /// `type` of the body.
    #[serde(rename = "type")]
    pub kind: String,
    /// `data.message_id` of the body, or nothing.
    pub message_id: String,
    /// When it arrived, microseconds since the epoch.
    pub at_us: u64,
}

/// What was counted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SinkStats {
    /// Deliveries received.
    pub deliveries: u64,
    /// Of these, answered 2xx.
    pub answered_ok: u64,
    /// Of these, failed on purpose.
    pub failed_on_purpose: u64,
    /// Signatures that were right.
    pub signatures_good: u64,
    /// Signatures that were wrong or missing (answered 401).
    pub signatures_bad: u64,
    /// Deliveries taken without a secret to verify them by.
    pub unverified: u64,
    /// Notifications answered 2xx whose `webhook-id` had been answered 2xx before.
    pub duplicates: u64,
    /// Distinct `webhook-id`s answered 2xx.
    pub events: u64,
    /// Bodies that were no notification.
    pub malformed: u64,
    /// Events not kept for want of room.
    pub dropped: u64,
    /// What went wrong with the events file, if anything.
    pub file_error: Option<String>,
}

/// Why the sink could not start.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// The address could not be bound.
    #[error("sink cannot listen on {addr}: {source}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// A secret cannot be read.
    #[error("sink secret: {0}")]
    Secret(String),
    /// The events file could not be opened.
    #[error("sink events: {0}")]
    File(#[from] LinesError),
}
