//! `[journal.kafka]`: the topic of a cluster.

use std::path::PathBuf;
use std::time::Duration;

use super::{ms, s};
use crate::config::check::{broker, each, topic, within};
use crate::config::choice::choice;
use crate::config::secret::SecretRef;
use crate::config::size::Size;
use crate::config::table::keys;

choice! {
    /// How a password is proven to Kafka.
    pub enum Mechanism {
        /// With SHA-256.
        Sha256 = "SCRAM-SHA-256",
        /// With SHA-512.
        Sha512 = "SCRAM-SHA-512",
    }
}

keys! {
    /// The journal of a cluster: one topic.
    pub struct Kafka {
        /// Some brokers, `host:port`; they name the others.
        brokers: Vec<String> => each(0..=32, broker);
        /// The topic.
        topic: String => topic;
        /// Copies of each partition.
        replicas: u16 => within(1..=9);
        /// Copies that must have an append before it is answered.
        min_insync: u16 => within(1..=9);
        /// Whether to speak TLS to the brokers.
        tls: bool;
        /// Authorities that may have signed the brokers' certificates; None: the system's.
        tls_ca: Option<PathBuf>;
        /// The user; empty: none.
        user: String;
        /// The user's password.
        password: Option<SecretRef>;
        /// How the password is proven.
        mechanism: Mechanism;
        /// How long a start waits for the brokers.
        connect_timeout: Duration => within(s(1)..=s(300));
        /// How long an append may be on its way before it is answered doubtful.
        delivery_timeout: Duration => within(s(1)..=s(120));
        /// Time for one question to a broker.
        request_timeout: Duration => within(s(1)..=s(60));
        /// How long a node may be silent before its partitions are handed to the others.
        group_session: Duration => within(s(6)..=s(300));
        /// How often a node says that it is there.
        group_heartbeat: Duration => within(ms(100)..=s(60));
        /// How long the client waits for more appends to send along.
        linger: Duration => within(ms(0)..=ms(100));
        /// Events that may be on their way.
        queue_events: u32 => within(256..=1_000_000);
        // At least 8 MiB: two of the largest appends.
        /// Bytes that may be on their way.
        queue_bytes: Size => within(Size::mib(8)..=Size::gib(4));
    }
}
