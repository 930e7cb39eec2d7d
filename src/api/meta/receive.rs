//! Reads a body within two limits: its own size, and the memory that all bodies together may take.
//!
//! Memory is taken as it arrives, not as it is announced: whoever announces much and sends nothing holds nothing. Who signed
//! is known only once the whole body is there, so half of the memory is for small bodies alone, as Meta's usually are: a few
//! large ones of a stranger's do not keep Meta out.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::super::codes::Code;
use super::super::problem::Problem;

/// What one body may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Bytes.
    pub(super) max: usize,
    /// Time to arrive.
    pub(super) within: Duration,
}

/// A body up to this many KiB is small.
const SMALL_KIB: usize = 64;

/// The memory for all bodies, KiB.
#[derive(Debug)]
pub(super) struct Budget {
    any: Arc<Semaphore>,
    small: Arc<Semaphore>,
}

/// What one body holds of it.
#[derive(Debug)]
struct Held {
    permit: OwnedSemaphorePermit,
    small: bool,
}

impl Budget {
    /// So many KiB, half of them for small bodies alone.
    pub(super) fn halved(kib: usize) -> Self {
        Self::of(kib - kib / 2, kib / 2)
    }

    fn of(any: usize, small: usize) -> Self {
        Self { any: Arc::new(Semaphore::new(any)), small: Arc::new(Semaphore::new(small)) }
    }

    /// So many KiB for one body, in place of what it held.
    fn hold(&self, held: Option<Held>, kib: usize) -> Result<Held, Problem> {
        let in_any = held.as_ref().is_some_and(|held| !held.small);
        let has = held.as_ref().map_or(0, |held| held.permit.num_permits());
        if !in_any
            && kib <= SMALL_KIB
            && let Ok(permit) = more(&self.small, kib - has)
        {
            return Ok(Held { permit: joined(held, permit), small: true });
        }
        if in_any {
            let permit = more(&self.any, kib - has)?;
            return Ok(Held { permit: joined(held, permit), small: false });
        }
        // What it held of the small half goes back now that it has room here.
        Ok(Held { permit: more(&self.any, kib)?, small: false })
    }
}

fn joined(held: Option<Held>, mut permit: OwnedSemaphorePermit) -> OwnedSemaphorePermit {
    if let Some(held) = held {
        permit.merge(held.permit);
    }
    permit
}

/// A body, and its share of the memory until it is dropped.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Bytes,
    _share: Held,
}

/// Reads the whole body.
pub(super) async fn body(
    headers: &HeaderMap,
    body: Body,
    limits: Limits,
    budget: &Budget,
) -> Result<Received, Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|len| len > limits.max) {
        return Err(too_large(limits.max));
    }
    tokio::time::timeout(limits.within, all(body, limits.max, budget))
        .await
        .unwrap_or_else(|_| Err(Problem::new(Code::RequestTimeout, "the body did not arrive")))
}

async fn all(mut body: Body, max: usize, budget: &Budget) -> Result<Received, Problem> {
    let mut bytes = BytesMut::new();
    let mut share = budget.hold(None, 1)?;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| cut_short())?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let len = bytes.len() + data.len();
        if len > max {
            return Err(too_large(max));
        }
        let kib = len.div_ceil(1024);
        if kib > share.permit.num_permits() {
            share = budget.hold(Some(share), kib)?;
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Received { bytes: bytes.freeze(), _share: share })
}

/// Quickly, never in a queue: Meta waits for an answer and comes again.
fn more(half: &Arc<Semaphore>, kib: usize) -> Result<OwnedSemaphorePermit, Problem> {
    let kib = u32::try_from(kib).unwrap_or(u32::MAX);
    Arc::clone(half)
        .try_acquire_many_owned(kib)
        .map_err(|_| Problem::new(Code::Overloaded, "too many callbacks are being worked on").retry_after(1))
}

fn too_large(max: usize) -> Problem {
    Problem::new(Code::TooLarge, format!("the body is larger than {max} bytes"))
        .remedy("raise server.callback_max_body if this is a callback of Meta's")
}

fn cut_short() -> Problem {
    Problem::new(Code::RequestTimeout, "the body ended before its end")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a body that comes in pieces of 1,000 bytes. Says how many KiB of each half it held.
    async fn read(len: usize, max: usize, (any, small): (usize, usize)) -> Result<(usize, usize), Code> {
        let budget = Budget::of(any, small);
        let limits = Limits { max, within: Duration::from_secs(5) };
        let (pen, pieces) = crate::api::tests::feed::fed();
        let write = async move {
            for at in (0..len).step_by(1_000) {
                let piece = vec![7; 1_000.min(len - at)];
                if pen.send(piece.into()).await.is_err() {
                    break;
                }
            }
        };
        let headers = HeaderMap::new();
        let (read, ()) = tokio::join!(body(&headers, pieces, limits, &budget), write);
        let answer = read.map(|read| {
            assert_eq!(read.bytes.len(), len);
            (any - budget.any.available_permits(), small - budget.small.available_permits())
        });
        let free = (budget.any.available_permits(), budget.small.available_permits());
        assert_eq!(free, (any, small), "given back");
        answer.map_err(|problem| problem.code)
    }

    #[tokio::test]
    async fn a_body_holds_what_it_weighs_and_gives_it_back() {
        assert_eq!(read(0, 10, (0, 4)).await, Ok((0, 1)));
        assert_eq!(read(4096, 4096, (0, 4)).await, Ok((0, 4)));
        assert_eq!(read(4097, 4096, (0, 8)).await, Err(Code::TooLarge));
        assert_eq!(read(4097, 8192, (4, 4)).await, Err(Code::Overloaded));
        assert_eq!(read(4097, 8192, (5, 4)).await, Ok((5, 0)), "a small one may take from either half");
    }

    #[tokio::test]
    async fn a_large_body_takes_nothing_of_the_half_for_small_ones() {
        let (large, max) = (64 * 1024 + 1, 1024 * 1024);
        assert_eq!(read(large, max, (64, 1024)).await, Err(Code::Overloaded));
        assert_eq!(read(large, max, (65, 1024)).await, Ok((65, 0)));
        assert_eq!(read(large - 1, max, (0, 1024)).await, Ok((0, 64)));
        let budget = Budget::halved(64 * 1024);
        let large: Vec<_> = std::iter::from_fn(|| budget.hold(None, 4096).ok()).collect();
        assert_eq!(large.len(), 8);
        assert!(budget.hold(None, 64).is_ok(), "Meta's usual callback still comes in");
    }

    #[tokio::test]
    async fn what_is_announced_too_large_is_not_read() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, 4097.into());
        let limits = Limits { max: 4096, within: Duration::from_secs(5) };
        let budget = Budget::of(0, 0);
        let refused = body(&headers, Body::empty(), limits, &budget).await;
        assert_eq!(refused.map(|_| ()).map_err(|p| p.code), Err(Code::TooLarge));
    }
}
