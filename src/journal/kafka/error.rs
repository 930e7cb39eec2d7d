//! What keeps a topic from being this installation's journal: each case with where, why, and what to do.

/// Why a journal in Kafka cannot be opened or made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TopicError {
    /// No broker answered in time.
    #[error("no Kafka broker of {brokers} answered: {why}. Check the addresses, the network, and that the brokers run")]
    Unreachable {
        /// The addresses that were tried.
        brokers: String,
        /// What the client saw last.
        why: String,
    },
    /// The brokers refuse user or password.
    #[error("the Kafka brokers {brokers} refuse user {user:?}: {why}. Check user, password and mechanism")]
    Credentials {
        /// The addresses.
        brokers: String,
        /// Who asked.
        user: String,
        /// What the broker said.
        why: String,
    },
    /// The brokers' certificate is not trusted, or they speak no TLS.
    #[error(
        "the TLS connection to the Kafka brokers {brokers} failed: {why}. Check that the CA file holds the authority that \
         signed their certificate, and that the address is one the certificate names"
    )]
    Untrusted {
        /// The addresses.
        brokers: String,
        /// What the client saw.
        why: String,
    },
    /// There is no such topic.
    #[error("the Kafka cluster {brokers} has no topic {topic:?}; `waybill cluster init` makes it")]
    NoTopic {
        /// The addresses.
        brokers: String,
        /// The topic.
        topic: String,
    },
    /// The user may not do this.
    #[error("Kafka does not let this user {doing} topic {topic:?}; grant it that right")]
    NotAllowed {
        /// What was tried.
        doing: &'static str,
        /// The topic.
        topic: String,
    },
    /// The brokers refuse to make it so.
    #[error("Kafka refuses to make topic {topic:?}: {why}")]
    Refused {
        /// The topic.
        topic: String,
        /// What the brokers said, and what to do.
        why: String,
    },
    /// Fewer copies than are asked for.
    #[error(
        "partition {partition} of topic {topic:?} has {found} replicas, {wanted} are asked for: losing machines would lose \
         acknowledged messages. Raise the topic's replication factor, or lower journal.kafka.replicas"
    )]
    TooFewReplicas {
        /// The topic.
        topic: String,
        /// The first such partition.
        partition: i32,
        /// Its replicas.
        found: usize,
        /// How many there should be.
        wanted: usize,
    },
    /// Kafka would delete records.
    #[error(
        "topic {topic:?} has {setting}={found}: Kafka would delete events, and the journal is the only copy of them. Set \
         {setting}=-1 on the topic"
    )]
    RetentionTooShort {
        /// The topic.
        topic: String,
        /// Which of its settings.
        setting: &'static str,
        /// Its value.
        found: String,
    },
    /// Another setting of the topic that loses, refuses or reorders records.
    #[error("topic {topic:?} has {setting}={found}: {why}. Set {setting}={wanted} on the topic")]
    Setting {
        /// The topic.
        topic: String,
        /// Which of its settings.
        setting: &'static str,
        /// Its value.
        found: String,
        /// What it should be.
        wanted: String,
        /// What breaks otherwise.
        why: &'static str,
    },
    /// Not the number of partitions that its genesis names.
    #[error(
        "topic {topic:?} has {found} partitions, but was founded with {wanted}. The number is for ever: partitions that \
         were added cannot be taken away, so move what stands in it to a topic of the right number"
    )]
    Partitions {
        /// The topic.
        topic: String,
        /// How many it has.
        found: usize,
        /// What its genesis says.
        wanted: u16,
    },
    /// Partitions without their genesis.
    #[error(
        "partition {partition} of topic {topic:?} has no genesis: `waybill cluster init` was cut short; run it again"
    )]
    Unfounded {
        /// The topic.
        topic: String,
        /// The first such partition.
        partition: u16,
    },
    /// A message that is none of ours, or damaged.
    #[error(
        "{topic}/{partition}, offset {offset}: {what}. Nothing was changed. Nobody but this installation may write to this \
         topic; if nobody did, restore it from a copy of the cluster"
    )]
    Message {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u16,
        /// Where.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// Messages that stood there are gone.
    #[error(
        "{topic}/{partition}: the message at offset {offset} was asked for and {found} came; messages were deleted, or a \
         broker that had fallen behind became leader. Restore the topic from a copy"
    )]
    Lost {
        /// The topic.
        topic: String,
        /// The partition.
        partition: u16,
        /// What was asked for.
        offset: u64,
        /// What came.
        found: String,
    },
    /// The brokers did not answer a question in time.
    #[error("Kafka did not {doing} in time: {why}. Check that all brokers run; then try again")]
    Late {
        /// What was asked of it.
        doing: String,
        /// What the client saw last.
        why: String,
    },
    /// The client library refuses its settings.
    #[error("the Kafka client refuses its settings: {0}")]
    Client(String),
}
