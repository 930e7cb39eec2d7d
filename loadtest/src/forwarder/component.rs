//! The forwarder as a component: settings in, handle out.

use super::config::ForwarderConfig;
use super::intake::routes;
use super::outgoing::{Customer, Graph, Notice, Outgoing, client, drain};
use super::wal::Wal;
use axum::serve::ListenerExt as _;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Why a forwarder could not start.
#[derive(Debug, thiserror::Error)]
pub enum ForwarderError {
    /// The address could not be bound.
    #[error("forwarder cannot listen on {addr}: {source}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The synced file could not be made.
    #[error("synced file: {0}")]
    File(#[source] std::io::Error),
    /// The client could not be built.
    #[error("client: {0}")]
    Client(#[source] reqwest::Error),
    /// A setting makes no sense.
    #[error("forwarder settings: {0}")]
    Settings(String),
}

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForwarderStats {
    /// Messages answered 202.
    pub accepted: u64,
    /// Messages the Graph API accepted.
    pub forwarded: u64,
    /// Messages it did not, or did not answer.
    pub failed: u64,
    /// Statuses taken from callbacks.
    pub statuses: u64,
    /// Notifications the customer took.
    pub notified: u64,
    /// Notifications it did not.
    pub notify_failed: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub accepted: AtomicU64,
    pub forwarded: AtomicU64,
    pub failed: AtomicU64,
    pub statuses: AtomicU64,
    pub notified: AtomicU64,
    pub notify_failed: AtomicU64,
}

impl Counters {
    pub(super) fn stats(&self) -> ForwarderStats {
        let read = |counter: &AtomicU64| counter.load(Relaxed);
        ForwarderStats {
            accepted: read(&self.accepted),
            forwarded: read(&self.forwarded),
            failed: read(&self.failed),
            statuses: read(&self.statuses),
            notified: read(&self.notified),
            notify_failed: read(&self.notify_failed),
        }
    }
}

/// What every call sees.
pub(super) struct Shared {
    pub config: ForwarderConfig,
    pub wal: Option<Wal>,
    pub messages: mpsc::Sender<Outgoing>,
    pub notices: Option<mpsc::Sender<Notice>>,
    pub count: Arc<Counters>,
    ids: AtomicU64,
}

impl Shared {
    /// An id no other process of this program gives out: it starts at a random point.
    pub(super) fn next_id(&self) -> String {
        format!("fwd_{:016x}", self.ids.fetch_add(1, Relaxed))
    }
}

/// A running forwarder. Dropping it stops it; what was queued is lost.
pub struct Forwarder {
    addr: SocketAddr,
    count: Arc<Counters>,
    tasks: Vec<JoinHandle<()>>,
}

impl std::fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Forwarder").field("addr", &self.addr).finish_non_exhaustive()
    }
}

impl Forwarder {
    /// Binds and serves on the runtime of the caller.
    ///
    /// # Errors
    /// [`ForwarderError`] when the address, the file or a setting is no good.
    pub async fn start(config: ForwarderConfig) -> Result<Self, ForwarderError> {
        let bound = |source| ForwarderError::Bind { addr: config.addr, source };
        let listener = TcpListener::bind(config.addr).await.map_err(bound)?;
        let addr = listener.local_addr().map_err(bound)?;
        let (client, count, window) = (client(config.window)?, Arc::new(Counters::default()), config.window.max(1));
        let wal = config.synced.as_ref().map(Wal::open).transpose().map_err(ForwarderError::File)?;
        let (messages, outgoing) = mpsc::channel(config.queue);
        let graph = Arc::new(Graph::new(&config, client.clone(), count.clone())?);
        let mut tasks = vec![tokio::spawn(drain(outgoing, window, move |message| graph.clone().send(message)))];
        let mut notices = None;
        if let Some(webhook) = &config.webhook {
            let (queue, waiting) = mpsc::channel(config.queue);
            let customer = Arc::new(Customer::new(webhook, client, count.clone())?);
            tasks.push(tokio::spawn(drain(waiting, window, move |notice| customer.clone().notify(notice))));
            notices = Some(queue);
        }
        let ids = AtomicU64::new(rand::random::<u64>() >> 1);
        let app = routes(Arc::new(Shared { config, wal, messages, notices, count: count.clone(), ids }));
        tasks.push(tokio::spawn(serve(listener, app)));
        Ok(Self { addr, count, tasks })
    }

    /// Where it listens: messages go to `/v1/messages`, callbacks to `/callback`.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Everything counted so far.
    #[must_use]
    pub fn stats(&self) -> ForwarderStats {
        self.count.stats()
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn serve(listener: TcpListener, app: axum::Router) {
    // A socket that refuses the option is gone already; its first read will say so.
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    // `axum::serve` ends only with the task.
    drop(axum::serve(listener, app).await);
}
