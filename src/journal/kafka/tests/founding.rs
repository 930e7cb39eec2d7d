//! Founding a journal: once, whoever tries, and however often it is cut short.

use std::collections::BTreeMap;

use rdkafka::config::FromClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use super::super::super::contract::{contents, durable, genesis, record};
use super::super::error::TopicError;
use super::super::message::encode_at;
use super::super::probe::Probe;
use super::super::topic;
use super::*;
use crate::domain::id::InstallationId;

fn other() -> Genesis {
    Genesis::new(InstallationId([8; 16]), genesis().count)
}

/// What a process leaves behind that was killed while it founded: some partitions' genesis, some twice.
fn write_genesis(options: &KafkaOptions, of: Genesis, partitions: &[u16]) {
    let producer = BaseProducer::from_config(&options.producer()).expect("a producer");
    for &partition in partitions {
        let bytes = encode_at(partition, Position(0), &of.record(partition, 9).expect("small"));
        let message: BaseRecord<'_, (), [u8]> =
            BaseRecord::to(&options.topic).partition(i32::from(partition)).payload(&bytes);
        producer.send(message).expect("sent");
    }
    producer.flush(Duration::from_secs(30)).expect("written");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn founded_twice_at_once_it_is_founded_once() {
    let options = options(tokio::task::block_in_place(calm), fresh("founding"));
    let (one, two) = tokio::join!(init(&options, genesis()), init(&options, genesis()));
    assert_eq!((one, two), (Ok(()), Ok(())));
    init(&options, genesis()).await.expect("a third time");
    let journal = open(&options).await;
    for partition in 0..genesis().count {
        assert_eq!((contents(&journal, partition).await.len(), journal.end(partition)), (1, Position(1)));
    }
    assert_eq!(KafkaJournal::founded(options, clock()).await, Ok(Some(genesis())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn two_installations_at_once_are_one_journal_and_one_refusal() {
    let options = options(tokio::task::block_in_place(calm), fresh("founding"));
    let (one, two) = tokio::join!(init(&options, genesis()), init(&options, other()));
    let (won, lost) = if one.is_ok() { (genesis(), other()) } else { (other(), genesis()) };
    let refusal = if one.is_ok() { two } else { one };
    assert_eq!(refusal, Err(JournalError::Foreign { found: won, expected: lost }));
    let journal = open(&options).await;
    assert_eq!(journal.genesis(), won);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn cut_short_it_says_so_and_is_finished() {
    let options = options(tokio::task::block_in_place(calm), fresh("founding"));
    assert_eq!(KafkaJournal::founded(options.clone(), clock()).await, Ok(None));
    let made = options.clone();
    let none = tokio::task::spawn_blocking(move || {
        topic::make(&made, genesis()).expect("made");
        let probe = Probe::connect(&made, clock()).expect("connected");
        topic::await_topic(&probe, &made, &SystemClock).expect("there");
        for partition in 0..genesis().count {
            assert_eq!(probe.range(partition), Ok((0, 0)));
        }
    });
    none.await.expect("an empty topic");
    let unfounded = |partition| JournalError::Topic(TopicError::Unfounded { topic: options.topic.clone(), partition });
    assert_eq!(why_not(options.clone()).await, unfounded(0));
    write_genesis(&options, genesis(), &[0, 0, 1, 5, 5, 5]);
    assert_eq!(KafkaJournal::founded(options.clone(), clock()).await, Ok(Some(genesis())));
    assert_eq!(why_not(options.clone()).await, unfounded(2));
    assert_eq!(init(&options, other()).await, Err(JournalError::Foreign { found: genesis(), expected: other() }));
    init(&options, genesis()).await.expect("finished");
    let journal = open(&options).await;
    for partition in [0, 1, 5, 63] {
        assert_eq!(contents(&journal, partition).await.len(), 1, "a second genesis is nowhere");
    }
    let (first, _) = durable(&journal, 5, vec![record(1, 10)]).await;
    assert_eq!((first, contents(&journal, 5).await.len()), (3 * 256, 2));
    let expected = KafkaOptions { expect: Some(other()), ..options };
    assert_eq!(why_not(expected).await, JournalError::Foreign { found: genesis(), expected: other() });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn what_was_copied_in_keeps_its_positions() {
    let options = options(tokio::task::block_in_place(calm), fresh("founding"));
    init(&options, genesis()).await.expect("founded");
    let copied: Vec<_> = (1..300).map(|n| record(n, 20)).collect();
    {
        let producer = BaseProducer::from_config(&options.producer()).expect("a producer");
        let producer: &BaseProducer = &producer;
        for (n, record) in (1..).zip(&copied) {
            let bytes = encode_at(4, Position(n), record);
            let message: BaseRecord<'_, (), [u8]> = BaseRecord::to(&options.topic).partition(4).payload(&bytes);
            producer.send(message).expect("sent");
        }
        producer.flush(Duration::from_secs(30)).expect("written");
    }
    let journal = open(&options).await;
    assert_eq!(journal.end(4), Position(300));
    let (first, last) = durable(&journal, 4, vec![record(1000, 5), record(1001, 5)]).await;
    assert_eq!((first, last), (300 * 256, 300 * 256 + 1));
    for journal in [journal, open(&options).await] {
        let stand: BTreeMap<_, _> =
            contents(&journal, 4).await[1..].iter().map(|it| (it.position.0, it.record.clone())).collect();
        let expected = (1..).zip(copied.clone()).chain((first..).zip([record(1000, 5), record(1001, 5)]));
        assert_eq!(stand, expected.collect());
        for place in [1, 256, 299, first, last] {
            assert_eq!(journal.read(4, Position(place)).await.expect("a record").position, Position(place));
        }
        assert_eq!(journal.distance(4, Position(0), journal.end(4)), 301);
        let from = super::super::super::contract::until(&mut *journal.tail(4, Position(300)), 4, last + 1).await;
        assert_eq!(from.len(), 2);
    }
}
