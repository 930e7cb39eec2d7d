//! The plainest consumer group: which partitions this node might look after, as the brokers hand them out. A hint and
//! nothing more: nothing is read through it, no offset is stored, and what is handed out posts itself and is done.
//!
//! In between two assignments all members have nothing for a moment, as this protocol has it. That is not posted: whoever
//! has a partition goes on until somebody else has it, and who that is another place decides.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;

use super::super::error::JournalError;
use super::complaints::Ear;
use super::error::TopicError;
use super::journal::begin;
use super::options::{GroupOptions, KafkaOptions};

/// How long the thread waits for something to happen before it looks whether it is to leave.
const TURN: Duration = Duration::from_millis(50);

/// Where an assignment goes.
type Post = Box<dyn Fn(BTreeSet<u16>) + Send + Sync>;

/// A member of the group of a topic. Dropped, it leaves: the others are told at once, and nothing is posted any more.
pub struct KafkaGroup {
    leaves: Arc<AtomicBool>,
}

impl KafkaGroup {
    /// Joins; each assignment is posted from a thread of the client's, so `post` must not wait.
    ///
    /// # Errors
    /// When the client cannot be made. That the brokers are away is no error: it joins when they are there.
    pub fn join(
        options: &KafkaOptions,
        group: &GroupOptions,
        post: impl Fn(BTreeSet<u16>) + Send + Sync + 'static,
    ) -> Result<Self, JournalError> {
        group.check()?;
        let member = Member { ear: Ear::default(), post: Box::new(post) };
        let consumer = BaseConsumer::from_config_and_context(&options.member(group), member)
            .map_err(|error| TopicError::Client(error.to_string()))?;
        consumer.subscribe(&[&options.topic]).map_err(|error| TopicError::Client(error.to_string()))?;
        let leaves = Arc::<AtomicBool>::default();
        let seen = Arc::clone(&leaves);
        begin("kafka-group", move || run(&consumer, &seen))?;
        Ok(Self { leaves })
    }
}

impl Drop for KafkaGroup {
    fn drop(&mut self) {
        self.leaves.store(true, Ordering::Release);
    }
}

/// Takes part until it is to leave: the client says goodbye when it is taken down. Nobody waits for the thread, because
/// that takes as long as the brokers are away.
fn run(consumer: &BaseConsumer<Member>, leaves: &AtomicBool) {
    while !leaves.load(Ordering::Acquire) {
        // Everything is paused; what was on its way before that is nobody's.
        if let Some(Err(error)) = consumer.poll(TURN) {
            tracing::debug!(%error, "kafka: in the group");
        }
    }
}

/// Hears what the group says.
struct Member {
    ear: Ear,
    post: Post,
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.ear.log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.ear.error(error, reason);
    }
}

impl ConsumerContext for Member {
    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        match rebalance {
            Rebalance::Assign(list) => {
                if let Err(error) = consumer.pause(list) {
                    tracing::warn!(%error, "kafka: partitions of the group cannot be paused");
                }
                let partitions = list.elements().iter().filter_map(|it| u16::try_from(it.partition()).ok()).collect();
                tracing::info!(?partitions, "kafka: asked to own");
                (self.post)(partitions);
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => tracing::warn!(%error, "kafka: the group hands out nothing"),
        }
    }
}
