//! The plainest consumer group: which partitions this node might look after, as the brokers hand them out. A hint and
//! nothing more: nothing is read through it, no offset is stored, and what is handed out posts itself and is done.
//!
//! In between two assignments all members have nothing for a moment, as this protocol has it. That is not posted: whoever
//! has a partition goes on until somebody else has it, and who that is another place decides.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use super::super::error::JournalError;
use super::complaints::Ear;
use super::error::TopicError;
use super::journal::begin;
use super::options::{GroupOptions, KafkaOptions};

/// How long the thread waits for something to happen before it looks whether it is to leave.
const TURN: Duration = Duration::from_millis(50);

/// A node that is in no group for so long is not well: the first member of a group waits for others for 3 s by the brokers'
/// default, and a new one until all others have come anew, at most a session's time.
const JOINING: Duration = Duration::from_secs(30);

/// Where an assignment goes.
type Post = Box<dyn Fn(BTreeSet<u16>) + Send + Sync>;

/// A member of the group of a topic. Dropped, it leaves: the others are told at once, and nothing is posted any more.
pub struct KafkaGroup {
    leaves: Arc<AtomicBool>,
    standing: Arc<GroupStanding>,
}

/// How a member stands with the brokers.
#[derive(Debug, Default)]
pub struct GroupStanding {
    is_in: AtomicBool,
    /// Why the brokers do not let it in.
    refused: Mutex<Option<String>>,
}

impl GroupStanding {
    /// It was told what to own, if anything.
    fn assigned(&self) {
        self.is_in.store(true, Ordering::Release);
        *self.refused.lock() = None;
    }

    /// An error. What passes by itself, brokers that are away, is none of the group's.
    fn heard(&self, error: &KafkaError) {
        let Some(code) = error.rdkafka_error_code() else { return };
        if !LASTING.contains(&code) {
            return;
        }
        // Who is in has its partitions until somebody else claims them, and may not hear that it is let in again.
        if self.is_in.load(Ordering::Acquire) {
            tracing::warn!(%code, "kafka: the group of owners refuses this node, which was in it");
        } else {
            *self.refused.lock() = Some(code.to_string());
        }
    }

    /// Why nobody says what this node is to own, if that is so; it has been a member for so long.
    #[must_use]
    pub fn trouble(&self, member_for: Duration) -> Option<String> {
        if let Some(why) = self.refused.lock().clone() {
            return Some(format!(
                "the brokers do not let this node into the group of owners: {why}. Check `journal.kafka.group_session` against \
                 the brokers' limits, and that the user may read the group `<topic>-owners`"
            ));
        }
        (member_for >= JOINING && !self.is_in.load(Ordering::Acquire)).then(|| {
            let seconds = JOINING.as_secs();
            format!("no broker has said for {seconds} s what this node is to own. Check that the brokers run; it goes on asking")
        })
    }
}

/// Errors that asking again does not mend.
const LASTING: [RDKafkaErrorCode; 7] = [
    RDKafkaErrorCode::GroupAuthorizationFailed,
    RDKafkaErrorCode::TopicAuthorizationFailed,
    RDKafkaErrorCode::InvalidSessionTimeout,
    RDKafkaErrorCode::InconsistentGroupProtocol,
    RDKafkaErrorCode::InvalidGroupId,
    RDKafkaErrorCode::GroupMaxSizeReached,
    RDKafkaErrorCode::UnsupportedVersion,
];

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
        let standing = Arc::<GroupStanding>::default();
        let member = Member { ear: Ear::default(), post: Box::new(post), standing: Arc::clone(&standing) };
        let consumer = BaseConsumer::from_config_and_context(&options.member(group), member)
            .map_err(|error| TopicError::Client(error.to_string()))?;
        consumer.subscribe(&[&options.topic]).map_err(|error| TopicError::Client(error.to_string()))?;
        let leaves = Arc::<AtomicBool>::default();
        let seen = Arc::clone(&leaves);
        begin("kafka-group", move || run(&consumer, &seen))?;
        Ok(Self { leaves, standing })
    }

    /// How it stands with the brokers.
    #[must_use]
    pub fn standing(&self) -> Arc<GroupStanding> {
        Arc::clone(&self.standing)
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
            consumer.context().standing.heard(&error);
        }
    }
}

/// Hears what the group says.
struct Member {
    ear: Ear,
    post: Post,
    standing: Arc<GroupStanding>,
}

impl ClientContext for Member {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, text: &str) {
        self.ear.log(level, facility, text);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.standing.heard(&error);
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
                self.standing.assigned();
                (self.post)(partitions);
            }
            Rebalance::Revoke(_) => {}
            Rebalance::Error(error) => tracing::warn!(%error, "kafka: the group hands out nothing"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_let_in_says_so_and_who_is_in_does_not() {
        let standing = GroupStanding::default();
        assert_eq!(standing.trouble(JOINING / 2), None, "it is early");
        standing.heard(&KafkaError::MessageConsumption(RDKafkaErrorCode::AllBrokersDown));
        assert_eq!(standing.trouble(Duration::ZERO), None, "the journal says that");
        assert!(standing.trouble(JOINING).is_some_and(|said| said.contains("30 s")));
        standing.heard(&KafkaError::MessageConsumption(RDKafkaErrorCode::GroupAuthorizationFailed));
        assert!(standing.trouble(Duration::ZERO).is_some_and(|said| said.contains("uthoriz")));
        standing.assigned();
        standing.heard(&KafkaError::MessageConsumption(RDKafkaErrorCode::TopicAuthorizationFailed));
        assert_eq!(standing.trouble(JOINING), None, "it is in");
    }
}
