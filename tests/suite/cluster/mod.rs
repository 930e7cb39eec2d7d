//! The cluster column, from outside: the real binary with its journal in a real Kafka and its rows in a real Cassandra, which
//! `tests/services` starts. A server that does not start fails the test; nothing is skipped.
//!
//! | file | what it proves |
//! | --- | --- |
//! | `founding` | `waybill cluster init` founds once, says what is wrong, and keeps two journals apart |
//! | `kills` | what was accepted is neither lost nor doubled when the node is killed and the broker too |
//! | `nodes` | two nodes that share everything: stopped, killed and frozen under load, they take over from each other |
//! | `outages` | a vault that is away: what stops, and that it goes on by itself |
//! | `rows` | the same with rows in a database, and a database that goes away |
//!
//! The rest is the stage: [`service`] starts the servers, [`on_kafka`] builds a house on it, `neighbour` a second
//! node beside it.
//!
//! To add a test: a file here, a `mod` line and a row above; `#[ignore = "needs a Kafka: tests/run cluster"]`.

mod founding;
mod kills;
mod neighbour;
mod nodes;
mod outages;
mod rows;
mod service;

use std::time::Duration;

use super::process::house::{House, Plan};
use super::process::node::{Node, binary};
use service::Broker;

/// A house whose node has its journal in a topic of its own; nothing is founded yet.
pub async fn on_kafka(plan: Plan, broker: &Broker) -> House {
    let mut house = House::build(plan).await;
    house.set("journal.kind", "kafka");
    house.set("journal.kafka.brokers", vec![toml::Value::from(broker.address.clone())]);
    house.set("journal.kafka.topic", format!("house-{}", house.port));
    house.set("journal.kafka.replicas", 1);
    house.set("journal.kafka.min_insync", 1);
    house
}

/// Runs `waybill cluster init` with the house's settings: exit code, and what it said.
pub async fn init(house: &House) -> (i32, String) {
    let (settings, log) = (house.settings(), house.folder().join("init.log"));
    let arguments = ["cluster", "init", "--config", settings.to_str().expect("UTF-8")];
    let mut process = Node::spawn(&binary(), &arguments, &[], &log);
    (process.exit_code(Duration::from_secs(60)).await, process.said())
}
