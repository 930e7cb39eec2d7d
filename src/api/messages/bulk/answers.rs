//! The answer's body: lines as they come, joined to larger pieces where they come faster than they are read.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

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
}

/// Both ends.
pub fn answers() -> (mpsc::Sender<Vec<u8>>, Answers) {
    let (sender, lines) = mpsc::channel(QUEUE);
    let taken = Vec::with_capacity(QUEUE);
    (sender, Answers { lines, taken })
}

impl hyper::body::Body for Answers {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let Self { lines, taken } = self.get_mut();
        let count = std::task::ready!(lines.poll_recv_many(context, taken, QUEUE));
        if count == 0 {
            return Poll::Ready(None);
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
