//! One attempt over HTTP: at most one request on the wire, one of three answers.
//!
//! Whether bytes may have left is not read from the client's error (`is_connect` and its kin say where it broke, not what
//! was written) but from the gate in front of the body, see [`super::gate`]. With it every case has an answer:
//!
//! - DNS, connect, TLS: the gate never opened: *not sent*.
//! - A pooled connection that the server had closed: found before writing, hyper hands the request back unwritten and the
//!   pool takes another connection (the one repetition that is left on; the gate is still shut then). Found while writing,
//!   the gate is open: *unknown*. So idle connections are kept shorter than servers keep them.
//! - Redirects are not followed, proxies of the environment not used: the token goes to the configured host only.
//! - Retries of the client are off: the session's actor is the one retry owner.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Response, Url};
use tokio::sync::Semaphore;
use zeroize::Zeroizing;

use super::super::error::ChannelError;
use super::super::seam::{Capabilities, Channel, Credential, Leave, SendCommand};
use super::gate::{Gate, Latch, Passage};
use super::{capabilities, graph};
use crate::domain::failure::{Answer, CodeTable, GraphAnswer, Observation, classify};
use crate::domain::id::MessageId;
use crate::runtime::{BoxFuture, Clock};

/// Longest answer that is read, bytes. Meta's are below 2 KiB.
const ANSWER_MAX: usize = 64 * 1024;

/// How the Cloud API is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// `https://graph.facebook.com`, or a simulator; a path before the version is kept.
    pub graph_url: String,
    /// `v25.0`: always pinned, a version lives about two years.
    pub version: String,
    /// For DNS, connect and TLS together.
    pub connect_timeout: Duration,
    /// For the whole attempt, from first look-up to last byte of the answer.
    pub total_timeout: Duration,
    /// How long an idle connection is kept. Below the server's own limit, or the last request on it is unknown.
    pub pool_idle: Duration,
    /// Connections at once; an attempt waits for one within its own time.
    pub max_connections: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            graph_url: "https://graph.facebook.com".to_owned(),
            version: "v25.0".to_owned(),
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(30),
            pool_idle: Duration::from_secs(20),
            max_connections: 256,
        }
    }
}

/// The Cloud API.
pub struct WhatsApp {
    inner: Arc<Inner>,
    capabilities: Capabilities,
}

struct Inner {
    client: Client,
    /// `{graph_url}/{version}/`
    base: Url,
    total_timeout: Duration,
    table: Arc<CodeTable>,
    clock: Arc<dyn Clock>,
    /// One permit for each connection.
    connections: Semaphore,
}

impl WhatsApp {
    /// A channel that speaks to this address and reads codes by this table.
    ///
    /// # Errors
    /// [`ChannelError`]: address or version are not usable, or the client cannot be built.
    pub fn new(settings: &Settings, table: Arc<CodeTable>, clock: Arc<dyn Clock>) -> Result<Self, ChannelError> {
        let base = base(settings)?;
        // The client asks the process for a provider and panics without one. An error says that one is there already.
        let _already = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder()
            .user_agent(concat!("waybill/", env!("CARGO_PKG_VERSION")))
            .retry(reqwest::retry::never())
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // The gate stands on it.
            .http1_only()
            .connect_timeout(settings.connect_timeout)
            .pool_idle_timeout(settings.pool_idle)
            .pool_max_idle_per_host(settings.max_connections)
            .build()
            .map_err(ChannelError::Client)?;
        let connections = Semaphore::new(settings.max_connections.min(Semaphore::MAX_PERMITS));
        let inner = Inner { client, base, total_timeout: settings.total_timeout, table, clock, connections };
        Ok(Self { inner: Arc::new(inner), capabilities: capabilities() })
    }
}

impl Channel for WhatsApp {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn send(&self, command: SendCommand, credential: Arc<Credential>) -> BoxFuture<'static, Answer> {
        self.send_if(command, credential, Arc::new(|| Ok(())))
    }

    fn send_if(&self, command: SendCommand, credential: Arc<Credential>, leave: Leave) -> BoxFuture<'static, Answer> {
        let inner = self.inner.clone();
        Box::pin(async move {
            let (message, attempt) = (command.message, command.attempt);
            let observation = inner.attempt(command, &credential, leave).await;
            tell(message, attempt, &observation);
            classify(&inner.table, observation)
        })
    }
}

fn base(settings: &Settings) -> Result<Url, ChannelError> {
    let wrong = |why: &str| ChannelError::GraphUrl { url: settings.graph_url.clone(), why: why.to_owned() };
    let version = settings.version.strip_prefix('v').and_then(|number| number.split_once('.'));
    if !version.is_some_and(|(major, minor)| [major, minor].iter().all(|part| part.parse::<u16>().is_ok())) {
        return Err(ChannelError::Version(settings.version.clone()));
    }
    let url = Url::parse(&settings.graph_url).map_err(|e| wrong(&e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("it is neither http nor https"));
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("it has more than scheme, host, port and path"));
    }
    let whole = format!("{}/{}/", url.as_str().trim_end_matches('/'), settings.version);
    Url::parse(&whole).map_err(|e| wrong(&e.to_string()))
}

impl Inner {
    async fn attempt(&self, command: SendCommand, credential: &Credential, leave: Leave) -> Observation {
        let deadline = command.deadline;
        // Looked at again in the gate; here it spares the connection.
        if self.clock.steady() > deadline {
            return Observation::NotWritten { why: "deadline" };
        }
        let (url, headers, body) = match self.request(command, credential) {
            Ok(request) => request,
            Err(why) => return Observation::NotWritten { why },
        };
        let began = self.clock.steady();
        let connection = tokio::time::timeout(self.total_timeout, self.connections.acquire()).await;
        // Held until the answer is read: a connection is busy so long.
        let Ok(Ok(_connection)) = connection else {
            return Observation::NotWritten { why: "connections" };
        };
        // Looked at again in the gate; here it spares what connecting takes.
        if let Err(why) = leave() {
            return Observation::NotWritten { why };
        }
        let left = self.total_timeout.saturating_sub(self.clock.steady().saturating_sub(began));
        let (gate, latch) = Gate::before(body, deadline, self.clock.clone());
        let gate = gate.only_if(leave);
        let request = self.client.post(url).headers(headers).timeout(left).body(reqwest::Body::wrap(gate));
        match request.send().await {
            Ok(response) => answered(response).await,
            Err(error) => unanswered(&error, &latch),
        }
    }

    fn request(&self, command: SendCommand, credential: &Credential) -> Result<(Url, HeaderMap, Bytes), &'static str> {
        let account = &command.account;
        // The id becomes a part of the path: nothing that could lead to another one.
        let plain = (1..=64).contains(&account.len()) && account.bytes().all(|b| b.is_ascii_alphanumeric());
        let url = self.base.join(&format!("{account}/messages")).ok().filter(|_| plain).ok_or("account")?;
        let bearer = Zeroizing::new(format!("Bearer {}", credential.expose()));
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| "credential")?;
        bearer.set_sensitive(true);
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer), (CONTENT_TYPE, json)]);
        Ok((url, headers, graph::body(command)?.into()))
    }
}

/// Reads an answer whose head is here: the request was written, so nothing from here on is *not sent* by itself.
async fn answered(mut response: Response) -> Observation {
    let http = response.status().as_u16();
    let retry_after_ms = retry_after(response.headers());
    let mut body = BytesMut::new();
    loop {
        match response.chunk().await {
            Ok(Some(piece)) if body.len() + piece.len() <= ANSWER_MAX => body.extend_from_slice(&piece),
            Ok(Some(_)) => return Observation::Answered { http, body: GraphAnswer::Unreadable, retry_after_ms },
            Ok(None) => return Observation::Answered { http, body: graph::read(&body), retry_after_ms },
            Err(error) if error.is_timeout() => return Observation::TimedOut { bytes_written: true },
            Err(_) => return Observation::BrokenAfterWrite { why: "body" },
        }
    }
}

fn unanswered(error: &reqwest::Error, latch: &Latch) -> Observation {
    match latch.bar() {
        Passage::Late => Observation::NotWritten { why: "deadline" },
        Passage::Stopped => Observation::NotWritten { why: "stopped" },
        Passage::Opened if error.is_timeout() => Observation::TimedOut { bytes_written: true },
        Passage::Opened => Observation::BrokenAfterWrite { why: "reset" },
        Passage::Barred if error.is_connect() => Observation::ConnectFailed,
        Passage::Barred if error.is_timeout() => Observation::TimedOut { bytes_written: false },
        Passage::Barred => Observation::NotWritten { why: "closed" },
    }
}

/// Seconds only: the other form, a date, would have to be compared with a clock that may be wrong.
fn retry_after(headers: &HeaderMap) -> Option<u64> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse::<u64>().ok()?.checked_mul(1000)
}

/// What an answer of three words leaves out, for whoever looks for the cause: codes and kinds, nothing of a person.
fn tell(message: MessageId, attempt: u16, observation: &Observation) {
    match observation {
        Observation::Answered { body: GraphAnswer::Accepted { status: None, .. }, .. } => {}
        Observation::Answered { http, body: GraphAnswer::Accepted { status: Some(status), .. }, .. } => {
            if status != "accepted" {
                tracing::info!(%message, attempt, http, status, "taken, and not yet let through");
            }
        }
        Observation::Answered { http, body: GraphAnswer::Error { code, subcode, .. }, .. } => {
            tracing::info!(%message, attempt, http, code, subcode, "refused");
        }
        Observation::Answered { http, body: GraphAnswer::Unreadable, .. } => {
            tracing::warn!(%message, attempt, http, "answered with something else than Graph JSON");
        }
        other => tracing::warn!(%message, attempt, observed = ?other, "no answer"),
    }
}
