//! Settings of the forwarders.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// All settings. Without [`ForwarderConfig::synced`] it is the plain one.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ForwarderConfig {
    /// Where to listen; port 0 lets the system choose.
    pub addr: SocketAddr,
    /// The base of the Graph API, version included.
    pub graph: String,
    /// The bearer token towards the Graph API.
    pub access_token: String,
    /// The bearer token callers need.
    pub api_key: String,
    /// Phone number ids by the names callers use.
    pub senders: BTreeMap<String, String>,
    /// The phone number id of any other name.
    pub phone_number_id: String,
    /// Sync accepted messages and callbacks to disk before answering.
    pub synced: Option<Synced>,
    /// Messages under way to the Graph API at once.
    pub window: usize,
    /// Messages, and notifications, waiting at most: 1 million at about 800 bytes are 800 MB each. Beyond that: 503.
    pub queue: usize,
    /// Take status callbacks, signed with this secret.
    pub app_secret: Option<String>,
    /// Notify of each status.
    pub webhook: Option<Webhook>,
}

impl Default for ForwarderConfig {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            graph: "http://127.0.0.1:9090/v25.0".into(),
            access_token: "token".into(),
            api_key: "key".into(),
            senders: BTreeMap::new(),
            phone_number_id: "900100200300501".into(),
            synced: None,
            window: 256,
            queue: 1_000_000,
            app_secret: None,
            webhook: None,
        }
    }
}

/// The synced file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Synced {
    /// It is created anew.
    pub path: PathBuf,
    /// Wait so long after the first message of a group for more, in microseconds; 0 takes what is there.
    pub linger_us: u64,
    /// Fill the file with zeros up to here first, so that a sync does not have to change its length; 0 appends.
    pub prefill_mib: u64,
}

/// Where notifications go.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The customer's address.
    pub url: String,
    /// `whsec_<base64>`.
    pub secret: String,
}
