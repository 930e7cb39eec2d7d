//! Telemetry: what operators see. It names every metric; nobody else does.
//!
//! It must never know what a thing is about: no label holds a tenant, a session, a message, a host or a URL. Labels are
//! closed sets of words.
//!
//! To add a metric: a line in `names.rs` with its help, a function here, and the place that calls it; its labels' words in
//! `words.rs`, so that every counter is there before its first event.

mod log;
mod names;
mod recorder;
mod words;

pub use log::init as init_log;
#[cfg(test)]
pub use recorder::Watched;
pub use recorder::{Exporter, install};
pub use words::{HELD, held, touch_codes};

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::domain::address::AddressKind;
use crate::domain::notification::NotificationKind;
use crate::domain::row::Waiting;

/// An actor died and is to live again.
pub fn restarted(kind: AddressKind) {
    let kind = match kind {
        AddressKind::Partition => "partition",
        AddressKind::Session => "session",
        AddressKind::Endpoint => "endpoint",
        AddressKind::Tenant => "tenant",
        AddressKind::Audit => "audit",
        _ => "other",
    };
    counter!(names::RESTARTS, "actor" => kind).increment(1);
}

/// A pass of notifications is over.
pub fn notified(delivered: u64, failed: u64) {
    counter!(names::NOTIFICATIONS, "outcome" => "delivered").increment(delivered);
    counter!(names::NOTIFICATIONS, "outcome" => "failed").increment(failed);
}

/// An attempt ended.
pub fn attempted(outcome: &'static str, class: &'static str) {
    counter!(names::ATTEMPTS, "outcome" => outcome, "class" => class).increment(1);
}

/// How long a stage of the walk took.
pub fn stage(stage: &'static str, took: Duration) {
    histogram!(names::STAGE_SECONDS, "stage" => stage).record(took.as_secs_f64());
}

/// Partitions that this node owns.
pub fn owned(partitions: f64) {
    gauge!(names::PARTITIONS_OWNED).set(partitions);
}

/// Attempts under way.
pub fn in_flight(attempts: f64) {
    gauge!(names::IN_FLIGHT).set(attempts);
}

/// Messages waiting in memory: the change since the same session said it last.
pub fn queued(change: f64) {
    gauge!(names::QUEUED).increment(change);
}

/// Something became of a message. The class may be of a newer version's making, so only known words are labels.
pub fn became(kind: NotificationKind, class: &str) {
    let class = if kind == NotificationKind::Received { "" } else { words::class(class) };
    counter!(names::OUTCOMES, "outcome" => words::outcome(kind), "class" => class).increment(1);
}

/// What the rows of all partitions add up to.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Survey {
    /// Messages that are not settled.
    pub waiting: Waiting,
    /// Age of the oldest of them.
    pub oldest: Duration,
    /// Events that rows are behind.
    pub behind: u64,
    /// Events set aside.
    pub set_aside: u64,
    /// Sessions that are open, held, suspended.
    pub sessions: [u64; 3],
    /// Sessions that the provider holds or slows down, by why: the words of [`HELD`].
    pub held: [u64; HELD.len()],
    /// Endpoints that are well, failing, disabled.
    pub endpoints: [u64; 3],
    /// Age of the oldest notification that is not posted.
    pub lag: Duration,
    /// Notifications to be tried again.
    pub failing: u64,
    /// Erasures that are open, held, overdue.
    pub erasures: [u64; 3],
}

/// A survey is over.
pub fn surveyed(found: &Survey) {
    let Waiting { queued, sending, unknown, held } = found.waiting;
    for (state, count) in [("queued", queued), ("sending", sending), ("unknown", unknown), ("held", held)] {
        gauge!(names::UNSETTLED, "state" => state).set(count as f64);
    }
    for (standing, count) in ["open", "held", "suspended"].into_iter().zip(found.sessions) {
        gauge!(names::SESSIONS, "standing" => standing).set(count as f64);
    }
    for (class, count) in HELD.into_iter().zip(found.held) {
        gauge!(names::SESSIONS_HELD, "class" => class).set(count as f64);
    }
    for (standing, count) in ["well", "failing", "disabled"].into_iter().zip(found.endpoints) {
        gauge!(names::ENDPOINTS, "standing" => standing).set(count as f64);
    }
    gauge!(names::OLDEST).set(found.oldest.as_secs_f64());
    gauge!(names::BEHIND).set(found.behind as f64);
    gauge!(names::SET_ASIDE).set(found.set_aside as f64);
    gauge!(names::ENDPOINT_LAG).set(found.lag.as_secs_f64());
    gauge!(names::FAILING).set(found.failing as f64);
    for (standing, count) in ["open", "held", "overdue"].into_iter().zip(found.erasures) {
        gauge!(names::ERASURES, "standing" => standing).set(count as f64);
    }
}

/// A checkpoint was signed: over so many entries, so long after the oldest event that is new in it.
pub fn checkpoint(entries: u64, lag: Option<Duration>) {
    gauge!(names::AUDIT_ENTRIES).set(entries as f64);
    if let Some(lag) = lag {
        histogram!(names::AUDIT_SECONDS).record(lag.as_secs_f64());
    }
}

/// Whether checkpoints are signed no more.
pub fn audit_refused(refused: bool) {
    gauge!(names::AUDIT_REFUSED).set(if refused { 1.0 } else { 0.0 });
}

/// How long the oldest event has waited for a checkpoint that covers it.
pub fn unsealed(age: Duration) {
    gauge!(names::AUDIT_UNSEALED).set(age.as_secs_f64());
}

/// What the disk has left.
pub fn disk_free(bytes: u64) {
    gauge!(names::DISK_FREE).set(bytes as f64);
}

/// The drop-in refused, with one of Meta's codes.
pub fn dropin_refused(code: i32) {
    counter!(names::DROPIN_REFUSED, "code" => words::meta_code(code)).increment(1);
}

/// Meta was answered: the status of the answer to a callback.
pub fn callback_answered(status: u16) {
    let outcome = match status {
        200..=299 => "taken",
        401 | 403 => "unauthorized",
        _ => "refused",
    };
    counter!(names::CALLBACKS, "outcome" => outcome).increment(1);
}

/// Events of callbacks are durable, by the names of their kinds.
pub fn callback_written(kinds: impl Iterator<Item = u16>) {
    for kind in kinds {
        counter!(names::CALLBACK_EVENTS, "kind" => words::callback(kind)).increment(1);
    }
}

/// A request was refused, by the problem's code.
pub fn refused(code: &'static str) {
    counter!(names::REFUSED, "code" => code).increment(1);
}

/// A portfolio was asked for a person.
pub fn people(admitted: bool) {
    counter!(names::PEOPLE, "answer" => if admitted { "admitted" } else { "full" }).increment(1);
}

/// A batch of the journal is durable.
pub fn committed(records: u64, bytes: u64, sync: Duration) {
    counter!(names::JOURNAL_RECORDS).increment(records);
    counter!(names::JOURNAL_BYTES).increment(bytes);
    histogram!(names::JOURNAL_BATCH).record(records as f64);
    histogram!(names::JOURNAL_SYNC_SECONDS).record(sync.as_secs_f64());
}

/// Nobody knows whether an append stands.
pub fn doubtful() {
    counter!(names::JOURNAL_DOUBTFUL).increment(1);
}

/// What the client of the Kafka brokers says of itself. Counts are since it was started.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Brokers {
    /// Brokers known, and those connected to.
    pub brokers: (u64, u64),
    /// Appends and bytes not acknowledged yet.
    pub queue: (u64, u64),
    /// Requests not answered yet.
    pub waiting: u64,
    /// p99 of the slowest broker: answering, waiting to be sent, held back by a quota.
    pub seconds: [f64; 3],
    /// Requests that failed, were repeated, were not answered in time.
    pub trouble: [u64; 3],
}

/// Shows what the client of the Kafka brokers says of itself.
pub fn brokers(said: &Brokers) {
    let [answer, wait, throttle] = said.seconds;
    let gauges = [
        (names::KAFKA_BROKERS, said.brokers.0 as f64),
        (names::KAFKA_BROKERS_UP, said.brokers.1 as f64),
        (names::KAFKA_QUEUE_APPENDS, said.queue.0 as f64),
        (names::KAFKA_QUEUE_BYTES, said.queue.1 as f64),
        (names::KAFKA_WAITING, said.waiting as f64),
        (names::KAFKA_ANSWER_SECONDS, answer),
        (names::KAFKA_WAIT_SECONDS, wait),
        (names::KAFKA_THROTTLE_SECONDS, throttle),
    ];
    for (name, value) in gauges {
        gauge!(name).set(value);
    }
    let [errors, retries, timeouts] = said.trouble;
    counter!(names::KAFKA_ERRORS).absolute(errors);
    counter!(names::KAFKA_RETRIES).absolute(retries);
    counter!(names::KAFKA_TIMEOUTS).absolute(timeouts);
}

/// A step of the store in a cluster: redo, rows, mark (of a commit), read.
pub fn cql(step: &'static str, took: Duration) {
    histogram!(names::CQL_SECONDS, "step" => step).record(took.as_secs_f64());
}

/// A request to the CQL nodes is made again.
pub fn cql_again() {
    counter!(names::CQL_AGAIN).increment(1);
}

/// What the driver of the CQL nodes says of itself. Counts are since it was started.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Nodes {
    /// Nodes known, and those connected to.
    pub nodes: (u64, u64),
    /// Connections.
    pub connections: u64,
    /// Requests that failed, were tried on another node, were not answered in time.
    pub trouble: [u64; 3],
}

/// Shows what the driver of the CQL nodes says of itself.
pub fn nodes(said: &Nodes) {
    gauge!(names::CQL_NODES).set(said.nodes.0 as f64);
    gauge!(names::CQL_NODES_UP).set(said.nodes.1 as f64);
    gauge!(names::CQL_CONNECTIONS).set(said.connections as f64);
    let [errors, retries, timeouts] = said.trouble;
    counter!(names::CQL_ERRORS).absolute(errors);
    counter!(names::CQL_RETRIES).absolute(retries);
    counter!(names::CQL_TIMEOUTS).absolute(timeouts);
}

/// Whether the house is well.
pub fn health(well: bool) {
    gauge!(names::HEALTHY).set(if well { 1.0 } else { 0.0 });
}
