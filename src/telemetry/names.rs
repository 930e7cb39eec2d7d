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
    /// Attempts that ended, by outcome and failure class: the provider's answer to the call, not what became of the message.
    ATTEMPTS = "waybill_attempts_total", describe_counter;
    /// Seconds a stage of the walk took: accept (request, or line of a bulk, to durable), commit (handed to the journal to durable), apply (durable to rows), queue (accepted to intent), call (first byte to answer).
    STAGE_SECONDS = "waybill_stage_seconds", describe_histogram;
    /// What became of messages, by outcome (accepted, sent, delivered, read, failed, unknown, expired, cancelled, duplicated, received) and class. A number that the provider has silenced shows here: sent without delivered, or failed.
    OUTCOMES = "waybill_outcomes_total", describe_counter;
    /// Messages that are not settled, by state: queued (also for a retry), sending, unknown (settled by a callback or by policy), held (unknown until a callback or a person settles it). All of the instance, read every 15 s.
    UNSETTLED = "waybill_unsettled_messages", describe_gauge;
    /// Seconds since the oldest message was accepted that is not settled; 0 when there is none. Held ones may stand aside.
    OLDEST = "waybill_oldest_unsettled_seconds", describe_gauge;
    /// Of the queued messages those in memory: at most `delivery.ring` a session. See waybill_unsettled_messages for all.
    QUEUED = "waybill_queued_messages", describe_gauge;
    /// Attempts in flight: each is an unknown outcome if the process dies now.
    IN_FLIGHT = "waybill_attempts_in_flight", describe_gauge;
    /// Requests refused, by problem code; lines of bulk requests and callbacks too.
    REFUSED = "waybill_requests_refused_total", describe_counter;
    /// Requests of the drop-in refused, by Meta's code.
    DROPIN_REFUSED = "waybill_dropin_refused_total", describe_counter;
    /// Callbacks of Meta, by outcome: taken, unauthorized (bad signature: is the app secret right?), refused (not now: Meta repeats it).
    CALLBACKS = "waybill_callbacks_total", describe_counter;
    /// Events that callbacks became, by kind: status, inbound, carried (kept as it came, moves nothing), other.
    CALLBACK_EVENTS = "waybill_callback_events_total", describe_counter;
    /// Events set aside because they cannot be applied. Above 0: see the log, and waybill status.
    SET_ASIDE = "waybill_quarantined_events", describe_gauge;
    /// People whom portfolios were asked for, by answer: admitted, or full (they wait for a place). A person is asked for at most once an hour while admitted. GET /v1/portfolios shows which portfolio is full.
    PEOPLE = "waybill_portfolio_people_total", describe_counter;
    /// Events in the journal that the rows do not show yet.
    BEHIND = "waybill_rows_behind_events", describe_gauge;
    /// Sessions by standing: open, held (by the provider, for a time), suspended (by a person).
    SESSIONS = "waybill_sessions", describe_gauge;
    /// Sessions that the provider holds, by why: auth (the token), sender (the number or its account), throttle, unreached (nobody answers), other; and those that it slows down: paced. See GET /v1/sessions for which.
    SESSIONS_HELD = "waybill_sessions_held", describe_gauge;
    /// Customers' endpoints by standing: well, failing (the last tries failed), disabled.
    ENDPOINTS = "waybill_endpoints", describe_gauge;
    /// Seconds since the oldest notification was due that an endpoint was not posted yet; disabled endpoints aside.
    ENDPOINT_LAG = "waybill_endpoint_lag_seconds", describe_gauge;
    /// Notifications that failed and are tried again.
    FAILING = "waybill_notifications_failing", describe_gauge;
    /// Entries of the audit's log that are signed for. See waybill_audit_unsealed_seconds for what is not.
    AUDIT_ENTRIES = "waybill_audit_log_entries", describe_gauge;
    /// Seconds from an event until a checkpoint covers it, of the oldest event that each checkpoint covers: about two in good times.
    AUDIT_SECONDS = "waybill_audit_seal_seconds", describe_histogram;
    /// Seconds since the oldest event that no signed checkpoint covers, read every 15 s; 0 when there is none. Above 60: see waybill status and the log; nothing else waits for it.
    AUDIT_UNSEALED = "waybill_audit_unsealed_seconds", describe_gauge;
    /// 1 when no checkpoint is signed any more, because journal or key are not those that were signed for; waybill status and the log say what to do.
    AUDIT_REFUSED = "waybill_audit_refused", describe_gauge;
    /// Erasures of people's data that were asked for and are not done, by why: open (a moment, or the vault or the store is away; see the log), held (a legal hold stands against it), overdue (the deadline has passed, held or not). `waybill contact requests` lists them.
    ERASURES = "waybill_erasures", describe_gauge;
    /// Bytes free where the data folder is. Below `health.disk_free_min` nothing is taken.
    DISK_FREE = "waybill_disk_free_bytes", describe_gauge;
    /// Records made durable.
    JOURNAL_RECORDS = "waybill_journal_records_total", describe_counter;
    /// Bytes made durable.
    JOURNAL_BYTES = "waybill_journal_bytes_total", describe_counter;
    /// Records of one commit.
    JOURNAL_BATCH = "waybill_journal_batch_records", describe_histogram;
    /// Seconds one sync took, without waiting for it: see stage commit. Above 50 ms the disk is the bottleneck. With the journal in Kafka: from sending an append to its acknowledgement by all replicas in sync.
    JOURNAL_SYNC_SECONDS = "waybill_journal_sync_seconds", describe_histogram;
    /// Appends that Kafka did not answer in time: nobody knows whether they stand. A steady rate means brokers or network; see the log.
    JOURNAL_DOUBTFUL = "waybill_journal_doubtful_total", describe_counter;
    /// Kafka brokers known.
    KAFKA_BROKERS = "waybill_kafka_brokers", describe_gauge;
    /// Kafka brokers that this node is connected to.
    KAFKA_BROKERS_UP = "waybill_kafka_brokers_up", describe_gauge;
    /// Appends handed to the Kafka client and not acknowledged yet.
    KAFKA_QUEUE_APPENDS = "waybill_kafka_queue_appends", describe_gauge;
    /// Their bytes. At `journal.kafka.queue_bytes` appends are refused.
    KAFKA_QUEUE_BYTES = "waybill_kafka_queue_bytes", describe_gauge;
    /// Requests that brokers have not answered yet.
    KAFKA_WAITING = "waybill_kafka_requests_waiting", describe_gauge;
    /// Seconds a request takes until it is answered, p99 of the slowest broker.
    KAFKA_ANSWER_SECONDS = "waybill_kafka_answer_p99_seconds", describe_gauge;
    /// Seconds a request waits in the client before it is sent, p99 of the slowest broker.
    KAFKA_WAIT_SECONDS = "waybill_kafka_wait_p99_seconds", describe_gauge;
    /// Seconds brokers held requests back because of a quota, p99 of the slowest broker.
    KAFKA_THROTTLE_SECONDS = "waybill_kafka_throttle_p99_seconds", describe_gauge;
    /// Requests to brokers that failed on the way out or back.
    KAFKA_ERRORS = "waybill_kafka_errors_total", describe_counter;
    /// Requests to brokers that were sent again.
    KAFKA_RETRIES = "waybill_kafka_retries_total", describe_counter;
    /// Requests to brokers that were not answered in time.
    KAFKA_TIMEOUTS = "waybill_kafka_timeouts_total", describe_counter;
    /// Seconds a step took of the store in a CQL cluster: redo, rows and mark of a commit; read.
    CQL_SECONDS = "waybill_cql_seconds", describe_histogram;
    /// CQL nodes known.
    CQL_NODES = "waybill_cql_nodes", describe_gauge;
    /// CQL nodes that this node is connected to.
    CQL_NODES_UP = "waybill_cql_nodes_up", describe_gauge;
    /// Connections to CQL nodes.
    CQL_CONNECTIONS = "waybill_cql_connections", describe_gauge;
    /// Requests to CQL nodes that failed, also those that were good later.
    CQL_ERRORS = "waybill_cql_errors_total", describe_counter;
    /// Requests that the driver tried on another CQL node at once.
    CQL_RETRIES = "waybill_cql_retries_total", describe_counter;
    /// Requests to CQL nodes that were not answered within `store.cql.request_timeout`.
    CQL_TIMEOUTS = "waybill_cql_timeouts_total", describe_counter;
    /// Requests to CQL nodes that were made again after a pause. A steady rate means that rows wait: see waybill status.
    CQL_AGAIN = "waybill_cql_again_total", describe_counter;
    /// Partitions that this node owns. Over all nodes they add up to all of them; for a moment to fewer while one changes hands.
    PARTITIONS_OWNED = "waybill_partitions_owned", describe_gauge;
    /// 1 while intake and egress are allowed, else 0; /readyz names the part, waybill status says why.
    HEALTHY = "waybill_healthy", describe_gauge;
}
