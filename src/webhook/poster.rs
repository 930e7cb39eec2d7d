//! The real thing: one POST over reqwest, HTTP/1.1 keep-alive, one deadline over name, connection, request and answer.
//!
//! Redirects, retries, proxies and decompression are off: a redirect or a proxy would dial what the guard has not
//! seen, a second retry owner would double what the schedule decides.

use std::sync::OnceLock;
use std::time::Duration;

use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{Certificate, Client, Response, redirect, retry};

use super::answer::{EXCERPT_BYTES, classify, failure};
use super::error::{BuildError, Refusal};
use super::guard::Guard;
use super::post::{Deliver, Delivered, Post};
use super::resolve::{GuardedResolver, Lookup, system_lookup};
use super::retry_after::parse_retry_after;
use super::sign::sign;

/// How we introduce ourselves.
const USER_AGENT: &str = concat!("waybill/", env!("CARGO_PKG_VERSION"));
/// The longest deadline; the specification recommends 15 to 30 s.
const MAX_TIMEOUT: Duration = Duration::from_secs(60);
/// Idle connections kept per host: eight hold 8 × 15 KB, and a fresh TLS connection costs six times a kept one.
const IDLE_PER_HOST: usize = 8;
/// How long they are kept.
const IDLE_FOR: Duration = Duration::from_secs(30);
/// Header lines of an answer. Some content networks send forty.
const MAX_HEADERS: usize = 100;
/// An answer's body is read no longer than this, within the deadline: the outcome stands with the status line, so an endpoint that drips
/// its body holds a credit for two seconds and not for the whole deadline.
const BODY_PATIENCE: Duration = Duration::from_secs(2);

const WEBHOOK_ID: HeaderName = HeaderName::from_static("webhook-id");
const WEBHOOK_TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const WEBHOOK_SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// What a [`Poster`] is made with.
#[derive(Clone, Debug)]
pub struct PosterSettings {
    /// Where it may call.
    pub guard: Guard,
    /// The whole attempt: more than 0, at most 60 s.
    pub timeout: Duration,
    /// An answer's body is read so far, so that its connection can serve again; beyond that the connection is closed.
    pub response_max: usize,
    /// Certificate authorities trusted beside the system's, as a PEM bundle: endpoints in the operator's own network.
    pub extra_roots_pem: Option<Vec<u8>>,
}

impl Default for PosterSettings {
    /// Public addresses; 20 s, in the middle of what the specification recommends; 64 KiB; the system's authorities.
    fn default() -> Self {
        Self {
            guard: Guard::default(),
            timeout: Duration::from_secs(20),
            response_max: 64 * 1024,
            extra_roots_pem: None,
        }
    }
}

/// Delivers over the network. Make one (10 ms, mostly certificate authorities) and share it.
#[derive(Debug)]
pub struct Poster {
    client: Client,
    /// Open to the tests of this room, which set it against a client that was made with another.
    pub(super) guard: Guard,
    response_max: usize,
}

impl Poster {
    /// Makes the client.
    ///
    /// # Errors
    /// [`BuildError`]: a deadline out of range, unreadable extra authorities, or no authorities on the system.
    pub fn new(settings: PosterSettings) -> Result<Self, BuildError> {
        Self::with_lookup(settings, system_lookup())
    }

    /// The same with another way from name to addresses; tests script it.
    pub(super) fn with_lookup(settings: PosterSettings, lookup: Lookup) -> Result<Self, BuildError> {
        install_provider();
        let PosterSettings { guard, timeout, response_max, extra_roots_pem } = settings;
        if timeout.is_zero() || timeout > MAX_TIMEOUT {
            return Err(BuildError::Timeout(timeout));
        }
        let roots = extra_roots_pem.map_or(Ok(Vec::new()), |pem| read_roots(&pem))?;
        let client = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .referer(false)
            .http1_only()
            .http1_max_headers(MAX_HEADERS)
            .pool_max_idle_per_host(IDLE_PER_HOST)
            .pool_idle_timeout(IDLE_FOR)
            .timeout(timeout)
            .dns_resolver(GuardedResolver::new(guard.clone(), lookup))
            .tls_certs_merge(roots)
            .build()
            .map_err(BuildError::Client)?;
        Ok(Self { client, guard, response_max })
    }

    /// The second lock: whom we are really talking to. The resolver has vetted what was dialled, so this speaks only
    /// when the first lock is broken, and then nothing of the answer is shown to anyone.
    fn check_peer(&self, response: &Response) -> Result<(), Refusal> {
        match response.remote_addr() {
            Some(peer) => self.guard.check_address(peer.ip()).map_err(Refusal::Peer),
            None => Ok(()),
        }
    }
}

impl Deliver for Poster {
    async fn deliver(&self, post: Post) -> Delivered {
        if let Err(refusal) = self.guard.check_url(&post.url) {
            return Delivered::Refused(refusal);
        }
        let now_s = post.timestamp_s;
        let headers = headers(&post);
        let sent = self.client.post(post.url).headers(headers).body(post.body).send().await;
        let response = match sent {
            Ok(response) => response,
            Err(error) => return failed(error),
        };
        if let Err(refusal) = self.check_peer(&response) {
            return Delivered::Refused(refusal);
        }
        let status = response.status().as_u16();
        let asked = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
        let retry_after = asked.and_then(|value| parse_retry_after(value, now_s));
        classify(status, retry_after, &read_body(response, self.response_max).await)
    }
}

/// A bundle without a certificate is refused: whoever names one means to trust somebody.
fn read_roots(pem: &[u8]) -> Result<Vec<Certificate>, BuildError> {
    match Certificate::from_pem_bundle(pem) {
        Ok(roots) if roots.is_empty() => Err(BuildError::NoRoots),
        Ok(roots) => Ok(roots),
        Err(error) => Err(BuildError::Roots(error)),
    }
}

fn headers(post: &Post) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(4);
    let signature = sign(&post.secrets, &post.id, post.timestamp_s, &post.body);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(WEBHOOK_ID, plain(post.id.as_str()));
    headers.insert(WEBHOOK_TIMESTAMP, HeaderValue::from(post.timestamp_s));
    headers.insert(WEBHOOK_SIGNATURE, plain(&signature));
    headers
}

fn plain(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).expect("an id and base64 consist of visible ASCII")
}

/// The head of the body, at most 4 KiB; up to `most` bytes are read and the rest left. Whatever stops it (a break, the
/// deadline, our patience) only shortens it: the status has decided already.
async fn read_body(mut response: Response, most: usize) -> Vec<u8> {
    let mut head = Vec::new();
    let mut read = 0;
    let reading = async {
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = EXCERPT_BYTES.min(most) - head.len();
            head.extend_from_slice(&chunk[..chunk.len().min(room)]);
            read += chunk.len();
            if read >= most {
                break;
            }
        }
    };
    // An elapsed patience is no error: what was read until then is the answer.
    let _elapsed = tokio::time::timeout(BODY_PATIENCE, reading).await;
    head
}

fn failed(error: reqwest::Error) -> Delivered {
    let (is_timeout, is_dns) = (error.is_timeout(), error.is_dns());
    failure(&error.without_url(), is_timeout, is_dns)
}

/// reqwest is built without a TLS provider, so the process needs one before the first client is made. Whoever comes
/// first wins; a second call, here or elsewhere, finds it installed and that is as good.
fn install_provider() {
    static INSTALLED: OnceLock<()> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let _already_there = rustls::crypto::ring::default_provider().install_default();
    });
}
