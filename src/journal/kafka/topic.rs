//! The topic: making it, founding it, and checking that it is what a journal needs. Everything here blocks, and wants a
//! tokio runtime around it.

use std::collections::BTreeMap;
use std::sync::Arc;

use rdkafka::admin::{AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use tokio::runtime::Handle;

use super::super::error::JournalError;
use super::super::genesis::Genesis;
use super::complaints::Ear;
use super::error::TopicError;
use super::message::encode_at;
use super::options::{KafkaOptions, MESSAGE_BYTES};
use super::probe::{Probe, Replicas};
use super::shared::Known;
use crate::domain::record::{Micros, Position};
use crate::runtime::Clock;

/// What a setting of the topic must be.
type Check = (&'static str, fn(&str, &KafkaOptions) -> bool, &'static str, &'static str);

fn at_least(text: &str, least: u64) -> bool {
    text.parse::<u64>().is_ok_and(|found| found >= least)
}

/// Settings that lose, refuse or hide records when they are otherwise. Retention has an error of its own.
const CHECKS: [Check; 5] = [
    ("cleanup.policy", |it, _| it == "delete", "delete", "compaction deletes events"),
    (
        "unclean.leader.election.enable",
        |it, _| it == "false",
        "false",
        "a broker that had fallen behind could become leader, and acknowledged messages would be gone",
    ),
    (
        "max.message.bytes",
        |it, _| at_least(it, MESSAGE_BYTES as u64),
        "4325376 or more",
        "the largest appends would be refused",
    ),
    (
        "min.insync.replicas",
        |it, options| at_least(it, options.min_insync.into()),
        "journal.kafka.min_insync or more",
        "messages would be acknowledged with fewer copies than are asked for",
    ),
    (
        "compression.type",
        |it, _| matches!(it, "producer" | "uncompressed" | "lz4" | "snappy"),
        "producer",
        "this program could not read what the brokers compress",
    ),
];

/// What was found in a topic that is a journal.
pub struct Found {
    /// Whose it is.
    pub genesis: Genesis,
    /// Each partition.
    pub parts: Vec<Known>,
}

/// Checks a topic, and finds out how far it goes.
///
/// # Errors
/// Everything that [`TopicError`] says; [`JournalError::Foreign`].
pub fn find(probe: &Probe, options: &KafkaOptions) -> Result<Found, JournalError> {
    let replicas = probe.replicas()?.ok_or_else(|| no_topic(options))?;
    check(options, &replicas)?;
    let genesis = genesis(probe, options, 0)?.ok_or_else(|| unfounded(options, 0))?;
    if let Some(expected) = options.expect.filter(|expected| *expected != genesis) {
        return Err(JournalError::Foreign { found: genesis, expected });
    }
    is_of_size(options, &replicas, genesis.count)?;
    let parts = reach(probe, options, genesis)?;
    Ok(Found { genesis, parts })
}

fn no_topic(options: &KafkaOptions) -> TopicError {
    TopicError::NoTopic { brokers: options.addresses(), topic: options.topic.clone() }
}

fn unfounded(options: &KafkaOptions, partition: u16) -> TopicError {
    TopicError::Unfounded { topic: options.topic.clone(), partition }
}

fn is_of_size(options: &KafkaOptions, replicas: &Replicas, wanted: u16) -> Result<(), TopicError> {
    let (topic, found) = (options.topic.clone(), replicas.len());
    if found == usize::from(wanted) { Ok(()) } else { Err(TopicError::Partitions { topic, found, wanted }) }
}

/// Whose journal the topic is, as the genesis of a partition says; `None` when nothing stands there.
///
/// # Errors
/// As for reading; [`TopicError::Message`] when the first message is no genesis.
pub fn genesis(probe: &Probe, options: &KafkaOptions, partition: u16) -> Result<Option<Genesis>, TopicError> {
    let topic = options.topic.clone();
    match probe.range(partition)? {
        (_, 0) => return Ok(None),
        (0, _) => {}
        (low, _) => return Err(TopicError::Lost { topic, partition, offset: 0, found: low.to_string() }),
    }
    let first = probe.read(&BTreeMap::from([(partition, 0)]))?.remove(&partition);
    let genesis = first.as_ref().and_then(|message| message.entries.first());
    let genesis = genesis.and_then(|entry| Genesis::read(&entry.record, partition));
    let what = "the first message is no genesis".to_owned();
    genesis.map(Some).ok_or(TopicError::Message { topic, partition, offset: 0, what })
}

/// How far each partition goes, and that each begins with the same genesis.
fn reach(probe: &Probe, options: &KafkaOptions, expected: Genesis) -> Result<Vec<Known>, JournalError> {
    let mut ends = BTreeMap::new();
    for partition in 0..expected.count {
        let (low, high) = probe.range(partition)?;
        let topic = options.topic.clone();
        match (low, high) {
            (_, 0) => return Err(unfounded(options, partition).into()),
            (0, _) => drop(ends.insert(partition, high)),
            _ => {
                return Err(TopicError::Lost { topic, partition, offset: 0, found: low.to_string() }.into());
            }
        }
    }
    verify(probe, options, expected)?;
    let mut parts = vec![Known::default(); usize::from(expected.count)];
    let mut looked: BTreeMap<u16, u64> = ends.iter().map(|(partition, end)| (*partition, end - 1)).collect();
    while !looked.is_empty() {
        let found = probe.read(&looked)?;
        for (partition, message) in found {
            let (Some(last), Some(part)) = (message.last(), parts.get_mut(usize::from(partition))) else {
                // A genesis that was written twice: what counts stands before it.
                looked.entry(partition).and_modify(|offset| *offset = offset.saturating_sub(1));
                continue;
            };
            *part = Known { copied: message.copied, offset: ends[&partition], end: last.next() };
            looked.remove(&partition);
        }
    }
    Ok(parts)
}

/// Checks that all partitions begin with this genesis.
fn verify(probe: &Probe, options: &KafkaOptions, expected: Genesis) -> Result<(), JournalError> {
    let firsts = probe.read(&(0..expected.count).map(|partition| (partition, 0)).collect())?;
    for (partition, message) in firsts {
        let entry = message.entries.first().ok_or_else(|| unfounded(options, partition))?;
        match Genesis::read(&entry.record, partition) {
            Some(genesis) if genesis == expected => {}
            Some(found) => return Err(JournalError::Foreign { found, expected }),
            None => return Err(unfounded(options, partition).into()),
        }
    }
    Ok(())
}

/// Checks replicas and settings.
fn check(options: &KafkaOptions, replicas: &Replicas) -> Result<(), TopicError> {
    let topic = options.topic.clone();
    let wanted = usize::from(options.replicas);
    if let Some((partition, &found)) = (0..).zip(replicas).find(|(_, found)| **found < wanted) {
        return Err(TopicError::TooFewReplicas { topic, partition, found, wanted });
    }
    let settings = settings(options)?;
    let value = |name: &str| settings.get(name).and_then(|entry| entry.value.clone()).unwrap_or_default();
    for setting in ["retention.ms", "retention.bytes"] {
        let found = value(setting);
        if found != "-1" {
            return Err(TopicError::RetentionTooShort { topic, setting, found });
        }
    }
    for (setting, holds, wanted, why) in CHECKS {
        let found = value(setting);
        if !holds(&found, options) {
            return Err(TopicError::Setting { topic, setting, found, wanted: wanted.to_owned(), why });
        }
    }
    Ok(())
}

fn admin(options: &KafkaOptions) -> Result<(AdminClient<Ear>, AdminOptions), TopicError> {
    let client = AdminClient::from_config_and_context(&options.admin(), Ear::default())
        .map_err(|error| TopicError::Client(error.to_string()))?;
    let asked = AdminOptions::new().request_timeout(Some(options.request)).operation_timeout(Some(options.request));
    Ok((client, asked))
}

fn settings(options: &KafkaOptions) -> Result<ConfigResource, TopicError> {
    let (client, asked) = admin(options)?;
    let topic = [ResourceSpecifier::Topic(&options.topic)];
    let late = |why: String| TopicError::Late { doing: format!("show the settings of {}", options.topic), why };
    let found =
        Handle::current().block_on(client.describe_configs(&topic, &asked)).map_err(|error| late(error.to_string()))?;
    match found.into_iter().next() {
        Some(Ok(resource)) => Ok(resource),
        Some(Err(RDKafkaErrorCode::TopicAuthorizationFailed)) => {
            Err(TopicError::NotAllowed { doing: "describe the settings of", topic: options.topic.clone() })
        }
        Some(Err(code)) => Err(late(code.to_string())),
        None => Err(late("an empty answer".to_owned())),
    }
}

/// Makes the topic, if it is not there, and founds it: a genesis in each partition. May be cut short and run again, and run
/// twice at once: the first genesis of partition 0 decides whose topic it is, and in each partition the first one counts.
///
/// # Errors
/// [`JournalError::Foreign`] when it is founded already, by another installation or with other numbers; what [`find`] says.
pub fn found(options: &KafkaOptions, ours: Genesis, at: Micros, clock: Arc<dyn Clock>) -> Result<(), JournalError> {
    options.check()?;
    let probe = Probe::connect(options, Arc::clone(&clock))?;
    if probe.replicas()?.is_none() {
        make(options, ours)?;
    }
    let replicas = await_topic(&probe, options, clock.as_ref())?;
    check(options, &replicas)?;
    is_of_size(options, &replicas, ours.count)?;
    // Partition 0 before all others: who does not win there writes nowhere else.
    for partitions in [0..1, 1..ours.count] {
        let mut lacking = Vec::new();
        for partition in partitions {
            if probe.range(partition)?.1 == 0 {
                lacking.push(partition);
            }
        }
        write(options, ours, at, &lacking)?;
        let found = genesis(&probe, options, 0)?.ok_or_else(|| unfounded(options, 0))?;
        if found != ours {
            return Err(JournalError::Foreign { found, expected: ours });
        }
    }
    reach(&probe, options, ours).map(|_| ())
}

pub fn make(options: &KafkaOptions, ours: Genesis) -> Result<(), TopicError> {
    let (client, asked) = admin(options)?;
    let (largest, least) = ((MESSAGE_BYTES + 64 * 1024).to_string(), options.min_insync.to_string());
    let topic = NewTopic::new(&options.topic, ours.count.into(), TopicReplication::Fixed(options.replicas.into()))
        .set("cleanup.policy", "delete")
        .set("retention.ms", "-1")
        .set("retention.bytes", "-1")
        .set("max.message.bytes", &largest)
        .set("min.insync.replicas", &least)
        .set("unclean.leader.election.enable", "false")
        .set("compression.type", "producer");
    let late = |why: String| TopicError::Late { doing: format!("make the topic {}", options.topic), why };
    let made =
        Handle::current().block_on(client.create_topics([&topic], &asked)).map_err(|error| late(error.to_string()))?;
    match made.into_iter().next() {
        // Somebody else makes it at this moment: who founds it is decided by what stands in it.
        Some(Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(()),
        Some(Err((_, RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed))) => {
            Err(TopicError::NotAllowed { doing: "make", topic: options.topic.clone() })
        }
        Some(Err((_, code))) => Err(unmakeable(options, code).unwrap_or_else(|| late(code.to_string()))),
        None => Err(late("an empty answer".to_owned())),
    }
}

/// What no waiting makes better.
fn unmakeable(options: &KafkaOptions, code: RDKafkaErrorCode) -> Option<TopicError> {
    let why = match code {
        RDKafkaErrorCode::InvalidReplicationFactor => format!(
            "fewer brokers run than the {} copies that are asked for. Start more, or lower journal.kafka.replicas",
            options.replicas
        ),
        RDKafkaErrorCode::InvalidTopic => {
            "that is no name of a topic. Choose another for journal.kafka.topic: letters, \
             digits, dots, hyphens and underscores, at most 249"
                .to_owned()
        }
        RDKafkaErrorCode::PolicyViolation => "a policy of the cluster forbids it. Make the topic by the cluster's own \
             means and run this again: it says which of its settings will not do"
            .to_owned(),
        _ => return None,
    };
    Some(TopicError::Refused { topic: options.topic.clone(), why })
}

/// Waits until the brokers know the topic they were told to make.
pub fn await_topic(probe: &Probe, options: &KafkaOptions, clock: &dyn Clock) -> Result<Replicas, TopicError> {
    let deadline = clock.steady() + options.connect;
    loop {
        match probe.replicas()? {
            Some(replicas) => return Ok(replicas),
            None if clock.steady() >= deadline => return Err(no_topic(options)),
            None => probe.listen(),
        }
    }
}

/// Writes the genesis of partitions. Whether it stands there is read afterwards; the answer alone could be doubtful.
fn write(options: &KafkaOptions, ours: Genesis, at: Micros, partitions: &[u16]) -> Result<(), JournalError> {
    if partitions.is_empty() {
        return Ok(());
    }
    let producer: BaseProducer<Founding> =
        BaseProducer::from_config_and_context(&options.producer(), Founding(Ear::default()))
            .map_err(|error| TopicError::Client(error.to_string()))?;
    let late = |why: String| TopicError::Late { doing: format!("take the genesis of {}", options.topic), why };
    for &partition in partitions {
        let record = ours.record(partition, at).map_err(|error| JournalError::Options(error.to_string()))?;
        let bytes = encode_at(partition, Position(0), &record);
        let message: BaseRecord<'_, (), [u8]> =
            BaseRecord::to(&options.topic).partition(i32::from(partition)).payload(&bytes);
        producer.send(message).map_err(|(error, _)| late(error.to_string()))?;
    }
    producer.flush(options.delivery + options.request).map_err(|error| late(error.to_string()).into())
}

/// Hears of genesis records that were not taken.
struct Founding(Ear);

impl rdkafka::ClientContext for Founding {
    fn log(&self, level: rdkafka::config::RDKafkaLogLevel, facility: &str, text: &str) {
        self.0.log(level, facility, text);
    }

    fn error(&self, error: rdkafka::error::KafkaError, reason: &str) {
        self.0.error(error, reason);
    }
}

impl ProducerContext for Founding {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((error, _)) = result {
            tracing::warn!(%error, "kafka: a genesis was perhaps not written");
        }
    }
}
