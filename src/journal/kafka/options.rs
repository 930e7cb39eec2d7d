//! Settings of the journal in Kafka, and what the client library is told because of them.

use std::path::PathBuf;
use std::time::Duration;

use rdkafka::ClientConfig;

use super::super::error::JournalError;
use super::super::genesis::Genesis;
use super::super::seam::Limits;
use crate::config::Secret;

/// Bytes of the largest message: an append of 4 MiB, and room for what Kafka puts around it.
pub const MESSAGE_BYTES: usize = 4 * 1024 * 1024 + 64 * 1024;

/// How often the client says how it is doing: a reading of some tens of kilobytes.
const STATISTICS: Duration = Duration::from_secs(5);

/// How the brokers are spoken to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Security {
    /// TLS; without it everything, the password too, goes in the clear.
    pub tls: Option<Tls>,
    /// Who asks.
    pub login: Option<Login>,
}

/// TLS to the brokers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tls {
    /// Authorities that may have signed the brokers' certificates (PEM). `None`: those the system trusts.
    pub ca: Option<PathBuf>,
}

/// A user of the brokers.
#[derive(Debug, Clone, PartialEq)]
pub struct Login {
    /// `SCRAM-SHA-256` or `SCRAM-SHA-512`.
    pub mechanism: String,
    /// Name.
    pub user: String,
    /// Password.
    pub password: Secret,
}

/// Settings.
#[derive(Debug, Clone, PartialEq)]
pub struct KafkaOptions {
    /// Whose journal it must be; `None` takes what is there (for tools that only read).
    pub expect: Option<Genesis>,
    /// `host:port` of some brokers, the others are learned from them.
    pub brokers: Vec<String>,
    /// The one topic of the installation.
    pub topic: String,
    /// How the brokers are spoken to.
    pub security: Security,
    /// Copies of each partition: the topic is made with as many, and refused with fewer.
    pub replicas: u16,
    /// Copies that must have an append before it is answered; fewer, and nothing is taken.
    pub min_insync: u16,
    /// How long opening waits for the brokers.
    pub connect: Duration,
    /// How long an append may be on its way before it is answered doubtful.
    pub delivery: Duration,
    /// How long one question to a broker may take, also a page that is read back.
    pub request: Duration,
    /// How long the client waits for more appends to send along.
    pub linger: Duration,
    /// Records that may be on their way; beyond them appends are refused as overloaded.
    pub queue_records: usize,
    /// Bytes that may be on their way.
    pub queue_bytes: usize,
    /// Bytes of recent entries kept for tails and reads, all partitions together; half as many more for old ones that single
    /// reads brought along.
    pub tail_memory: usize,
}

/// How a node takes part in the group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupOptions {
    /// A member that says nothing for so long is gone: its partitions are handed to the others. The brokers allow 6 s to
    /// 30 min unless they are told otherwise.
    pub session: Duration,
    /// How often a member says that it is there, and hears that others came or went: a partition changes hands no sooner.
    pub heartbeat: Duration,
}

impl Default for GroupOptions {
    fn default() -> Self {
        Self { session: Duration::from_secs(6), heartbeat: Duration::from_millis(500) }
    }
}

impl GroupOptions {
    /// Checks that the settings can work together.
    ///
    /// # Errors
    /// [`JournalError::Options`], in words.
    pub fn check(&self) -> Result<(), JournalError> {
        if self.heartbeat * 3 > self.session {
            let what = "a member of the group must be able to miss two heartbeats within its session's time";
            return Err(JournalError::Options(what.to_owned()));
        }
        Ok(())
    }
}

impl KafkaOptions {
    /// A plain connection to these brokers, and everything else as it is by default.
    #[must_use]
    pub fn plain(brokers: Vec<String>, topic: String) -> Self {
        Self {
            expect: None,
            brokers,
            topic,
            security: Security::default(),
            replicas: 3,
            min_insync: 2,
            connect: Duration::from_secs(30),
            delivery: Duration::from_secs(10),
            request: Duration::from_secs(10),
            linger: Duration::from_millis(1),
            queue_records: 65_536,
            queue_bytes: 64 * 1024 * 1024,
            tail_memory: 32 * 1024 * 1024,
        }
    }

    /// What one append may hold. 256 records are what positions have room for.
    pub(super) fn limits() -> Limits {
        Limits::DEFAULT
    }

    /// Checks that the settings can work together.
    ///
    /// # Errors
    /// [`JournalError::Options`], in words.
    pub fn check(&self) -> Result<(), JournalError> {
        let wrong = |what: &str| Err(JournalError::Options(what.to_owned()));
        let limits = Self::limits();
        if self.brokers.is_empty() || self.topic.is_empty() {
            return wrong("a journal in Kafka needs the addresses of brokers and a topic");
        }
        if self.queue_records < limits.records || self.queue_bytes < limits.bytes {
            return wrong("the queue must hold at least one append of 256 records and 4 MiB");
        }
        if self.min_insync == 0 || self.min_insync > self.replicas {
            return wrong("of `replicas` copies at least one and at most all can be asked for in `min_insync`");
        }
        if self.linger >= self.delivery {
            return wrong("an append must be given more time than it is made to wait for others");
        }
        Ok(())
    }

    /// The addresses, for messages.
    pub(super) fn addresses(&self) -> String {
        self.brokers.join(",")
    }

    /// What every client of the brokers is told.
    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", self.addresses())
            .set("client.id", "waybill")
            .set("socket.keepalive.enable", "true")
            .set("socket.timeout.ms", millis(self.request))
            // A broker that comes back is found within a second, not within the ten that are the default.
            .set("reconnect.backoff.ms", "50")
            .set("reconnect.backoff.max.ms", "1000")
            // A journal that was taken away must not come back empty, with the cluster's default retention.
            .set("allow.auto.create.topics", "false");
        let protocol = match (&self.security.tls, &self.security.login) {
            (None, None) => "plaintext",
            (Some(_), None) => "ssl",
            (None, Some(_)) => "sasl_plaintext",
            (Some(_), Some(_)) => "sasl_ssl",
        };
        config.set("security.protocol", protocol);
        if let Some(ca) = self.security.tls.as_ref().and_then(|tls| tls.ca.as_ref()) {
            config.set("ssl.ca.location", ca.display().to_string());
        }
        if let Some(login) = &self.security.login {
            config
                .set("sasl.mechanism", &login.mechanism)
                .set("sasl.username", &login.user)
                .set("sasl.password", login.password.expose());
        }
        config
    }

    /// The one that appends.
    pub(super) fn producer(&self) -> ClientConfig {
        let mut config = self.client();
        config
            // Implies acks=all, retries without end within the delivery time, and order kept with five on their way.
            .set("enable.idempotence", "true")
            .set("delivery.timeout.ms", millis(self.delivery))
            .set("request.timeout.ms", millis(self.request.min(self.delivery)))
            .set("statistics.interval.ms", millis(STATISTICS))
            .set("linger.ms", format!("{}", self.linger.as_secs_f64() * 1000.0))
            .set("message.max.bytes", (MESSAGE_BYTES + 4096).to_string())
            // Beyond our own bounds, so that this queue is never full: appends count records, this counts messages.
            .set("queue.buffering.max.messages", (self.queue_records + 1024).to_string())
            .set("queue.buffering.max.kbytes", (self.queue_bytes / 1024 * 2 + 16 * 1024).to_string());
        config
    }

    /// One that reads. It joins no group: the name is only what the client library asks for.
    pub(super) fn consumer(&self, wait: Duration, ahead: usize) -> ClientConfig {
        let mut config = self.client();
        config
            .set("group.id", "waybill-reads-without-a-group")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            // Nothing of ours is transactional; a stranger's open transaction must not hold readers back.
            .set("isolation.level", "read_uncommitted")
            .set("check.crcs", "true")
            .set("fetch.wait.max.ms", millis(wait))
            .set("fetch.error.backoff.ms", "100")
            .set("fetch.queue.backoff.ms", "20")
            .set("fetch.message.max.bytes", "1048576")
            .set("fetch.max.bytes", (ahead.max(MESSAGE_BYTES) + 1024 * 1024).to_string())
            .set("receive.message.max.bytes", (ahead.max(MESSAGE_BYTES) + 4 * 1024 * 1024).to_string())
            .set("queued.max.messages.kbytes", (ahead / 1024).to_string());
        config
    }

    /// One that takes part in the topic's group, and reads nothing.
    pub(super) fn member(&self, group: &GroupOptions) -> ClientConfig {
        let mut config = self.client();
        config
            .set("group.id", format!("{}-owners", self.topic))
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("allow.auto.create.topics", "false")
            // Everything is handed out anew each time. Who has it goes on meanwhile, so there is nothing to be gained by more.
            .set("partition.assignment.strategy", "range")
            .set("auto.offset.reset", "latest")
            .set("session.timeout.ms", millis(group.session))
            .set("heartbeat.interval.ms", millis(group.heartbeat));
        config
    }

    /// One that manages topics.
    pub(super) fn admin(&self) -> ClientConfig {
        self.client()
    }
}

fn millis(time: Duration) -> String {
    time.as_millis().max(1).to_string()
}
