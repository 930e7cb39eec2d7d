//! Serving: connections in, the router behind them, an orderly end.
//!
//! What a stranger can hold is bounded: connections, the time to say hello, the time and size of headers, streams of a
//! connection. Bodies are bounded where they are read.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::tls::H2;
use crate::config::Settings;

/// Bytes of headers of one request.
const HEADERS_MAX: usize = 64 * 1024;

/// Streams of one HTTP/2 connection at once.
const STREAMS_MAX: u32 = 256;

/// A connection over HTTP/2 that answers no ping for this long is dead.
const PING: Duration = Duration::from_secs(30);

/// How long accepting pauses when the system has no descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// What clients of HTTP/2 without TLS begin with.
const PREFACE: &[u8] = b"PRI";

/// What strangers may hold.
#[derive(Debug, Clone, Copy)]
struct Limits {
    /// Time to say hello and to send the headers of a request.
    header_timeout: Duration,
    /// Connections at once: at 10 KiB each, 10,000 are 100 MB. Others wait in the system's queue.
    connections: usize,
    /// How long open requests may take to end after the shutdown.
    drain: Duration,
}

/// Serves until `stopping` says so, then lets open requests end. Over when the last connection is closed or cut off.
pub fn serve(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: Router,
    settings: &Settings,
    stopping: watch::Receiver<bool>,
) -> impl Future<Output = ()> + Send + use<> {
    let limits =
        Limits { header_timeout: settings.server.header_timeout, connections: 10_000, drain: Duration::from_secs(9) };
    let door = Door { tls: tls.map(TlsAcceptor::from), router, limits, stopping };
    run(listener, door)
}

async fn run(listener: TcpListener, door: Door) {
    let limits = door.limits;
    let room = Arc::new(Semaphore::new(limits.connections));
    let mut connections = JoinSet::new();
    let stopping = door.stopping.clone();
    let mut shutdown = pin!(stopped(stopping));
    loop {
        let accept = async {
            // The semaphore lives as long as this loop and is never closed.
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        tokio::select! {
            () = &mut shutdown => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            (place, accepted) = accept => match accepted {
                Ok((stream, _)) => {
                    let door = door.clone();
                    connections.spawn(async move {
                        door.greet(stream).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if tokio::time::timeout(limits.drain, drained).await.is_err() {
        tracing::warn!(left = connections.len(), "connections were cut off after the drain");
        connections.shutdown().await;
    }
}

/// Also when whoever could say so is gone.
async fn stopped(mut stopping: watch::Receiver<bool>) {
    drop(stopping.wait_for(|stop| *stop).await);
}

/// What every connection gets.
#[derive(Clone)]
struct Door {
    tls: Option<TlsAcceptor>,
    router: Router,
    limits: Limits,
    stopping: watch::Receiver<bool>,
}

impl Door {
    async fn greet(self, stream: TcpStream) {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "no TCP_NODELAY");
        }
        let hello = self.limits.header_timeout;
        match &self.tls {
            None => {
                // Looked at before hyper does: its own look has no deadline.
                let begins = tokio::select! {
                    begins = tokio::time::timeout(hello, begins_h2(&stream)) => begins,
                    // A spare connection that has said nothing holds nobody up.
                    () = stopped(self.stopping.clone()) => return,
                };
                if let Ok(Some(h2)) = begins {
                    self.talk(stream, h2).await;
                }
            }
            Some(tls) => match tokio::time::timeout(hello, tls.accept(stream)).await {
                Ok(Ok(stream)) => {
                    let h2 = stream.get_ref().1.alpn_protocol() == Some(H2);
                    self.talk(stream, h2).await;
                }
                Ok(Err(error)) => tracing::debug!(%error, "a TLS handshake failed"),
                Err(_) => tracing::debug!("a TLS handshake took too long"),
            },
        }
    }

    async fn talk<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(self, stream: S, h2: bool) {
        let builder = builder(self.limits, h2);
        let service = TowerToHyperService::new(self.router);
        let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopped(self.stopping) => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, "a connection ended badly");
        }
    }
}

/// Whether a client without TLS begins with HTTP/2; `None` when it goes before it has said anything.
async fn begins_h2(stream: &TcpStream) -> Option<bool> {
    let mut first = [0; PREFACE.len()];
    loop {
        let seen = stream.peek(&mut first).await.ok().filter(|seen| *seen > 0)?;
        if seen == first.len() || first[..seen] != PREFACE[..seen] {
            return Some(first == *PREFACE);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn builder(limits: Limits, h2: bool) -> Builder<TokioExecutor> {
    let builder = Builder::new(TokioExecutor::new());
    let mut builder = if h2 { builder.http2_only() } else { builder.http1_only() };
    builder.http1().timer(TokioTimer::new()).header_read_timeout(limits.header_timeout).max_buf_size(HEADERS_MAX);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_header_list_size(HEADERS_MAX as u32)
        .keep_alive_interval(PING)
        .keep_alive_timeout(PING);
    builder
}
