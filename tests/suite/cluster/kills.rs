//! The kill harness on the cluster's journal: the node is killed at random instants under load, and then the broker.

use std::time::Duration;

use super::super::process::accounts::{Accounts, PATIENCE};
use super::super::process::kill9::{RATE, plan, storm};
use super::super::process::load::Load;
use super::service::Broker;
use super::{init, on_kafka};

/// Kills of the node; a long run makes a hundred.
fn kills() -> u32 {
    if std::env::var_os("WAYBILL_LONG").is_some() { 100 } else { 8 }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn nothing_accepted_is_lost_or_doubled_by_kills_of_the_node() {
    let broker = Broker::up("main").await;
    let mut house = on_kafka(plan(), &broker).await;
    let (code, said) = init(&house).await;
    assert_eq!(code, 0, "{said}");
    house.start().await;
    house.declare().await;
    let storm = storm(&mut house, "c", kills(), &mut 20_261_123).await;
    let accounts = Accounts::settle(&house, &storm.acks, PATIENCE).await;
    println!(
        "kills {}, {RATE} messages/s, acknowledged {}, restarts {:.1?}",
        kills(),
        storm.acks.len(),
        storm.restarts
    );
    println!("{accounts}");
    assert!(accounts.is_clean(), "{accounts}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn nothing_accepted_is_lost_or_doubled_when_the_broker_is_killed_under_load() {
    let broker = Broker::up("house").await;
    let mut house = on_kafka(plan(), &broker).await;
    let (code, said) = init(&house).await;
    assert_eq!(code, 0, "{said}");
    house.start().await;
    house.declare().await;
    let load = Load::start(&house, "b", 100.0);
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_secs(2)).await;
        broker.does("kill").await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        broker.does("start").await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let acks = load.stop().await;
    let accounts = Accounts::settle(&house, &acks, PATIENCE * 2).await;
    println!("the broker was killed twice, acknowledged {}\n{accounts}", acks.len());
    assert!(acks.len() > 100 && accounts.is_clean(), "{} {accounts}", acks.len());
}
