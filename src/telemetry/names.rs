//! The names of all metrics, with their help texts: the reference an operator reads.

macro_rules! names {
    ($($(#[doc = $help:literal])+ $name:ident = $text:literal, $kind:ident;)*) => {
        $($(#[doc = $help])+ pub const $name: &str = $text;)*

        /// Describes every metric to the recorder.
        pub fn describe() {
            $(metrics::$kind!($text, concat!($($help),+));)*
        }
    };
}

names! {
    /// Actors that died and were started again, by kind. A steady rate means a poisoned event or a bug; see the log.
    RESTARTS = "waybill_actor_restarts_total", describe_counter;
    /// Notifications posted to customers' endpoints, by outcome.
    NOTIFICATIONS = "waybill_notifications_total", describe_counter;
    /// Attempts that ended, by outcome and failure class.
    ATTEMPTS = "waybill_attempts_total", describe_counter;
    /// Seconds a stage of the walk took: accept (request to durable), apply (durable to rows), queue (accepted to intent), call (first byte to answer).
    STAGE_SECONDS = "waybill_stage_seconds", describe_histogram;
    /// Messages waiting in memory for their turn.
    QUEUED = "waybill_queued_messages", describe_gauge;
    /// Attempts in flight: each is an unknown outcome if the process dies now.
    IN_FLIGHT = "waybill_attempts_in_flight", describe_gauge;
    /// Requests refused, by problem code.
    REFUSED = "waybill_requests_refused_total", describe_counter;
    /// Records made durable.
    JOURNAL_RECORDS = "waybill_journal_records_total", describe_counter;
    /// Bytes made durable.
    JOURNAL_BYTES = "waybill_journal_bytes_total", describe_counter;
    /// Records of one commit.
    JOURNAL_BATCH = "waybill_journal_batch_records", describe_histogram;
    /// Seconds one sync took. Above 50 ms the disk is the bottleneck.
    JOURNAL_SYNC_SECONDS = "waybill_journal_sync_seconds", describe_histogram;
    /// 1 while intake and egress are allowed, else 0; /readyz says why.
    HEALTHY = "waybill_healthy", describe_gauge;
}
