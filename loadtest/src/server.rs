//! A small HTTP/1.1 server that can misbehave on the wire: cut a response after an exact number of bytes, drip it, or never answer.
//!
//! It serves simulator and sink. Without an armed [`Cut`] every write goes straight through, so a fault-free run pays nothing.

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use hyper::body::{Body, Frame, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::Future;
use std::io::{Error, ErrorKind, IoSlice, Result as IoResult};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Sleep;

/// What a handler may do to the wire under its answer.
#[derive(Debug)]
pub(crate) struct Cut {
    left: AtomicU64,
    reset: AtomicBool,
}

const WHOLE: u64 = u64::MAX;

impl Cut {
    /// Lets `bytes` of the coming response through, then breaks the connection: with a reset (RST), or by closing it (FIN).
    pub(crate) fn arm(&self, bytes: u64, reset: bool) {
        self.reset.store(reset, Ordering::Relaxed);
        self.left.store(bytes.min(WHOLE - 1), Ordering::Release);
    }

    fn disarm(&self) {
        self.left.store(WHOLE, Ordering::Release);
    }
}

/// How long bytes in flight get before a reset: a reset with unsent bytes would throw them away, and "after N bytes" would be a lie.
const SETTLE: Duration = Duration::from_millis(5);

struct CutIo {
    stream: TcpStream,
    cut: Arc<Cut>,
    settle: Option<Pin<Box<Sleep>>>,
}

impl CutIo {
    /// Waits until the bytes let through are surely sent, then breaks the connection.
    fn break_off(&mut self, cx: &mut Context<'_>) -> Poll<Error> {
        let settle = self.settle.get_or_insert_with(|| Box::pin(tokio::time::sleep(SETTLE)));
        ready!(settle.as_mut().poll(cx));
        if self.cut.reset.load(Ordering::Relaxed)
            && let Err(failed) = self.stream.set_zero_linger()
        {
            return Poll::Ready(failed);
        }
        Poll::Ready(Error::new(ErrorKind::ConnectionReset, "cut on purpose"))
    }
}

impl AsyncRead for CutIo {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<IoResult<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for CutIo {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<IoResult<usize>> {
        match self.cut.left.load(Ordering::Acquire) {
            WHOLE => Pin::new(&mut self.stream).poll_write(cx, buf),
            0 => Poll::Ready(Err(ready!(self.break_off(cx)))),
            left => {
                let take = usize::try_from(left).unwrap_or(usize::MAX).min(buf.len());
                let wrote = ready!(Pin::new(&mut self.stream).poll_write(cx, &buf[..take]))?;
                self.cut.left.fetch_sub(wrote as u64, Ordering::AcqRel);
                Poll::Ready(Ok(wrote))
            }
        }
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<IoResult<usize>> {
        if self.cut.left.load(Ordering::Acquire) == WHOLE {
            return Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        }
        let first = bufs.iter().find(|b| !b.is_empty()).map_or(&[][..], |b| &**b);
        self.poll_write(cx, first)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IoResult<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<IoResult<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// The body of an answer.
#[derive(Debug)]
pub(crate) enum Answer {
    /// All at once.
    Whole(Option<Bytes>),
    /// One byte per pause.
    Drip { left: Bytes, pause: Duration, sleep: Option<Pin<Box<Sleep>>> },
}

impl Answer {
    pub(crate) fn drip(left: Bytes, pause: Duration) -> Self {
        Self::Drip { left, pause, sleep: None }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|b| Ok(Frame::data(b)))),
            Self::Drip { left, .. } if left.is_empty() => Poll::Ready(None),
            Self::Drip { left, pause, sleep } => {
                let waiting = sleep.get_or_insert_with(|| Box::pin(tokio::time::sleep(*pause)));
                ready!(waiting.as_mut().poll(cx));
                *sleep = None;
                Poll::Ready(Some(Ok(Frame::data(left.split_to(1)))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        let size = match self {
            Self::Whole(bytes) => bytes.as_ref().map_or(0, Bytes::len),
            Self::Drip { left, .. } => left.len(),
        };
        hyper::body::SizeHint::with_exact(size as u64)
    }
}

/// An answer with a JSON body.
pub(crate) fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(Some(body.into())));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json; charset=UTF-8"));
    response
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Response<Answer> {
    let mut response = Response::new(Answer::Whole(None));
    *response.status_mut() = status;
    response
}

/// Binds `addr` (port 0 asks the system for one).
pub(crate) async fn bind(addr: SocketAddr) -> IoResult<TcpListener> {
    TcpListener::bind(addr).await
}

/// Serves until `stop` changes or its sender is gone; then every connection is dropped.
pub(crate) async fn serve<H, F>(listener: TcpListener, stop: watch::Receiver<bool>, handler: H)
where
    H: Fn(Request<Incoming>, Arc<Cut>) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Answer>> + Send + 'static,
{
    let mut stopping = stop.clone();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.changed() => return,
        };
        match accepted {
            Ok((stream, _)) => drop(tokio::spawn(connection(stream, stop.clone(), handler.clone()))),
            // Out of file descriptors or a peer that went away: the next accept may work, spinning would not help.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn connection<H, F>(stream: TcpStream, mut stop: watch::Receiver<bool>, handler: H)
where
    H: Fn(Request<Incoming>, Arc<Cut>) -> F + Send + 'static,
    F: Future<Output = Response<Answer>> + Send + 'static,
{
    if stream.set_nodelay(true).is_err() {
        return; // The peer is gone already.
    }
    let cut = Arc::new(Cut { left: AtomicU64::new(WHOLE), reset: AtomicBool::new(false) });
    let io = TokioIo::new(CutIo { stream, cut: cut.clone(), settle: None });
    let service = service_fn(move |request| {
        cut.disarm();
        let answered = handler(request, cut.clone());
        async move { Ok::<_, Infallible>(answered.await) }
    });
    let serving = hyper::server::conn::http1::Builder::new().serve_connection(io, service);
    tokio::select! {
        // A connection that broke was broken by its peer or on purpose: both are the point of this server.
        _ended = serving => {}
        _ = stop.changed() => {}
    }
}
