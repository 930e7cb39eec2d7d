//! A node whose rows are in a database too: founded by one command, killed under load, and the database taken away for a minute.

use std::time::Duration;

use super::super::process::accounts::{Accounts, PATIENCE};
use super::super::process::house::{House, Plan, SESSIONS};
use super::super::process::kill9::{plan, storm_at};
use super::super::process::load::Load;
use super::service::{Broker, Database};
use super::{init, on_kafka};

/// How long the database is away; a long run makes it longer than any pause between two tries.
fn outage() -> Duration {
    Duration::from_secs(if std::env::var_os("WAYBILL_LONG").is_some() { 300 } else { 60 })
}

/// A house whose node has its journal in Kafka and its rows in a keyspace of its own; nothing is founded yet.
async fn in_database(plan: Plan, broker: &Broker, database: &Database) -> House {
    let mut house = on_kafka(plan, broker).await;
    house.set("store.kind", "cql");
    house.set("store.cql.nodes", vec![toml::Value::from(database.address.clone())]);
    house.set("store.cql.keyspace", format!("house_{}", house.port));
    house.set("store.cql.replicas", 1);
    house.set("store.cql.request_timeout", "2s");
    house
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka and a Cassandra: tests/run cluster"]
async fn init_founds_the_keyspace_too_and_the_node_says_what_is_wrong_with_it() {
    let (broker, database) = (Broker::up("main").await, Database::up("main").await);
    let mut house = in_database(Plan::new(), &broker, &database).await;
    let (code, first) = init(&house).await;
    assert_eq!(code, 0, "{first}");
    assert!(first.contains(&format!("keyspace house_{}", house.port)), "{first}");
    assert_eq!(init(&house).await, (0, first), "a second time changes nothing");
    house.start().await;
    house.declare().await;
    let id = house.accept(SESSIONS[0], "+4915550000001", "hello").await;
    house.until(&id, &["sent", "delivered", "read"]).await;
    house.stop().await;
    assert!(!house.data().join("store").exists(), "no rows in the folder");

    house.set("store.cql.replicas", 3);
    let (code, said) = house.refused().await;
    assert!(code == 5 && said.contains("replicas"), "{code} {said}");
    house.set("store.cql.replicas", 1);
    house.set("store.cql.nodes", vec![toml::Value::from("127.0.0.1:1")]);
    let (code, said) = house.refused().await;
    assert!(code == 5 && said.contains("127.0.0.1:1"), "{code} {said}");
    house.set("store.cql.nodes", vec![toml::Value::from(database.address.clone())]);
    house.set("store.cql.keyspace", "nowhere");
    let (code, said) = house.refused().await;
    assert!(code == 5 && said.contains("waybill cluster init"), "{code} {said}");
    house.set("store.cql.keyspace", format!("house_{}", house.port));

    // A new topic for a vault that has seen another one: what it would write were older than what was sent.
    let topic = format!("house-{}", house.port);
    house.set("journal.kafka.topic", format!("{topic}-again"));
    let (code, said) = init(&house).await;
    assert!(code == 5 && said.contains("has seen a journal"), "{code} {said}");
    house.set("journal.kafka.topic", topic);

    // Rows are a cache: a new keyspace is filled from the journal.
    house.set("store.cql.keyspace", format!("house_{}_again", house.port));
    let (code, said) = init(&house).await;
    assert_eq!(code, 0, "{said}");
    house.start().await;
    house.until(&id, &["sent", "delivered", "read"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka and a Cassandra: tests/run cluster"]
async fn nothing_accepted_is_lost_or_doubled_by_kills_of_the_node() {
    let (broker, database) = (Broker::up("main").await, Database::up("main").await);
    let mut house = in_database(plan(), &broker, &database).await;
    let (code, said) = init(&house).await;
    assert_eq!(code, 0, "{said}");
    house.start().await;
    house.declare().await;
    let storm = storm_at(100.0, &mut house, "d", 5, &mut 20_261_124).await;
    let accounts = Accounts::settle(&house, &storm.acks, PATIENCE * 2).await;
    println!("5 kills, acknowledged {}, restarts {:.1?}\n{accounts}", storm.acks.len(), storm.restarts);
    assert!(accounts.is_clean(), "{accounts}");
    assert_eq!(accounts.ledger.notified, accounts.ledger.accepted, "not every message was told of: {accounts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka and a Cassandra: tests/run cluster"]
async fn a_database_that_is_away_for_a_minute_is_waited_for() {
    let (broker, database) = (Broker::up("main").await, Database::up("house").await);
    let mut house = in_database(plan(), &broker, &database).await;
    let (code, said) = init(&house).await;
    assert_eq!(code, 0, "{said}");
    house.start().await;
    house.declare().await;
    let load = Load::start(&house, "o", 50.0);
    tokio::time::sleep(Duration::from_secs(3)).await;
    database.does("pause").await;
    tokio::time::sleep(outage()).await;
    assert!(house.node().ended().is_none(), "the node lives on");
    let ready = house.http.get("/readyz", "").await.expect("an answer");
    assert!(ready.status == 503 && ready.to_string().contains("store"), "it says what it waits for: {ready}");
    database.does("resume").await;
    house.ready().await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let acks = load.stop().await;
    assert!(house.node().ended().is_none(), "the same node");
    let accounts = Accounts::settle(&house, &acks, PATIENCE * 4).await;
    println!("the database was away for {:?}, acknowledged {}\n{accounts}", outage(), acks.len());
    assert!(acks.len() > 100 && accounts.is_clean(), "{} {accounts}", acks.len());
}
