//! The callers: each has one connection and sends one message after the other.

use super::acks::Acks;
use super::config::RunConfig;
use super::message::{Composer, Outgoing};
use super::run::RunError;
use super::schedule::Schedule;
use crate::client::{Address, ClientError, Connection};
use crate::clock::now_us;
use crate::ledger::Ack;
use bytes::Bytes;
use hdrhistogram::Histogram;
use http::{Request, Response, StatusCode, header};
use http_body_util::Full;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// What the callers saw.
pub(crate) struct Load {
    pub acks: Vec<Ack>,
    /// When each of them was due, microseconds since the epoch: at its tick (open loop), or when a caller was free for it (closed loop).
    pub due_us: Vec<u64>,
    /// Answers and failures by name: `202` is what is hoped for; a 429 or 503 that does not say when to come again says so.
    pub answers: BTreeMap<String, u64>,
    /// Microseconds from the moment a message was due to its acknowledgement.
    pub latency: Histogram<u64>,
}

/// Behind the status of a refusal for now that does not say when to come again.
const WITHOUT_RETRY_AFTER: &str = "without retry-after";

/// The longest latency told apart: 10 minutes, at three digits.
const LATENCY_MAX_US: u64 = 600_000_000;

pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(LATENCY_MAX_US, 3).expect("the bounds are constants that fit")
}

/// Sends everything and returns when the last answer is there.
pub(super) async fn drive(config: &Arc<RunConfig>, target: Address) -> Result<Load, RunError> {
    let acks = Arc::new(Acks::open(config.acks.as_deref())?);
    let composer = Arc::new(Composer::new(config));
    let schedule = Schedule::new(config.pace);
    let pacing = schedule.clone();
    let pacer = std::thread::spawn(move || pacing.pace());
    let seen = Arc::new(Mutex::new(Seen::default()));
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..config.pace.callers() {
        let timeout = Duration::from_millis(config.timeout_ms);
        let connection = Connection::new(target.clone(), timeout);
        let (config, composer) = (config.clone(), composer.clone());
        let (acks, seen) = (acks.clone(), seen.clone());
        let caller = Caller { config, composer, acks, seen, connection };
        callers.spawn(caller.work(schedule.clone()));
    }
    while let Some(done) = callers.join_next().await {
        done.map_err(|died| RunError::Caller(died.to_string()))?;
    }
    // It has released everything, or the callers would not have ended.
    drop(pacer.join());
    let Seen { answers, latency } = std::mem::take(&mut *lock(&seen));
    let (acks, due_us) = acks.close()?;
    Ok(Load { acks, due_us, answers, latency })
}

/// What all callers see together: one histogram, as a thousand of them would be 180 MB.
struct Seen {
    answers: BTreeMap<String, u64>,
    latency: Histogram<u64>,
}

impl Default for Seen {
    fn default() -> Self {
        Self { answers: BTreeMap::new(), latency: histogram() }
    }
}

fn lock(seen: &Mutex<Seen>) -> std::sync::MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Caller {
    config: Arc<RunConfig>,
    composer: Arc<Composer>,
    acks: Arc<Acks>,
    seen: Arc<Mutex<Seen>>,
    connection: Connection,
}

/// The answer of a target that accepted.
#[derive(Deserialize)]
struct Accepted {
    id: String,
}

enum Answer {
    /// The id, and the status it came with.
    Accepted(String, StatusCode),
    /// A name for the counts, and whether trying again may help.
    Other(String, bool),
}

impl Caller {
    async fn work(mut self, schedule: Arc<Schedule>) {
        while let Some((n, due)) = schedule.next().await {
            let message = self.composer.compose(&self.config, n);
            let started_us = now_us();
            match self.until_answered(&message).await {
                Answer::Accepted(id, status) => {
                    self.accepted(message, id, started_us, due);
                    self.count(status.as_str());
                }
                Answer::Other(name, _) => self.count(&name),
            }
        }
    }

    fn accepted(&self, message: Outgoing, id: String, started_us: u64, due: Instant) {
        let late_us = u64::try_from(due.elapsed().as_micros()).unwrap_or(u64::MAX);
        let Outgoing { marker, from, to, .. } = message;
        let acked_us = now_us();
        let due_us = acked_us.saturating_sub(late_us);
        self.acks.push(Ack { marker, id, from, to, started_us, acked_us }, due_us);
        lock(&self.seen).latency.saturating_record(late_us);
    }

    fn count(&self, name: &str) {
        let answers = &mut lock(&self.seen).answers;
        match answers.get_mut(name) {
            Some(count) => *count += 1,
            None => drop(answers.insert(name.to_owned(), 1)),
        }
    }

    /// Sends, and sends again as long as that is allowed and may help.
    async fn until_answered(&mut self, message: &Outgoing) -> Answer {
        let patience = Instant::now() + Duration::from_secs(self.config.retry_s);
        loop {
            let answer = self.send(message).await;
            if !matches!(answer, Answer::Other(_, true)) || Instant::now() >= patience {
                return answer;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn send(&mut self, message: &Outgoing) -> Answer {
        let mut request = Request::post(self.connection.path(&self.config.path))
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::AUTHORIZATION, format!("Bearer {}", self.config.api_key));
        if self.config.idempotency {
            request = request.header("idempotency-key", &message.marker);
        }
        let sent = match request.body(Full::new(Bytes::copy_from_slice(&message.body))) {
            Ok(request) => self.connection.answer(request).await,
            Err(wrong) => Err(wrong.into()),
        };
        match sent {
            Ok(answer) => classify(&answer),
            Err(failed) => Answer::Other(failure(&failed).to_owned(), true),
        }
    }
}

fn classify(answer: &Response<Bytes>) -> Answer {
    let status = answer.status();
    if status.is_success() {
        return match serde_json::from_slice::<Accepted>(answer.body()) {
            Ok(accepted) => Answer::Accepted(accepted.id, status),
            Err(_) => Answer::Other(format!("{} without id", status.as_u16()), false),
        };
    }
    let again = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    let for_now = matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE);
    let name = match for_now && !answer.headers().contains_key(header::RETRY_AFTER) {
        true => format!("{} {WITHOUT_RETRY_AFTER}", status.as_u16()),
        false => status.as_u16().to_string(),
    };
    Answer::Other(name, again)
}

fn failure(failed: &ClientError) -> &'static str {
    match failed {
        ClientError::Connect(_) => "no connection",
        ClientError::Late(_) => "no answer in time",
        _ => "connection broke",
    }
}
