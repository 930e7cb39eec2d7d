//! Telemetry: what operators see. It names every metric; nobody else does.
//!
//! It must never know what a thing is about: no label holds a tenant, a session, a message, a host or a URL. Labels are
//! closed sets of words.
//!
//! To add a metric: a line in `names.rs` with its help, a function here, and the place that calls it.

mod log;
mod names;
mod recorder;

pub use log::init as init_log;
pub use recorder::{Exporter, install};

use std::time::Duration;

use metrics::{counter, gauge, histogram};

use crate::domain::address::AddressKind;

/// An actor died and is to live again.
pub fn restarted(kind: AddressKind) {
    let kind = match kind {
        AddressKind::Partition => "partition",
        AddressKind::Session => "session",
        AddressKind::Endpoint => "endpoint",
        AddressKind::Tenant => "tenant",
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

/// Attempts in flight.
pub fn in_flight(attempts: f64) {
    gauge!(names::IN_FLIGHT).set(attempts);
}

/// Messages waiting in memory: the change since the same session said it last.
pub fn queued(change: f64) {
    gauge!(names::QUEUED).increment(change);
}

/// A request was refused, by the problem's code.
pub fn refused(code: &'static str) {
    counter!(names::REFUSED, "code" => code).increment(1);
}

/// A batch of the journal is durable.
pub fn committed(records: u64, bytes: u64, sync: Duration) {
    counter!(names::JOURNAL_RECORDS).increment(records);
    counter!(names::JOURNAL_BYTES).increment(bytes);
    histogram!(names::JOURNAL_BATCH).record(records as f64);
    histogram!(names::JOURNAL_SYNC_SECONDS).record(sync.as_secs_f64());
}

/// Whether the house is well.
pub fn health(well: bool) {
    gauge!(names::HEALTHY).set(if well { 1.0 } else { 0.0 });
}
