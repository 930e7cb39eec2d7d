//! The gate before the first byte: a request body that decides, in the moment of writing, whether the request leaves.
//!
//! An HTTP client connects, waits for a pooled connection and may find it closed; from outside nobody sees when the first
//! byte goes. hyper (HTTP/1) encodes the head into its buffer, then asks the body for its first piece, and only then
//! writes: so what the body answers there decides about the head too. The gate is asked exactly then, and
//!
//! - checks the deadline, after connecting and not before, and whether the message may still leave;
//! - remembers that it opened: from then on the outcome can be unknown, before then nothing has left, whatever the error;
//! - can be barred by whoever gives up waiting, so that a request is never written after it was called *not sent*. Opening
//!   and barring are one atomic step each, and exclude each other.
//!
//! HTTP/1 only: HTTP/2 writes the head before it asks the body.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};

use super::super::seam::Leave;
use crate::runtime::Clock;

const SHUT: u8 = 0;
const OPEN: u8 = 1;
const BARRED: u8 = 2;
const LATE: u8 = 3;
const STOPPED: u8 = 4;

/// What the gate did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Passage {
    /// Bytes may have left.
    Opened,
    /// The deadline had passed: nothing left.
    Late,
    /// Somebody had stopped it meanwhile: nothing left.
    Stopped,
    /// It was never asked, and will say no from now on: nothing left.
    Barred,
}

/// The outer side of the gate. Dropped, it bars: a request that nobody waits for any more does not leave.
pub(super) struct Latch(Arc<AtomicU8>);

impl Latch {
    /// Ends it: says whether bytes may have left, and makes sure that none leave if not.
    pub(super) fn bar(&self) -> Passage {
        match self.0.compare_exchange(SHUT, BARRED, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) | Err(BARRED) => Passage::Barred,
            Err(LATE) => Passage::Late,
            Err(STOPPED) => Passage::Stopped,
            Err(_) => Passage::Opened,
        }
    }
}

impl Drop for Latch {
    fn drop(&mut self) {
        self.bar();
    }
}

/// A request body behind the gate: one piece of known length.
pub(super) struct Gate {
    body: Option<Bytes>,
    length: u64,
    deadline: Duration,
    clock: Arc<dyn Clock>,
    leave: Option<Leave>,
    state: Arc<AtomicU8>,
}

/// The gate said no.
#[derive(Debug, thiserror::Error)]
#[error("the request may not leave any more")]
pub(super) struct Stopped;

impl Gate {
    /// A gate before `body`, and its latch.
    pub(super) fn before(body: Bytes, deadline: Duration, clock: Arc<dyn Clock>) -> (Self, Latch) {
        let state = Arc::new(AtomicU8::new(SHUT));
        let latch = Latch(state.clone());
        (Self { length: body.len() as u64, body: Some(body), deadline, clock, leave: None, state }, latch)
    }

    /// It opens only if this says so.
    pub(super) fn only_if(self, leave: Leave) -> Self {
        Self { leave: Some(leave), ..self }
    }

    fn open(&self) -> Result<(), Stopped> {
        let stopped = || self.leave.as_ref().is_some_and(|leave| leave().is_err());
        let to = match self.clock.steady() > self.deadline {
            true => LATE,
            false if stopped() => STOPPED,
            false => OPEN,
        };
        match self.state.compare_exchange(SHUT, to, Ordering::SeqCst, Ordering::SeqCst) {
            Ok(_) if to == OPEN => Ok(()),
            _ => Err(Stopped),
        }
    }
}

impl Body for Gate {
    type Data = Bytes;
    type Error = Stopped;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Stopped>>> {
        let Some(body) = self.body.take() else { return Poll::Ready(None) };
        Poll::Ready(Some(self.open().map(|()| Frame::data(body))))
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_none()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(if self.body.is_some() { self.length } else { 0 })
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;
    use crate::runtime::ManualClock;

    fn gate(deadline: u64) -> (Gate, Latch, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::default());
        let (gate, latch) = Gate::before(Bytes::from_static(b"body"), Duration::from_secs(deadline), clock.clone());
        (gate, latch, clock)
    }

    #[tokio::test]
    async fn in_time_it_opens_once() {
        let (gate, latch, clock) = gate(5);
        clock.advance(Duration::from_secs(5));
        assert_eq!(gate.size_hint().exact(), Some(4));
        assert_eq!(gate.collect().await.expect("open").to_bytes(), "body");
        assert_eq!(latch.bar(), Passage::Opened);
    }

    #[tokio::test]
    async fn after_the_deadline_it_stays_shut() {
        let (gate, latch, clock) = gate(5);
        clock.advance(Duration::from_micros(5_000_001));
        assert!(gate.collect().await.is_err());
        assert_eq!(latch.bar(), Passage::Late);
    }

    #[tokio::test]
    async fn what_is_stopped_meanwhile_stays_behind_it() {
        for (said, passage) in [(Ok(()), Passage::Opened), (Err("stopped"), Passage::Stopped)] {
            let (gate, latch, _clock) = gate(5);
            let opens = gate.only_if(Arc::new(move || said)).collect().await.is_ok();
            assert_eq!((opens, latch.bar()), (said.is_ok(), passage));
        }
    }

    #[tokio::test]
    async fn barred_or_dropped_it_does_not_open() {
        let (first, latch, _clock) = gate(5);
        assert_eq!(latch.bar(), Passage::Barred);
        assert!(first.collect().await.is_err());
        assert_eq!(latch.bar(), Passage::Barred);
        let (second, latch, _clock) = gate(5);
        drop(latch);
        assert!(second.collect().await.is_err());
    }
}
