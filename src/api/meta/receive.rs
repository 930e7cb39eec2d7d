//! Reads a body within two limits: its own size, and the memory that all bodies together may take.
//!
//! Memory is taken as it arrives, not as it is announced: whoever announces much and sends nothing holds nothing.

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

/// A body, and its share of the memory until it is dropped.
#[derive(Debug)]
pub(super) struct Received {
    pub(super) bytes: Bytes,
    _share: OwnedSemaphorePermit,
}

/// Reads the whole body. `budget` is in KiB.
pub(super) async fn body(
    headers: &HeaderMap,
    body: Body,
    limits: Limits,
    budget: &Arc<Semaphore>,
) -> Result<Received, Problem> {
    let announced = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|len| len > limits.max) {
        return Err(too_large(limits.max));
    }
    tokio::time::timeout(limits.within, all(body, limits.max, budget))
        .await
        .unwrap_or_else(|_| Err(Problem::new(Code::RequestTimeout, "the body did not arrive")))
}

async fn all(mut body: Body, max: usize, budget: &Arc<Semaphore>) -> Result<Received, Problem> {
    let mut bytes = BytesMut::new();
    let mut share = more(budget, 1)?;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| cut_short())?;
        let Ok(data) = frame.into_data() else {
            continue;
        };
        let len = bytes.len() + data.len();
        if len > max {
            return Err(too_large(max));
        }
        let missing = len.div_ceil(1024).saturating_sub(share.num_permits());
        if missing > 0 {
            share.merge(more(budget, missing)?);
        }
        bytes.extend_from_slice(&data);
    }
    Ok(Received { bytes: bytes.freeze(), _share: share })
}

/// Quickly, never in a queue: Meta waits for an answer and comes again.
fn more(budget: &Arc<Semaphore>, kib: usize) -> Result<OwnedSemaphorePermit, Problem> {
    let kib = u32::try_from(kib).unwrap_or(u32::MAX);
    Arc::clone(budget)
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

    async fn read(len: usize, max: usize, budget_kib: usize) -> Result<usize, Code> {
        let budget = Arc::new(Semaphore::new(budget_kib));
        let limits = Limits { max, within: Duration::from_secs(5) };
        let read = body(&HeaderMap::new(), Body::from(vec![7; len]), limits, &budget).await;
        let answer = read.map(|read| {
            let held = budget_kib - budget.available_permits();
            assert_eq!(held, len.div_ceil(1024).max(1), "KiB held for {len} bytes");
            read.bytes.len()
        });
        assert_eq!(budget.available_permits(), budget_kib, "given back");
        answer.map_err(|problem| problem.code)
    }

    #[tokio::test]
    async fn a_body_holds_what_it_weighs_and_gives_it_back() {
        assert_eq!(read(0, 10, 4).await, Ok(0));
        assert_eq!(read(4096, 4096, 4).await, Ok(4096));
        assert_eq!(read(4097, 4096, 8).await, Err(Code::TooLarge));
        assert_eq!(read(4097, 8192, 4).await, Err(Code::Overloaded));
    }

    #[tokio::test]
    async fn what_is_announced_too_large_is_not_read() {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_LENGTH, 4097.into());
        let limits = Limits { max: 4096, within: Duration::from_secs(5) };
        let budget = Arc::new(Semaphore::new(0));
        let refused = body(&headers, Body::empty(), limits, &budget).await;
        assert_eq!(refused.map(|_| ()).map_err(|p| p.code), Err(Code::TooLarge));
    }
}
