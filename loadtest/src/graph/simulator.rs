//! The simulator as a component: settings in, handle out.

use super::admin;
use super::answer::answer_error;
use super::callback::{CallbackStats, Callbacks};
use super::config::{Counts, Limits, Number, Rule, SimulatorConfig};
use super::error::GraphError;
use super::fault::Faults;
use super::journal::{Journal, Recorded};
use super::limits::{Meter, lock};
use super::{payload, send};
use crate::clock::now_us;
use crate::lines::{FLUSH_EVERY, LinesError};
use crate::server::{Answer, Cut, bind, serve};
use http::{Method, Request, Response};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Why the simulator could not start, or could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// The address could not be bound.
    #[error("simulator cannot listen on {addr}: {source}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The journal file could not be opened.
    #[error("request journal: {0}")]
    Journal(#[from] LinesError),
    /// A setting makes no sense.
    #[error("simulator settings: {0}")]
    Settings(String),
    /// The phone number id does not exist.
    #[error("phone number id {0} does not exist in this simulator")]
    NoSuchNumber(String),
}

/// Everything that was counted.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Stats {
    /// Send requests received, mark-read calls included.
    pub requests: u64,
    /// Messages accepted, whether or not the caller was told.
    pub accepted: u64,
    /// Requests whose body did not arrive whole.
    pub aborted: u64,
    /// Records written to the request journal: what `after` of `/_sim/requests` counts.
    pub recorded: u64,
    /// Refusals by Meta's code.
    pub errors: Counts,
    /// Faults by name.
    pub faults: Counts,
    /// Messages beyond a limit (`number`, `pair`, `portfolio`), refused or not.
    pub limits_exceeded: Counts,
    /// Of these, refused although the caller had been told of this very limit before; what was under way then is left out.
    #[serde(default)]
    pub limits_exceeded_after_answer: Counts,
    /// Callbacks.
    pub callbacks: CallbackStats,
    /// Records dropped from memory for want of room.
    pub journal_dropped: u64,
    /// What went wrong with the journal file, if anything.
    pub journal_error: Option<String>,
}

#[derive(Default)]
pub(super) struct Counters {
    requests: AtomicU64,
    accepted: AtomicU64,
    aborted: AtomicU64,
    errors: Mutex<Counts>,
    faults: Mutex<Counts>,
}

impl Counters {
    pub(super) fn next_request(&self) -> u64 {
        self.requests.fetch_add(1, Relaxed) + 1
    }

    pub(super) fn aborted(&self) {
        self.aborted.fetch_add(1, Relaxed);
    }

    pub(super) fn outcome(&self, record: &Recorded) {
        if record.wamid.is_some() {
            self.accepted.fetch_add(1, Relaxed);
        }
        if let Some(code) = record.error {
            *lock(&self.errors).entry(code.to_string()).or_default() += 1;
        }
        if let Some(fault) = &record.fault {
            *lock(&self.faults).entry(fault.clone()).or_default() += 1;
        }
    }
}

/// Numbers invented for ids in the path when no numbers are configured; beyond this many they are not kept.
const INVENTED_MAX: usize = 100_000;

/// What every request sees.
pub(super) struct Shared {
    pub config: SimulatorConfig,
    pub count: Counters,
    pub meter: Meter,
    pub journal: Journal,
    pub callbacks: Arc<Callbacks>,
    faults: RwLock<Arc<Faults>>,
    numbers: HashMap<String, Arc<Number>>,
    invented: RwLock<HashMap<String, Arc<Number>>>,
}

impl Shared {
    fn new(config: SimulatorConfig) -> Result<Self, SimulatorError> {
        let callbacks =
            Callbacks::new(config.callback.clone(), config.faults.seed).map_err(SimulatorError::Settings)?;
        let numbers = config.numbers.iter().map(|n| (n.phone_number_id.clone(), Arc::new(n.clone()))).collect();
        Ok(Self {
            count: Counters::default(),
            meter: Meter::new(config.limits.clone()),
            journal: Journal::open(config.journal_capacity, config.journal_path.as_deref())?,
            callbacks: Arc::new(callbacks),
            faults: RwLock::new(Arc::new(config.faults.clone())),
            numbers,
            invented: RwLock::default(),
            config,
        })
    }

    pub(super) fn faults(&self) -> Arc<Faults> {
        self.faults.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set_faults(&self, faults: Faults) {
        *self.faults.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(faults);
    }

    pub(super) fn known_number(&self, id: &str) -> Option<&Number> {
        self.numbers.get(id).map(|number| &**number)
    }

    /// The number, or Meta's error for one that does not exist. Without configured numbers every id made of digits exists.
    pub(super) fn number(&self, id: &str) -> Result<Arc<Number>, GraphError> {
        if let Some(number) = self.numbers.get(id) {
            return Ok(number.clone());
        }
        if !self.numbers.is_empty() || id.is_empty() || !id.bytes().all(|b| b.is_ascii_digit()) {
            return Err(GraphError::no_object(id));
        }
        if let Some(number) = self.invented.read().unwrap_or_else(PoisonError::into_inner).get(id) {
            return Ok(number.clone());
        }
        let number = Arc::new(Number::new(id));
        let mut invented = self.invented.write().unwrap_or_else(PoisonError::into_inner);
        if invented.len() < INVENTED_MAX {
            invented.insert(id.to_owned(), number.clone());
        }
        Ok(number)
    }

    pub(super) fn rule_for(&self, recipient: &str) -> Option<&Rule> {
        self.config.rules.iter().find(|rule| recipient.ends_with(&rule.suffix))
    }

    pub(super) fn inbound(&self, phone_number_id: &str, from: &str, text: &str) -> Result<String, SimulatorError> {
        let number =
            self.number(phone_number_id).map_err(|_| SimulatorError::NoSuchNumber(phone_number_id.to_owned()))?;
        let from: String = from.chars().filter(char::is_ascii_digit).collect();
        let now = now_us();
        self.meter.inbound(phone_number_id, now);
        let wamid = payload::wamid(&from, true);
        let body = payload::inbound_text(&number, &from, self.config.callback.user_ids, &wamid, now / 1_000_000, text);
        self.callbacks.inbound_now(body);
        Ok(wamid)
    }

    pub(super) fn stats(&self) -> Stats {
        let (recorded, journal_dropped, journal_error) = self.journal.state();
        Stats {
            requests: self.count.requests.load(Relaxed),
            accepted: self.count.accepted.load(Relaxed),
            aborted: self.count.aborted.load(Relaxed),
            recorded,
            errors: lock(&self.count.errors).clone(),
            faults: lock(&self.count.faults).clone(),
            limits_exceeded: self.meter.exceeded.counts(),
            limits_exceeded_after_answer: self.meter.after_answer.counts(),
            callbacks: self.callbacks.stats(),
            journal_dropped,
            journal_error,
        }
    }
}

/// A running simulator. Dropping it stops it at once; [`Simulator::shutdown`] also waits for the journal file.
pub struct Simulator {
    shared: Arc<Shared>,
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Simulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Simulator").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Simulator {
    /// Binds and serves on the runtime of the caller.
    ///
    /// # Errors
    /// [`SimulatorError`] when the address, the journal file or a setting is no good.
    pub async fn start(config: SimulatorConfig) -> Result<Self, SimulatorError> {
        let wanted = config.addr;
        let bound = |source| SimulatorError::Bind { addr: wanted, source };
        let shared = Arc::new(Shared::new(config)?);
        let listener = bind(wanted).await.map_err(bound)?;
        let addr = listener.local_addr().map_err(bound)?;
        let (stop, stopping) = watch::channel(false);
        let serving = shared.clone();
        let handler = move |request, cut| route(serving.clone(), request, cut);
        let tasks = vec![
            tokio::spawn(serve(listener, stopping, handler)),
            tokio::spawn(shared.callbacks.clone().dispatch()),
            tokio::spawn(flush(shared.clone())),
        ];
        Ok(Self { shared, addr, stop, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The base of the Graph API: put it where a client takes `https://graph.facebook.com`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Everything counted so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.stats()
    }

    /// Records of the request journal, leaving out the first `skip`; at most `limit`.
    #[must_use]
    pub fn requests(&self, skip: u64, limit: usize) -> Vec<Recorded> {
        self.shared.journal.after(skip, limit)
    }

    /// Replaces all faults.
    pub fn set_faults(&self, faults: Faults) {
        self.shared.set_faults(faults);
    }

    /// Changes Meta's limits; what was used of them stays used.
    pub fn set_limits(&self, limits: Limits) {
        self.shared.meter.set(limits);
    }

    /// Changes where callbacks go; without a secret the one of the settings signs.
    ///
    /// # Errors
    /// [`SimulatorError::Settings`] when the url is not `http://host:port/path`.
    pub fn set_callback(&self, url: Option<&str>, app_secret: Option<&str>) -> Result<(), SimulatorError> {
        self.shared.callbacks.set_target(url, app_secret).map_err(SimulatorError::Settings)
    }

    /// A person writes to a number: posts a signed callback, and answers with the message id.
    ///
    /// # Errors
    /// [`SimulatorError::NoSuchNumber`].
    pub fn inbound(&self, phone_number_id: &str, from: &str, text: &str) -> Result<String, SimulatorError> {
        self.shared.inbound(phone_number_id, from, text)
    }

    /// Stops serving and posting, and hands the journal file to the operating system. Statuses still waiting are lost.
    pub async fn shutdown(mut self) {
        self.stop.send_replace(true);
        let mut tasks = std::mem::take(&mut self.tasks).into_iter();
        if let Some(serving) = tasks.next() {
            // The accept loop ends by itself; a panic in it has been reported by the runtime.
            drop(serving.await);
        }
        tasks.for_each(|task| task.abort());
        self.shared.journal.flush();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.tasks.iter().for_each(JoinHandle::abort);
        self.shared.journal.flush();
    }
}

async fn flush(shared: Arc<Shared>) {
    let mut tick = tokio::time::interval(FLUSH_EVERY / 2);
    loop {
        tick.tick().await;
        shared.journal.flush();
    }
}

/// `/_sim/...`, or `/{version}/...`; as Meta does, the version may be left out.
async fn route(shared: Arc<Shared>, request: Request<Incoming>, cut: Arc<Cut>) -> Response<Answer> {
    let mut parts = request.uri().path().trim_start_matches('/').split('/');
    let mut first = parts.next().unwrap_or_default();
    if first == "_sim" {
        let name = parts.next().unwrap_or_default().to_owned();
        return admin::route(&shared, &name, request).await;
    }
    if first.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        first = parts.next().unwrap_or_default();
    }
    let (id, edge) = (first.to_owned(), parts.next());
    match (request.method(), edge, parts.next()) {
        (&Method::POST, Some("messages"), None) => send::messages(shared, id, request, cut).await,
        (&Method::GET, None, None) => admin::phone_number(&shared, &id),
        _ => answer_error(&GraphError::with(100, "This simulator knows messages and phone numbers only."), 0),
    }
}
