//! Every setting of the simulator. The defaults are Meta's documented numbers; sizes carry their arithmetic.

use super::fault::{Fault, Faults};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

/// All settings. `SimulatorConfig::default()` behaves like Meta towards one unknown number: everything accepted, limits enforced.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SimulatorConfig {
    /// Where to listen; port 0 lets the system choose.
    pub addr: SocketAddr,
    /// Bearer tokens that are valid; empty accepts any. A token of [`Number::access_token`] is valid for that number besides.
    pub access_tokens: Vec<String>,
    /// The phone numbers that exist; empty makes every phone number id exist.
    pub numbers: Vec<Number>,
    /// The templates that exist; absent makes every template exist, with any parameters.
    pub templates: Option<Vec<Template>>,
    /// Meta's limits.
    pub limits: Limits,
    /// Outcomes by recipient; the first rule whose suffix fits decides.
    pub rules: Vec<Rule>,
    /// Faults at the start; they can be changed while it runs.
    pub faults: Faults,
    /// Status callbacks.
    pub callback: CallbackConfig,
    /// Requests kept in memory: 2 million at about 250 bytes are 500 MB. The oldest are dropped beyond that, and counted.
    pub journal_capacity: usize,
    /// Also append each request to this file, as JSON lines.
    pub journal_path: Option<PathBuf>,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        Self {
            addr: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            access_tokens: Vec::new(),
            numbers: Vec::new(),
            templates: None,
            limits: Limits::default(),
            rules: Vec::new(),
            faults: Faults::default(),
            callback: CallbackConfig::default(),
            journal_capacity: 2_000_000,
            journal_path: None,
        }
    }
}

impl SimulatorConfig {
    /// Without any limit: for measuring throughput.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { limits: Limits::off(), ..Self::default() }
    }
}

/// A business phone number.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Number {
    /// The id in the path.
    pub phone_number_id: String,
    /// Digits, as webhooks show it.
    #[serde(default = "display_phone_number")]
    pub display_phone_number: String,
    /// The WhatsApp Business Account: `entry[].id` of webhooks.
    #[serde(default = "waba_id")]
    pub waba_id: String,
    /// A bearer token valid for this number only.
    #[serde(default)]
    pub access_token: Option<String>,
}

impl Number {
    /// A number of the default account.
    #[must_use]
    pub fn new(phone_number_id: impl Into<String>) -> Self {
        let phone_number_id = phone_number_id.into();
        Self { phone_number_id, display_phone_number: display_phone_number(), waba_id: waba_id(), access_token: None }
    }
}

fn display_phone_number() -> String {
    "12025550199".to_owned()
}

fn waba_id() -> String {
    "900100200300401".to_owned()
}

/// A message template: its key is (name, language).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Its language code; `en` and `en_US` are different templates.
    #[serde(default = "language")]
    pub language: String,
    /// `MARKETING`, `UTILITY` or `AUTHENTICATION`.
    #[serde(default = "category")]
    pub category: String,
    /// Parameters its body takes.
    #[serde(default)]
    pub body_parameters: usize,
    /// `APPROVED`, `PAUSED`, `DISABLED`, ...
    #[serde(default = "approved")]
    pub status: String,
}

fn language() -> String {
    "en_US".to_owned()
}

fn category() -> String {
    "UTILITY".to_owned()
}

fn approved() -> String {
    "APPROVED".to_owned()
}

/// Meta's limits; `None` switches one off.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Messages per second of one number, in and out together; one second of burst. Exceeding answers 130429. Meta: 80.
    pub number_per_second: Option<f64>,
    /// Seconds one message to one person costs. Exceeding answers 131056. Meta: 6.
    pub pair_seconds: Option<f64>,
    /// Messages to one person that may go at once, borrowed from the future. Meta: 45.
    pub pair_burst: u32,
    /// Unique people of the portfolio in a rolling 24 hours (all of them: service windows are not
    /// looked at). Meta: 250, 2,000, 10,000, 100,000 or none.
    pub portfolio_people: Option<usize>,
    /// The code when the portfolio's people are used up. Meta's table names none; older material says 131048.
    pub portfolio_code: u32,
    /// `false` only counts what exceeds a limit and answers as if it did not.
    pub enforce: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            number_per_second: Some(80.0),
            pair_seconds: Some(6.0),
            pair_burst: 45,
            portfolio_people: None,
            portfolio_code: 131_048,
            enforce: true,
        }
    }
}

impl Limits {
    /// No limit at all.
    #[must_use]
    pub fn off() -> Self {
        Self { number_per_second: None, pair_seconds: None, ..Self::default() }
    }
}

/// What happens to recipients whose digits end in `suffix`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Rule {
    /// The last digits of the recipient; empty fits everyone.
    pub suffix: String,
    /// Refuse the request with this code.
    pub sync_code: Option<u32>,
    /// Accept it, and report `failed` with this code later.
    pub async_code: Option<u32>,
    /// With `async_code`: report `sent` first.
    pub sent_first: bool,
    /// Accept it and never report anything, as when Meta's time to live passes.
    pub silent: bool,
    /// `false`: delivered, but never read.
    pub reads: Option<bool>,
    /// For templates: `message_status` of the answer, such as `held_for_quality_assessment`.
    pub message_status: Option<String>,
    /// Do this to the wire.
    pub fault: Option<Fault>,
}

/// Status callbacks.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CallbackConfig {
    /// Where to post (`http://`); absent posts nothing.
    pub url: Option<String>,
    /// Signs the body.
    pub app_secret: String,
    /// Milliseconds from acceptance to `sent`, on average.
    pub sent_ms: u64,
    /// Milliseconds from `sent` to `delivered`, on average.
    pub delivered_ms: u64,
    /// Milliseconds from `delivered` to `read`, on average.
    pub read_ms: u64,
    /// Share of each delay that is random: 0.5 means between half and one and a half times the average.
    pub jitter: f64,
    /// Report `sent`.
    pub sent: bool,
    /// Report `delivered`.
    pub delivered: bool,
    /// Share of delivered messages that are read.
    pub read_share: f64,
    /// Statuses in one POST at most. Meta: up to 1,000; batching is not promised.
    pub max_batch: usize,
    /// Statuses are posted at multiples of this, so that batches can fill; 0 posts each when it is due.
    pub batch_ms: u64,
    /// POSTs under way at once.
    pub concurrency: usize,
    /// Statuses waiting at most: 3 million at about 120 bytes are 360 MB. Beyond that new ones are dropped, and counted.
    pub queue_capacity: usize,
    /// Attempts of one POST. Meta: for 7 days; 20 attempts with the waits below are about 13 minutes.
    pub attempts: u32,
    /// The wait after the first failed attempt; it doubles each time.
    pub retry_ms: u64,
    /// The longest wait.
    pub retry_max_ms: u64,
    /// A POST without an answer counts as failed after this.
    pub timeout_ms: u64,
    /// Add business-scoped user ids, as Meta does since 2026.
    pub user_ids: bool,
}

impl Default for CallbackConfig {
    fn default() -> Self {
        Self {
            url: None,
            app_secret: "0123456789abcdef0123456789abcdef".to_owned(),
            sent_ms: 20,
            delivered_ms: 100,
            read_ms: 1000,
            jitter: 0.5,
            sent: true,
            delivered: true,
            read_share: 0.5,
            max_batch: 1,
            batch_ms: 0,
            concurrency: 64,
            queue_capacity: 3_000_000,
            attempts: 20,
            retry_ms: 100,
            retry_max_ms: 60_000,
            timeout_ms: 10_000,
            user_ids: true,
        }
    }
}

/// Counts by name, in a stable order.
pub(super) type Counts = BTreeMap<String, u64>;
