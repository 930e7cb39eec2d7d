//! When and how callbacks are posted: a queue by due time, one dispatcher, bounded POSTs under way, retries until 200.
//!
//! Life of a status: [`Callbacks::accepted`] puts the statuses of a message into the queue; the dispatcher takes what is due, as many as fit
//! one POST; a POST that is not answered 200 goes back into the queue as it is, byte for byte, until its attempts are used up.

use super::config::CallbackConfig;
use super::fault::Twist;
use super::limits::lock;
use super::payload::{Accepted, Status, StatusEvent};
use super::queue::{Item, Post, Queue};
use crate::clock::{draw, now_us};
use crate::signature::sign_hub;
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Serialize;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;
use tokio::sync::{Notify, Semaphore};

/// What was posted.
#[derive(Debug, Clone, Default, Serialize, serde::Deserialize)]
pub struct CallbackStats {
    /// Statuses and inbound messages waiting or under way.
    pub pending: u64,
    /// Statuses and inbound messages answered with 200.
    pub posted: u64,
    /// Of these, `sent`.
    pub sent: u64,
    /// Of these, `delivered`.
    pub delivered: u64,
    /// Of these, `read`.
    pub read: u64,
    /// Of these, `failed`.
    pub failed: u64,
    /// POSTs made, retries included.
    pub posts: u64,
    /// POSTs that were not answered 200.
    pub refused: u64,
    /// Statuses given up after the last attempt.
    pub abandoned: u64,
    /// Statuses dropped because the queue was full.
    pub overflowed: u64,
    /// The longest time from a POST to its answer, in milliseconds.
    pub slowest_ms: u64,
}

#[derive(Default)]
struct Counters {
    pending: AtomicU64,
    posted: [AtomicU64; 5],
    posts: AtomicU64,
    refused: AtomicU64,
    abandoned: AtomicU64,
    overflowed: AtomicU64,
    slowest_us: AtomicU64,
}

/// Where callbacks go.
#[derive(Clone)]
struct Target {
    uri: Uri,
    app_secret: String,
}

/// The callbacks of one simulator.
pub(super) struct Callbacks {
    config: CallbackConfig,
    target: RwLock<Option<Target>>,
    queue: Mutex<Queue>,
    wake: Notify,
    permits: Arc<Semaphore>,
    client: Client<HttpConnector, Full<Bytes>>,
    count: Counters,
    seed: u64,
}

/// Stream of draws for delays, apart from those of the faults.
const DELAY: u64 = 500;

impl Callbacks {
    pub(super) fn new(config: CallbackConfig, seed: u64) -> Result<Self, String> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).pool_max_idle_per_host(config.concurrency).build(connector);
        let permits = Arc::new(Semaphore::new(config.concurrency.max(1)));
        let target = config.url.as_deref().map(|url| target(url, &config.app_secret)).transpose()?;
        Ok(Self {
            target: RwLock::new(target),
            config,
            queue: Mutex::default(),
            wake: Notify::new(),
            permits,
            client,
            count: Counters::default(),
            seed,
        })
    }

    /// Changes where callbacks go, from the next POST on; `None` posts nothing more.
    pub(super) fn set_target(&self, url: Option<&str>, app_secret: Option<&str>) -> Result<(), String> {
        let secret = app_secret.unwrap_or(&self.config.app_secret);
        let target = url.map(|url| target(url, secret)).transpose()?;
        *self.target.write().unwrap_or_else(std::sync::PoisonError::into_inner) = target;
        Ok(())
    }

    fn target(&self) -> Option<Target> {
        self.target.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    pub(super) fn has_target(&self) -> bool {
        self.target.read().unwrap_or_else(std::sync::PoisonError::into_inner).is_some()
    }

    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "delays of milliseconds"
    )]
    fn delay_us(&self, average_ms: u64, n: u64, step: u64) -> u64 {
        let swing = 1.0 + self.config.jitter * (2.0 * draw(self.seed, DELAY + step, n) - 1.0);
        (average_ms as f64 * 1000.0 * swing.max(0.0)) as u64
    }

    /// Puts the statuses of an accepted message into the queue; `failed` is the code of an asynchronous failure.
    ///
    /// With an early twist the first status is not queued but returned: the caller posts it before it answers.
    pub(super) fn accepted(
        &self,
        n: u64,
        message: Accepted,
        failed: Option<(u32, bool)>,
        twist: Twist,
    ) -> Option<StatusEvent> {
        let mut plan = self.plan(n, &message, failed);
        if twist.reordered {
            let mut at: Vec<u64> = plan.iter().map(|(at, _)| *at).collect();
            at.reverse();
            plan.iter_mut().zip(at).for_each(|(step, at)| step.0 = at);
        }
        let message = Arc::new(message);
        let now = now_us();
        let mut events = plan.into_iter().map(|(after, status)| {
            let at = now + after;
            (at + twist.late_ms * 1000, StatusEvent { message: message.clone(), status, at_s: at / 1_000_000 })
        });
        let early = if twist.early { events.next().map(|(_, event)| event) } else { None };
        for (at, event) in events {
            if twist.doubled {
                self.push(at, 1, Item::Status(event.clone()));
            }
            self.push(at, 1, Item::Status(event));
        }
        early
    }

    /// When each status of a message is due, in microseconds after its acceptance.
    fn plan(&self, n: u64, message: &Accepted, failed: Option<(u32, bool)>) -> Vec<(u64, Status)> {
        let c = &self.config;
        let mut at = self.delay_us(c.sent_ms, n, 0);
        let mut plan = Vec::with_capacity(3);
        if c.sent && failed.is_none_or(|(_, sent_first)| sent_first) {
            plan.push((at, Status::Sent));
        }
        if let Some((code, _)) = failed {
            plan.push((at + self.delay_us(c.delivered_ms, n, 1), Status::Failed(code)));
            return plan;
        }
        if c.delivered && !message.only_sent {
            at += self.delay_us(c.delivered_ms, n, 1);
            plan.push((at, Status::Delivered));
            if message.reads && draw(self.seed, DELAY + 9, n) < c.read_share {
                plan.push((at + self.delay_us(c.read_ms, n, 2), Status::Read));
            }
        }
        plan
    }

    fn push(&self, at_us: u64, weight: u64, item: Item) {
        let tick = self.config.batch_ms * 1000;
        let at_us = if tick == 0 { at_us } else { at_us.next_multiple_of(tick) };
        let mut queue = lock(&self.queue);
        if queue.len() >= self.config.queue_capacity {
            drop(queue);
            self.count.overflowed.fetch_add(weight, Relaxed);
            return;
        }
        self.count.pending.fetch_add(weight, Relaxed);
        let first = queue.push(at_us, item);
        drop(queue);
        if first {
            self.wake.notify_one();
        }
    }

    /// Queues one status at once.
    pub(super) fn status_now(&self, event: StatusEvent) {
        self.push(now_us(), 1, Item::Status(event));
    }

    /// Queues a body with one inbound message at once.
    pub(super) fn inbound_now(&self, body: Vec<u8>) {
        let post = Post { body: body.into(), counts: [0, 0, 0, 0, 1], attempt: 0 };
        self.push(now_us(), 1, Item::Post(Box::new(post)));
    }

    /// Posts one status and waits for its answer; if it is refused it is retried like any other.
    pub(super) async fn post_early(self: &Arc<Self>, event: StatusEvent) {
        let Some(target) = self.target() else { return };
        self.count.pending.fetch_add(1, Relaxed);
        self.deliver(&target, Post::of(&[event])).await;
    }

    /// Takes what is due, posts it, and so on until the runtime ends the task.
    pub(super) async fn dispatch(self: Arc<Self>) {
        loop {
            let permit = self.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
            let post = self.next_due().await;
            let callbacks = self.clone();
            drop(tokio::spawn(async move {
                match callbacks.target() {
                    Some(target) => callbacks.deliver(&target, post).await,
                    None => callbacks.give_up(&post),
                }
                drop(permit);
            }));
        }
    }

    async fn next_due(&self) -> Post {
        loop {
            let taken = lock(&self.queue).take_due(now_us(), self.config.max_batch);
            let wait_us = match taken {
                Ok(batch) => return batch.into_post(),
                Err(wait_us) => wait_us,
            };
            let sleep = Duration::from_micros(wait_us.unwrap_or(1_000_000));
            tokio::select! {
                () = tokio::time::sleep(sleep) => {}
                () = self.wake.notified() => {}
            }
        }
    }

    async fn deliver(&self, target: &Target, mut post: Post) {
        let started = now_us();
        self.count.posts.fetch_add(1, Relaxed);
        let answered = self.answered_200(target, post.body.clone()).await;
        self.count.slowest_us.fetch_max(now_us().saturating_sub(started), Relaxed);
        let weight = post.counts.iter().map(|c| u64::from(*c)).sum();
        if answered {
            self.count.pending.fetch_sub(weight, Relaxed);
            for (counter, more) in self.count.posted.iter().zip(post.counts) {
                counter.fetch_add(u64::from(more), Relaxed);
            }
            return;
        }
        self.count.refused.fetch_add(1, Relaxed);
        post.attempt += 1;
        if post.attempt >= self.config.attempts {
            self.give_up(&post);
            return;
        }
        let wait_ms = self
            .config
            .retry_ms
            .saturating_mul(1 << post.attempt.min(20).saturating_sub(1))
            .min(self.config.retry_max_ms);
        self.push(now_us() + wait_ms * 1000, weight, Item::Post(Box::new(post)));
        // Only now, so that what waits for "nothing pending" never sees a gap.
        self.count.pending.fetch_sub(weight, Relaxed);
    }

    fn give_up(&self, post: &Post) {
        let weight = post.counts.iter().map(|c| u64::from(*c)).sum();
        self.count.abandoned.fetch_add(weight, Relaxed);
        self.count.pending.fetch_sub(weight, Relaxed);
    }

    async fn answered_200(&self, target: &Target, body: Bytes) -> bool {
        let signature = sign_hub(&target.app_secret, &body);
        let request = Request::post(target.uri.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header("X-Hub-Signature-256", signature)
            .body(Full::new(body));
        let Ok(request) = request else { return false };
        let exchange = async {
            let response = self.client.request(request).await.ok()?;
            let status = response.status();
            // Read to the end, so that the connection can be used again.
            response.into_body().collect().await.ok()?;
            Some(status)
        };
        let answer = tokio::time::timeout(Duration::from_millis(self.config.timeout_ms), exchange).await;
        matches!(answer, Ok(Some(StatusCode::OK)))
    }

    pub(super) fn stats(&self) -> CallbackStats {
        let c = &self.count;
        let [sent, delivered, read, failed, inbound] = c.posted.each_ref().map(|counter| counter.load(Relaxed));
        CallbackStats {
            pending: c.pending.load(Relaxed),
            posted: sent + delivered + read + failed + inbound,
            sent,
            delivered,
            read,
            failed,
            posts: c.posts.load(Relaxed),
            refused: c.refused.load(Relaxed),
            abandoned: c.abandoned.load(Relaxed),
            overflowed: c.overflowed.load(Relaxed),
            slowest_ms: c.slowest_us.load(Relaxed) / 1000,
        }
    }
}

fn target(url: &str, app_secret: &str) -> Result<Target, String> {
    let uri: Uri = url.parse().map_err(|e| format!("callback url `{url}`: {e}"))?;
    if uri.scheme_str() != Some("http") || uri.authority().is_none() {
        return Err(format!("callback url `{url}`: the simulator posts to `http://host:port/path` only"));
    }
    Ok(Target { uri, app_secret: app_secret.to_owned() })
}

#[cfg(test)]
mod tests;
