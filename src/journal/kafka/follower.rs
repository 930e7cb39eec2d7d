//! The one that follows the partitions that tails read: one consumer on one thread, which puts what is new into the windows.
//! It waits for no tail: one that is too slow for the window reads pages instead.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};

use super::complaints::Ear;
use super::error::TopicError;
use super::message::{decode, rank};
use super::shared::{Phase, Shared};
use crate::runtime::Clock;

/// How long the thread waits for a message before it looks at who follows what.
const TURN: Duration = Duration::from_millis(20);

/// Messages between two such looks.
const MESSAGES: usize = 512;

/// How long a partition is read on that nobody follows any more: readers come and go.
const LINGER: Duration = Duration::from_secs(30);

/// The follower.
pub struct Follower {
    shared: Arc<Shared>,
    consumer: BaseConsumer<Ear>,
    clock: Arc<dyn Clock>,
    /// Partitions that are read, and when somebody followed them last.
    reads: BTreeMap<u16, Duration>,
}

impl Follower {
    /// Ready to run.
    pub fn new(shared: Arc<Shared>, consumer: BaseConsumer<Ear>, clock: Arc<dyn Clock>) -> Self {
        Self { shared, consumer, clock, reads: BTreeMap::new() }
    }

    /// Follows until the journal is closed and everything was shown, or until it is dropped.
    pub fn run(mut self) {
        while !self.shared.abandoned.load(Ordering::Acquire) {
            self.adjust();
            if self.shared.phase() >= Phase::Drained && self.all_shown() {
                break;
            }
            let mut turn = TURN;
            for _ in 0..MESSAGES {
                if !self.poll(turn) {
                    break;
                }
                turn = Duration::ZERO;
            }
        }
        self.shared.enter(Phase::Ended);
        // The consumer is dropped on this thread: with all brokers away that can take long, and nobody waits for it.
    }

    /// Whether everything that is known of stands in the windows of those who follow.
    fn all_shown(&self) -> bool {
        let shown = |partition: u16| {
            let end = rank(self.shared.copied(partition), self.shared.end(partition));
            self.shared.awaited(partition) >= end || self.shared.broken(partition).is_some()
        };
        self.shared.followed().into_iter().all(shown)
    }

    /// Reads what somebody follows, and stops reading what nobody has followed for a while.
    fn adjust(&mut self) {
        let now = self.clock.steady();
        let wanted = self.shared.followed();
        for partition in wanted {
            if self.shared.check(partition).is_err() || self.shared.broken(partition).is_some() {
                continue;
            }
            if self.reads.insert(partition, now).is_none() {
                self.begin(partition);
            }
        }
        let idle: Vec<u16> =
            self.reads.iter().filter(|(_, seen)| now.saturating_sub(**seen) > LINGER).map(|(it, _)| *it).collect();
        idle.into_iter().for_each(|partition| self.end(partition));
    }

    fn begin(&mut self, partition: u16) {
        let offset = Offset::Offset(i64::try_from(self.shared.awaited(partition)).unwrap_or(i64::MAX));
        let mut list = TopicPartitionList::new();
        let assigned = list
            .add_partition_offset(&self.shared.topic, i32::from(partition), offset)
            .and_then(|()| self.consumer.incremental_assign(&list));
        if let Err(error) = assigned {
            // Tried again on the next turn.
            tracing::warn!(partition, %error, "kafka: a partition cannot be followed");
            self.reads.remove(&partition);
        }
    }

    fn end(&mut self, partition: u16) {
        self.reads.remove(&partition);
        let mut list = TopicPartitionList::new();
        list.add_partition(&self.shared.topic, i32::from(partition));
        if let Err(error) = self.consumer.incremental_unassign(&list) {
            tracing::warn!(partition, %error, "kafka: a partition could not be let go");
        }
    }

    /// Takes one message, waiting for it so long. Says whether there was one.
    fn poll(&mut self, turn: Duration) -> bool {
        let (partition, offset, read) = match self.consumer.poll(turn) {
            Some(Ok(message)) => {
                let partition = u16::try_from(message.partition()).unwrap_or(u16::MAX);
                let offset = u64::try_from(message.offset()).unwrap_or_default();
                (partition, offset, decode(partition, offset, message.payload().unwrap_or_default()))
            }
            Some(Err(error)) => {
                self.hear(&error);
                return true;
            }
            None => return false,
        };
        let (awaited, topic) = (self.shared.awaited(partition), self.shared.topic.clone());
        let error = match read {
            _ if offset < awaited || !self.reads.contains_key(&partition) => return true,
            Ok(message) if offset == awaited => {
                self.shared.publish(partition, message);
                return true;
            }
            Ok(_) => TopicError::Lost { topic, partition, offset: awaited, found: offset.to_string() },
            Err(what) => TopicError::Message { topic, partition, offset, what },
        };
        self.shared.break_off(partition, &error);
        self.end(partition);
        true
    }

    fn hear(&self, error: &KafkaError) {
        self.consumer.context().0.error(error);
        match error.rdkafka_error_code() {
            // The library does not say which partition. Whatever it is, records that were durable are gone.
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                self.shared.fail("messages that this node had read or written are no longer in the topic");
            }
            _ => tracing::debug!(%error, "kafka: while following"),
        }
    }
}
