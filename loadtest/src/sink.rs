//! A customer's webhook receiver: verifies Standard Webhooks signatures, records what it was told, and misbehaves on demand.
//!
//! Every POST outside `/_sink/` is a delivery. `GET /_sink/stats`, `GET /_sink/events?after=&limit=` and `POST /_sink/behaviour` look into
//! it. A delivery counts as a notification only if it was answered 2xx: the sender may repeat any other, and must.

mod settings;

pub use settings::{Behaviour, Notified, SinkConfig, SinkError, SinkStats};

use crate::clock::{draw, now_us};
use crate::lines::{FLUSH_EVERY, LineWriter};
use crate::server::{Answer, Cut, bind, empty, json, serve};
use crate::signature::WebhookSecret;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// A notification is a few KiB, a batch of them some hundred.
const BODY_MAX: usize = 4 * 1024 * 1024;
/// A hung connection is closed after this.
const HANG: Duration = Duration::from_secs(600);
/// Events in one answer at most.
const PAGE_MAX: usize = 10_000;

/// The part of a notification the sink reads.
#[derive(Deserialize)]
struct Body {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    data: Data,
}

#[derive(Default, Deserialize)]
struct Data {
    #[serde(default)]
    message_id: String,
}

#[derive(Default)]
struct State {
    stats: SinkStats,
    behaviour: Behaviour,
    events: Vec<Notified>,
    seen: HashSet<u64>,
    file: Option<LineWriter>,
}

struct Shared {
    secrets: Vec<WebhookSecret>,
    capacity: usize,
    hasher: RandomState,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running sink. Dropping it stops it.
pub struct Sink {
    shared: Arc<Shared>,
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: [JoinHandle<()>; 2],
}

impl std::fmt::Debug for Sink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sink").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Sink {
    /// Binds and serves on the runtime of the caller.
    ///
    /// # Errors
    /// [`SinkError`] when the address, a secret or the file is no good.
    pub async fn start(config: SinkConfig) -> Result<Self, SinkError> {
        let secrets = config
            .secrets
            .iter()
            .map(|s| WebhookSecret::parse(s))
            .collect::<Result<_, _>>()
            .map_err(SinkError::Secret)?;
        let file = config.events_path.as_deref().map(LineWriter::open).transpose()?;
        let state = State { behaviour: config.behaviour, file, ..State::default() };
        let shared =
            Arc::new(Shared { secrets, capacity: config.capacity, hasher: RandomState::new(), state: state.into() });
        let bound = |source| SinkError::Bind { addr: config.addr, source };
        let listener = bind(config.addr).await.map_err(bound)?;
        let addr = listener.local_addr().map_err(bound)?;
        let (stop, stopping) = watch::channel(false);
        let serving = shared.clone();
        let handler = move |request, cut| route(serving.clone(), request, cut);
        let tasks = [tokio::spawn(serve(listener, stopping, handler)), tokio::spawn(flush(shared.clone()))];
        Ok(Self { shared, addr, stop, tasks })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// An address to deliver to.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.addr)
    }

    /// Everything counted so far.
    #[must_use]
    pub fn stats(&self) -> SinkStats {
        self.shared.state().stats.clone()
    }

    /// Events in the order they were answered, leaving out the first `skip`; repeated ones are not in it.
    #[must_use]
    pub fn events(&self, skip: usize, limit: usize) -> Vec<Notified> {
        self.shared.state().events.iter().skip(skip).take(limit).cloned().collect()
    }

    /// Changes how it answers.
    pub fn set_behaviour(&self, behaviour: Behaviour) {
        self.shared.state().behaviour = behaviour;
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.tasks.iter().for_each(JoinHandle::abort);
        flush_file(&self.shared);
    }
}

async fn flush(shared: Arc<Shared>) {
    let mut tick = tokio::time::interval(FLUSH_EVERY / 2);
    loop {
        tick.tick().await;
        flush_file(&shared);
    }
}

fn flush_file(shared: &Shared) {
    let mut state = shared.state();
    if let Some(Err(failed)) = state.file.as_mut().map(LineWriter::flush) {
        state.stats.file_error.get_or_insert(failed.to_string());
    }
}

async fn route(shared: Arc<Shared>, request: Request<Incoming>, cut: Arc<Cut>) -> Response<Answer> {
    let path = request.uri().path().to_owned();
    match (request.method(), path.strip_prefix("/_sink/")) {
        (&Method::GET, Some("stats")) => answer_json(&shared.state().stats),
        (&Method::GET, Some("events")) => events(&shared, request.uri().query().unwrap_or_default()),
        (&Method::POST, Some("behaviour")) => behaviour(&shared, request).await,
        (&Method::POST, None) => delivery(&shared, request, &cut).await,
        _ => empty(StatusCode::NOT_FOUND),
    }
}

fn answer_json(value: &impl Serialize) -> Response<Answer> {
    match serde_json::to_vec(value) {
        Ok(body) => json(StatusCode::OK, body),
        Err(failed) => json(StatusCode::INTERNAL_SERVER_ERROR, failed.to_string()),
    }
}

fn events(shared: &Shared, query: &str) -> Response<Answer> {
    let number = |name| {
        query.split('&').filter_map(|p| p.split_once('=')).find(|(k, _)| *k == name).and_then(|(_, v)| v.parse().ok())
    };
    let after: usize = number("after").unwrap_or(0);
    let limit = number("limit").unwrap_or(1000).min(PAGE_MAX);
    let state = shared.state();
    let found: Vec<&Notified> = state.events.iter().skip(after).take(limit).collect();
    answer_json(&serde_json::json!({ "next": after + found.len(), "events": found }))
}

async fn behaviour(shared: &Shared, request: Request<Incoming>) -> Response<Answer> {
    let body = Limited::new(request.into_body(), BODY_MAX).collect().await.map(|body| body.to_bytes());
    let Ok(body) = body else {
        return json(StatusCode::BAD_REQUEST, "\"the body could not be read\"");
    };
    match serde_json::from_slice(&body) {
        Ok(behaviour) => {
            shared.state().behaviour = behaviour;
            json(StatusCode::OK, "{\"ok\":true}")
        }
        Err(wrong) => json(StatusCode::BAD_REQUEST, serde_json::json!({ "error": wrong.to_string() }).to_string()),
    }
}

async fn delivery(shared: &Shared, request: Request<Incoming>, cut: &Cut) -> Response<Answer> {
    let headers = request.headers().clone();
    let Ok(body) = Limited::new(request.into_body(), BODY_MAX).collect().await.map(|body| body.to_bytes()) else {
        return empty(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let (status, behaviour) = judge(shared, &headers, &body);
    if behaviour.latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(behaviour.latency_ms)).await;
    }
    if behaviour.hang {
        tokio::time::sleep(HANG).await;
        cut.arm(0, false);
    }
    let mut response = empty(status);
    if behaviour.drip_ms > 0 {
        *response.body_mut() =
            Answer::drip(Bytes::from_static(b"{\"received\":true}"), Duration::from_millis(behaviour.drip_ms));
    }
    response
}

/// Verifies, records, and chooses the answer.
fn judge(shared: &Shared, headers: &HeaderMap, body: &[u8]) -> (StatusCode, Behaviour) {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let (id, timestamp, signature) = (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"));
    let good = shared.secrets.iter().any(|secret| secret.verify(id, timestamp, body, signature));
    let parsed = serde_json::from_slice::<Body>(body);
    let mut state = shared.state();
    state.stats.deliveries += 1;
    let behaviour = state.behaviour.clone();
    match (shared.secrets.is_empty(), good) {
        (true, _) => state.stats.unverified += 1,
        (false, true) => state.stats.signatures_good += 1,
        (false, false) => {
            state.stats.signatures_bad += 1;
            return (StatusCode::UNAUTHORIZED, Behaviour::default());
        }
    }
    if let Some(status) = purposeful(&behaviour, state.stats.deliveries) {
        state.stats.failed_on_purpose += 1;
        return (status, behaviour);
    }
    match parsed {
        Ok(body) => {
            let event =
                Notified { id: id.to_owned(), kind: body.kind, message_id: body.data.message_id, at_us: now_us() };
            keep(&mut state, shared, event);
        }
        Err(_) => state.stats.malformed += 1,
    }
    (StatusCode::OK, behaviour)
}

/// The failure the behaviour asks for, if any. A hung delivery is none the sender could count as done.
fn purposeful(behaviour: &Behaviour, n: u64) -> Option<StatusCode> {
    if let Some(status) = behaviour.status {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        return (!status.is_success()).then_some(status);
    }
    let failing = behaviour.hang || draw(behaviour.seed, 1, n) < behaviour.fail_share;
    failing.then_some(StatusCode::INTERNAL_SERVER_ERROR)
}

fn keep(state: &mut State, shared: &Shared, event: Notified) {
    state.stats.answered_ok += 1;
    if let Some(Err(failed)) = state.file.as_mut().map(|file| file.push(&event)) {
        state.stats.file_error.get_or_insert(failed.to_string());
    }
    // 64 bits of hash: among 10 million ids two meet by chance once in 370,000 runs.
    if !state.seen.insert(shared.hasher.hash_one(&event.id)) {
        state.stats.duplicates += 1;
        return;
    }
    state.stats.events += 1;
    if state.events.len() < shared.capacity {
        state.events.push(event);
    } else {
        state.stats.dropped += 1;
    }
}
