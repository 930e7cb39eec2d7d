//! What a node does while one of the things that it needs is away. `deploy/README.md` says the same in a table.

use std::time::Duration;

use super::super::process::accounts::{Accounts, PATIENCE};
use super::super::process::house::SESSIONS;
use super::super::process::kill9::plan;
use super::super::process::load::Load;
use super::neighbour::{PARTITIONS, found, owns, shared};
use super::service::{Broker, Database};

/// How long it is away: longer than any single try.
const AWAY: Duration = Duration::from_secs(8);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka and a Cassandra: tests/run cluster"]
async fn a_vault_that_is_away_stops_intake_and_sending_and_both_go_on_by_themselves() {
    let (broker, rows, keys) = (Broker::up("main").await, Database::up("main").await, Database::up("house").await);
    let mut house = shared(plan(), &broker, &rows).await;
    house.set("vault.cql.nodes", vec![toml::Value::from(keys.address.clone())]);
    // No key is at hand when it is needed: as after an hour, in a minute.
    house.set("vault.key_cache", "0s");
    found(&mut house).await;
    house.start().await;
    house.declare().await;
    owns(&house.http, PARTITIONS, Duration::from_secs(20)).await;
    let load = Load::start(&house, "v", 30.0);
    tokio::time::sleep(Duration::from_secs(2)).await;
    keys.does("pause").await;
    tokio::time::sleep(AWAY).await;
    let ready = house.http.get("/readyz", "").await.expect("an answer");
    assert!(ready.status == 503 && ready.to_string().contains("vault"), "it says what it waits for: {ready}");
    let refused = house.hand_in(SESSIONS[0], "+4915550000001", "hello").await.expect("an answer");
    assert_eq!(refused.status, 503, "{refused}");
    let sent = house.simulator.stats().accepted;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(house.simulator.stats().accepted, sent, "nothing is sent that cannot be recorded");
    keys.does("resume").await;
    house.ready().await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let acks = load.stop().await;
    assert!(house.node().ended().is_none(), "the same node");
    let accounts = Accounts::settle(&house, &acks, PATIENCE * 2).await;
    println!("the vault was away for {AWAY:?}, acknowledged {}\n{accounts}", acks.len());
    assert!(acks.len() > 50 && accounts.is_clean(), "{} {accounts}", acks.len());
}
