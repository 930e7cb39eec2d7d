//! A body that is written while it is read, and a look at a request that is not answered yet.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use hyper::body::Frame;
use tokio::sync::mpsc;

/// The body, and the pen. It ends when the pen is dropped.
pub(in crate::api) fn fed() -> (mpsc::Sender<Bytes>, Body) {
    let (pen, pieces) = mpsc::channel(1);
    (pen, Body::new(Feed(pieces)))
}

struct Feed(mpsc::Receiver<Bytes>);

impl hyper::body::Body for Feed {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.0.poll_recv(context).map(|piece| piece.map(|piece| Ok(Frame::data(piece))))
    }
}

/// Lets a request run until `seen` holds; it must not be answered by then.
pub(in crate::api) async fn under_way<F: Future + Unpin>(request: &mut F, seen: impl Fn() -> bool) {
    let look = async {
        while !seen() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::select! {
        biased;
        _ = request => panic!("it is answered already"),
        looked = tokio::time::timeout(Duration::from_secs(10), look) => looked.expect("seen in time"),
    }
}
