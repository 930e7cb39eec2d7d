//! The answer's body: lines as they come, joined to larger pieces where they come faster than they are read.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use hyper::body::Frame;
use tokio::sync::mpsc;

/// Lines on their way. An answer line is below 1 KiB but for long lists of mistakes: 256 of them are 256 KiB.
const QUEUE: usize = 256;

/// The answers of one bulk request.
pub struct Answers {
    lines: mpsc::Receiver<Vec<u8>>,
    taken: Vec<Vec<u8>>,
    broken: Arc<AtomicBool>,
}

/// Where answers are written.
pub struct Pen {
    lines: mpsc::Sender<Vec<u8>>,
    broken: Arc<AtomicBool>,
    patience: Duration,
}

/// Both ends. A caller that reads nothing for as long as `patience` is given up.
pub fn answers(patience: Duration) -> (Pen, Answers) {
    let (sender, lines) = mpsc::channel(QUEUE);
    let broken = Arc::new(AtomicBool::new(false));
    let pen = Pen { lines: sender, broken: Arc::clone(&broken), patience };
    (pen, Answers { lines, taken: Vec::with_capacity(QUEUE), broken })
}

impl Pen {
    /// Writes a line. False when nobody reads: then the body breaks off after what was written, for an orderly end would
    /// say that every line is answered.
    pub async fn write(&self, line: Vec<u8>) -> bool {
        if let Ok(sent) = tokio::time::timeout(self.patience, self.lines.send(line)).await {
            return sent.is_ok();
        }
        tracing::info!("a bulk request was given up: its caller reads no answers");
        self.broken.store(true, Ordering::Release);
        false
    }

    /// Until the caller has gone.
    pub async fn closed(&self) {
        self.lines.closed().await;
    }
}

impl hyper::body::Body for Answers {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let Self { lines, taken, broken } = self.get_mut();
        let count = std::task::ready!(lines.poll_recv_many(context, taken, QUEUE));
        if count == 0 {
            let broken = broken.swap(false, Ordering::AcqRel);
            return Poll::Ready(broken.then(|| Err(io::ErrorKind::TimedOut.into())));
        }
        let piece = Bytes::from(taken.concat());
        taken.clear();
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }
}

impl IntoResponse for Answers {
    fn into_response(self) -> Response {
        Response::new(Body::new(self))
    }
}
