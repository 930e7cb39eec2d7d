//! Two processes on one Kafka and one Cassandra, under load: asked to stop, killed, and frozen for longer than the group's
//! patience. Nothing that was accepted is lost or doubled, nobody's messages change their order, and nobody waits for long.

use std::collections::HashMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::super::process::accounts::{Accounts, PATIENCE};
use super::super::process::house::{House, Plan, SESSIONS, phone_number_id};
use super::super::process::kill9::plan;
use super::super::process::load::Load;
use super::neighbour::{Neighbour, PARTITIONS, found, owns, shared};
use super::service::{Broker, Database};

/// Messages a second, handed to each of the nodes.
const RATE: f64 = 30.0;

/// How long a frozen one is frozen: longer than `journal.kafka.group_session`, which is 6 s.
const FROZEN: Duration = Duration::from_secs(8);

/// How long partitions may take to change hands.
const SOON: Duration = Duration::from_secs(20);

/// No session waits longer while a node is asked to stop.
const GAP: Duration = Duration::from_secs(2);

/// No partition is without an owner for longer when one dies, or is frozen.
const TAKEN: Duration = Duration::from_secs(10);

fn rounds() -> u32 {
    if std::env::var_os("WAYBILL_LONG").is_some() { 20 } else { 1 }
}

fn now_us() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    u64::try_from(now.as_micros()).expect("before 586,000")
}

/// The longest time in which nothing of some session arrived, since then.
fn longest_gap(house: &House, since: u64) -> Duration {
    let mut last: HashMap<String, u64> = (0..SESSIONS.len()).map(|n| (phone_number_id(n), since)).collect();
    let (mut longest, until) = (0, now_us());
    let mut requests = house.simulator.requests(0, usize::MAX);
    requests.sort_unstable_by_key(|request| request.at_us);
    for request in requests.into_iter().filter(|request| request.marker.is_some() && request.at_us >= since) {
        let before = last.insert(request.phone_number_id, request.at_us).unwrap_or(since);
        longest = longest.max(request.at_us - before);
    }
    longest = last.values().fold(longest, |longest, at| longest.max(until.saturating_sub(*at)));
    Duration::from_micros(longest)
}

/// Two nodes that have shared the partitions, and load on both.
async fn pair(plan: Plan) -> (House, Neighbour) {
    let (broker, database) = (Broker::up("main").await, Database::up("main").await);
    let mut house = shared(plan, &broker, &database).await;
    found(&mut house).await;
    house.start().await;
    house.declare().await;
    owns(&house.http, PARTITIONS, SOON).await;
    let other = Neighbour::of(&house, "other", &[], |_| {});
    (house, other)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka and a Cassandra: tests/run cluster"]
async fn nodes_take_over_from_each_other_under_load() {
    let (mut house, mut other) = pair(plan()).await;
    other.start(&house).await;
    let half = PARTITIONS / 2;
    other.owns(half, SOON).await;
    let loads = [Load::start(&house, "h", RATE), Load::at(&house, other.port, "o", RATE)];
    let since = now_us();
    tokio::time::sleep(Duration::from_secs(3)).await;
    // What a session waits when nothing happens: on a busy machine that is not nothing.
    let calm = longest_gap(&house, since);
    let (mut killed, mut frozen, mut stopped, mut ends) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds() {
        let since = now_us();
        other.node().freeze();
        tokio::time::sleep(FROZEN).await;
        owns(&house.http, PARTITIONS, SOON).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        frozen.push(longest_gap(&house, since));
        other.node().thaw();
        // It hears that it is thought dead, joins again, and is given its half back.
        owns(&house.http, PARTITIONS - half, SOON).await;
        tokio::time::sleep(Duration::from_secs(1)).await;

        let since = now_us();
        other.kill();
        owns(&house.http, PARTITIONS, SOON).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        killed.push(longest_gap(&house, since));
        other.start(&house).await;
        owns(&house.http, PARTITIONS - half, SOON).await;
        tokio::time::sleep(Duration::from_secs(1)).await;

        let since = now_us();
        ends.push(other.stop().await);
        owns(&house.http, PARTITIONS, SOON).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        stopped.push(longest_gap(&house, since));
        other.start(&house).await;
        other.owns(half, SOON).await;
    }
    let mut acks = Vec::new();
    for load in loads {
        acks.extend(load.stop().await);
    }
    let accounts = Accounts::settle(&house, &acks, PATIENCE * 2).await;
    println!(
        "two nodes, acknowledged {}; longest wait of a session: calm {calm:.1?}, stopped {stopped:.1?} (in {ends:.1?}), killed {killed:.1?}, \
         frozen for {FROZEN:?} {frozen:.1?}\n{accounts}",
        acks.len()
    );
    assert!(accounts.is_clean() && accounts.inversions == 0, "{accounts}");
    assert!(stopped.iter().all(|gap| *gap <= GAP + calm), "{stopped:?}");
    assert!(killed.iter().chain(&frozen).all(|gap| *gap <= TAKEN + calm), "{killed:?} {frozen:?}");
    assert!(killed.iter().all(|gap| *gap > GAP), "nothing was taken over: {killed:?}");
    // Whatever happened to whom, both show all of it.
    let last = &acks.last().expect("some").id;
    let reply = other.http.get(&format!("/v1/messages/{last}"), &house.key).await.expect("an answer");
    assert_eq!(reply.status, 200, "{reply}");
    let stays = house.node().ended();
    assert!(stays.is_none(), "{stays:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka and a Cassandra: tests/run cluster"]
async fn roles_part_a_node_and_what_does_not_go_together_is_refused() {
    let (broker, database) = (Broker::up("main").await, Database::up("main").await);
    let mut house = shared(plan(), &broker, &database).await;
    found(&mut house).await;
    house.set("runtime.roles", vec![toml::Value::from("api")]);
    let mut worker = Neighbour::of(&house, "worker", &["--roles", "worker"], |_| {});
    worker.start(&house).await;
    worker.owns(PARTITIONS, SOON).await;
    house.start().await;
    house.declare().await;
    let id = house.accept(SESSIONS[0], "+4915550000001", "hello").await;
    house.until(&id, &["delivered", "read"]).await;
    owns(&house.http, 0, SOON).await;
    let reply = worker.http.get(&format!("/v1/messages/{id}"), &house.key).await.expect("an answer");
    assert_eq!(reply.status, 404, "a worker serves health and metrics alone: {reply}");

    // A folder is one node's; a key is everybody's; half a node is no node.
    let refused = async |name: &str, said: &str, change: &dyn Fn(&mut toml::Table)| {
        let mut wrong = Neighbour::of(&house, name, &[], change);
        let node = wrong.spawn(&house);
        let code = node.exit_code(Duration::from_secs(30)).await;
        assert!(code != 0 && node.said().contains(said), "{name}: {code} {}", node.said());
    };
    let data = house.data().display().to_string();
    refused("same", &data, &|it| {
        drop(it["data"].as_table_mut().expect("a section").insert("dir".into(), data.clone().into()))
    })
    .await;
    let key = house.folder().join("wrong.key");
    std::fs::write(&key, format!("{}\n", "0".repeat(64))).expect("a key");
    std::fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("for its owner alone");
    let put = |it: &mut toml::Table, section: &str, key: &str, value: &str| {
        it[section].as_table_mut().expect("a section").insert(key.to_owned(), value.into());
    };
    let wrong_key = key.display().to_string();
    refused("key", "not the instance key", &|it| put(it, "vault", "key_file", &wrong_key)).await;
    refused("half", "runtime.roles", &|it| put(it, "store", "kind", "embedded")).await;
}
