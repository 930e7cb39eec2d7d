//! Tests against real brokers: the contract, then faults, then topics and brokers that are not as they should be.
//!
//! `tests/services` starts them; a broker that does not start fails the test. `tests/run cluster` runs them all.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::runtime::Handle;

use super::super::contract::{Subject, genesis, suite};
use super::super::{Genesis, Journal, JournalError};
use super::{KafkaJournal, KafkaOptions};
use crate::domain::record::Position;
use crate::runtime::services::script;
use crate::runtime::{Clock, SystemClock};

mod faults;
mod founding;
mod group;
mod rate;
mod refused;

/// What the scripts print of servers: names and values.
type Printed = BTreeMap<String, String>;

/// Starts a set of servers, or finds it running.
fn up(world: &str, kind: &str) -> Printed {
    let printed = script(world, &["up", kind]);
    printed.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// A broker that nobody torments.
fn calm() -> &'static Printed {
    static BROKER: OnceLock<Printed> = OnceLock::new();
    BROKER.get_or_init(|| up("main", "kafka"))
}

/// A name that no other test and no other run has.
fn fresh(name: &str) -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!("{name}-{}-{}", SystemClock.wall(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// One broker keeps one copy.
fn options(brokers: &Printed, topic: String) -> KafkaOptions {
    let brokers = brokers["KAFKA_BROKERS"].split(',').map(ToOwned::to_owned).collect();
    KafkaOptions { replicas: 1, min_insync: 1, ..KafkaOptions::plain(brokers, topic) }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

async fn init(options: &KafkaOptions, genesis: Genesis) -> Result<(), JournalError> {
    KafkaJournal::init(options.clone(), genesis, 5, clock()).await
}

async fn open(options: &KafkaOptions) -> KafkaJournal {
    KafkaJournal::open(options.clone(), clock()).await.expect("it opens")
}

async fn why_not(options: KafkaOptions) -> JournalError {
    let limit = Duration::from_secs(60);
    let opened = tokio::time::timeout(limit, KafkaJournal::open(options, clock())).await.expect("an answer in time");
    opened.err().expect("it does not open")
}

/// A topic of its own for each clause.
struct InTopic(KafkaOptions);

/// Clauses are asynchronous, their subjects are made in between.
fn now<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| Handle::current().block_on(future))
}

impl InTopic {
    fn new(memory: usize) -> Self {
        let brokers = tokio::task::block_in_place(calm);
        let options = KafkaOptions { tail_memory: memory, ..options(brokers, fresh("contract")) };
        now(init(&options, genesis())).expect("a new topic");
        Self(KafkaOptions { expect: Some(genesis()), ..options })
    }
}

impl Subject for InTopic {
    fn open(&self) -> Arc<dyn Journal> {
        Arc::new(now(open(&self.0)))
    }
}

mod contract {
    use super::*;

    suite!(needs "needs a Kafka: tests/run cluster", InTopic::new(32 * 1024 * 1024));
}

mod contract_without_memory {
    use super::*;

    suite!(needs "needs a Kafka: tests/run cluster", InTopic::new(0));
}
