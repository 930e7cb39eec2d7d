//! Asking the brokers: whether they are there, what the topic is like, what stands at a place of it. Everything here blocks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::Message as _;
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{Offset, TopicPartitionList};

use super::complaints::{Complaints, Ear};
use super::error::TopicError;
use super::message::{Message, decode};
use super::options::KafkaOptions;
use crate::runtime::Clock;

/// How long one attempt to reach a broker takes before complaints are looked at.
const ATTEMPT: Duration = Duration::from_millis(500);

/// Bytes that a reader of pages has the brokers send ahead.
const AHEAD: usize = 8 * 1024 * 1024;

/// How long a broker holds back an answer when it has nothing: readers of pages ask for what is there, so not long.
const WAIT: Duration = Duration::from_millis(10);

/// Replicas of each partition, in order.
pub type Replicas = Vec<usize>;

/// A connection that asks.
pub struct Probe {
    /// Reads, and asks what the library lets only readers ask.
    pub consumer: BaseConsumer<Ear>,
    /// What the clients complain of.
    pub complaints: Arc<Complaints>,
    options: KafkaOptions,
    clock: Arc<dyn Clock>,
}

impl Probe {
    /// Connects.
    ///
    /// # Errors
    /// [`TopicError::Unreachable`], [`TopicError::Credentials`], [`TopicError::Untrusted`], [`TopicError::Client`].
    pub fn connect(options: &KafkaOptions, clock: Arc<dyn Clock>) -> Result<Self, TopicError> {
        let complaints = Arc::<Complaints>::default();
        let config = options.consumer(WAIT, AHEAD);
        let consumer = BaseConsumer::from_config_and_context(&config, Ear(Arc::clone(&complaints)))
            .map_err(|error| TopicError::Client(error.to_string()))?;
        let probe = Self { consumer, complaints, options: options.clone(), clock };
        probe.replicas()?;
        Ok(probe)
    }

    /// Whether the topic is there, and with how many replicas each partition.
    ///
    /// # Errors
    /// As for [`Probe::connect`]; [`TopicError::NotAllowed`].
    pub fn replicas(&self) -> Result<Option<Replicas>, TopicError> {
        let deadline = self.clock.steady() + self.options.connect;
        loop {
            match self.consumer.fetch_metadata(Some(&self.options.topic), ATTEMPT) {
                Ok(metadata) => {
                    let Some(topic) = metadata.topics().first() else { return Ok(None) };
                    return match topic.error() {
                        None if topic.partitions().is_empty() => Ok(None),
                        None => Ok(Some(topic.partitions().iter().map(|it| it.replicas().len()).collect())),
                        Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) => {
                            Err(TopicError::NotAllowed { doing: "see", topic: self.options.topic.clone() })
                        }
                        Some(RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) => Ok(None),
                        // A topic that is being made, or whose brokers are away, is somebody's all the same.
                        Some(code) if self.clock.steady() >= deadline => {
                            let doing = format!("say whether topic {:?} is there", self.options.topic);
                            Err(TopicError::Late { doing, why: RDKafkaErrorCode::from(code).to_string() })
                        }
                        Some(_) => {
                            self.listen();
                            continue;
                        }
                    };
                }
                Err(error) => self.complaints.error(&error),
            }
            self.listen();
            if let Some(error) = self.complaints.decisive(&self.options) {
                return Err(error);
            }
            if self.clock.steady() >= deadline {
                let (brokers, why) = (self.options.addresses(), self.complaints.last());
                return Err(TopicError::Unreachable { brokers, why });
            }
        }
    }

    /// Hears what the client has to say, for a moment.
    pub fn listen(&self) {
        if let Some(Err(error)) = self.consumer.poll(Duration::from_millis(100)) {
            self.complaints.error(&error);
        }
    }

    /// Offset of the first message of a partition, and the one that the next will have.
    ///
    /// # Errors
    /// [`TopicError::Late`], [`TopicError::NotAllowed`].
    pub fn range(&self, partition: u16) -> Result<(u64, u64), TopicError> {
        let topic = &self.options.topic;
        let deadline = self.clock.steady() + self.options.connect;
        loop {
            let error = match self.consumer.fetch_watermarks(topic, i32::from(partition), self.options.request) {
                Ok((low, high)) => {
                    return Ok((u64::try_from(low).unwrap_or_default(), u64::try_from(high).unwrap_or_default()));
                }
                Err(error) => error,
            };
            if error.rdkafka_error_code() == Some(RDKafkaErrorCode::TopicAuthorizationFailed) {
                return Err(TopicError::NotAllowed { doing: "read", topic: topic.clone() });
            }
            // A partition without a leader: the topic was just made, or a broker has just gone.
            if self.clock.steady() >= deadline {
                let doing = format!("say how far {topic}/{partition} goes");
                return Err(TopicError::Late { doing, why: error.to_string() });
            }
            self.listen();
        }
    }

    /// Reads one message of each of these partitions: partition, offset.
    ///
    /// # Errors
    /// [`TopicError::Late`], [`TopicError::Message`], [`TopicError::Lost`], [`TopicError::Client`].
    pub fn read(&self, wanted: &BTreeMap<u16, u64>) -> Result<BTreeMap<u16, Message>, TopicError> {
        let topic = self.options.topic.clone();
        let mut list = TopicPartitionList::new();
        for (partition, offset) in wanted {
            let offset = Offset::Offset(i64::try_from(*offset).unwrap_or(i64::MAX));
            list.add_partition_offset(&topic, i32::from(*partition), offset)
                .map_err(|error| TopicError::Client(error.to_string()))?;
        }
        self.consumer.assign(&list).map_err(|error| TopicError::Client(error.to_string()))?;
        let found = self.collect(wanted);
        self.consumer.unassign().map_err(|error| TopicError::Client(error.to_string()))?;
        found
    }

    fn collect(&self, wanted: &BTreeMap<u16, u64>) -> Result<BTreeMap<u16, Message>, TopicError> {
        let deadline = self.clock.steady() + self.options.connect;
        let mut found = BTreeMap::new();
        while found.len() < wanted.len() {
            match self.consumer.poll(Duration::from_millis(100)) {
                Some(Ok(message)) => {
                    let partition = u16::try_from(message.partition()).unwrap_or(u16::MAX);
                    let offset = u64::try_from(message.offset()).unwrap_or_default();
                    let Some(first) = wanted.get(&partition).filter(|_| !found.contains_key(&partition)) else {
                        continue;
                    };
                    let topic = self.options.topic.clone();
                    if offset != *first {
                        return Err(TopicError::Lost { topic, partition, offset: *first, found: offset.to_string() });
                    }
                    let read = decode(partition, offset, message.payload().unwrap_or_default());
                    let read = read.map_err(|what| TopicError::Message { topic, partition, offset, what })?;
                    found.insert(partition, read);
                }
                Some(Err(error)) => self.complaints.error(&error),
                None => {}
            }
            if self.clock.steady() >= deadline {
                let missing = wanted.keys().find(|partition| !found.contains_key(partition)).copied();
                let doing = format!("give a message of {}/{}", self.options.topic, missing.unwrap_or_default());
                return Err(TopicError::Late { doing, why: self.complaints.last() });
            }
        }
        Ok(found)
    }
}
