//! The group hands every partition to one member, and hands it on when that one leaves or falls silent.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::super::super::contract::{durable, genesis, record, soon};
use super::super::super::{Genesis, Journal};
use super::super::{GroupOptions, KafkaGroup, KafkaOptions};
use super::{calm, fresh, init, open, options};
use crate::domain::id::InstallationId;
use crate::domain::record::Position;

/// A member, and what it was asked to own last.
struct One {
    group: KafkaGroup,
    asked: Arc<Mutex<BTreeSet<u16>>>,
}

fn join(options: &KafkaOptions) -> One {
    let asked: Arc<Mutex<BTreeSet<u16>>> = Arc::default();
    let posted = Arc::clone(&asked);
    let group = KafkaGroup::join(options, &GroupOptions::default(), move |it| *posted.lock() = it).expect("it joins");
    One { group, asked }
}

/// Waits until each partition is asked of one of them, and each of them has some. Says how long that took.
async fn shared_out(members: &[&One], within: Duration) -> Duration {
    let start = Instant::now();
    loop {
        let each: Vec<BTreeSet<u16>> = members.iter().map(|one| one.asked.lock().clone()).collect();
        let all: BTreeSet<u16> = each.iter().flatten().copied().collect();
        let sum: usize = each.iter().map(BTreeSet::len).sum();
        if all.len() == 8 && sum == 8 && each.iter().all(|some| !some.is_empty()) {
            return start.elapsed();
        }
        assert!(start.elapsed() < within, "{each:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn every_partition_is_asked_of_one_member_and_handed_on() {
    let options = options(calm(), fresh("group"));
    init(&options, Genesis::new(InstallationId([7; 16]), 8)).await.expect("founded");
    let first = join(&options);
    let alone = shared_out(&[&first], Duration::from_secs(30)).await;
    let second = join(&options);
    let two = shared_out(&[&first, &second], Duration::from_secs(30)).await;
    drop(second.group);
    let left = shared_out(&[&first], Duration::from_secs(10)).await;
    let third = join(&options);
    shared_out(&[&first, &third], Duration::from_secs(30)).await;
    println!("asked after {alone:?}, with a second one after {two:?}, handed on after {left:?}");
    assert!(left < Duration::from_secs(2), "{left:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn what_another_node_appends_is_read_and_its_end_is_known() {
    let options = options(calm(), fresh("ends"));
    init(&options, genesis()).await.expect("founded");
    let (one, other) = (open(&options).await, open(&options).await);
    let (_, last) = durable(&one, 5, vec![record(1, 10), record(2, 10), record(3, 10)]).await;
    assert_eq!(other.end(5), Position(1), "nobody reads along there");
    assert_eq!(soon(other.fresh_end(5)).await, Ok(Position(last).next()));
    let (_, last) = durable(&one, 6, vec![record(4, 10), record(5, 10)]).await;
    assert_eq!(soon(other.read(6, Position(last))).await.expect("it stands there").position, Position(last));
    assert!(soon(other.read(6, Position(last + 1))).await.is_err());
}

#[test]
fn a_member_must_be_able_to_miss_a_heartbeat() {
    let second = Duration::from_secs(1);
    assert!(GroupOptions { session: second * 6, heartbeat: second * 2 }.check().is_ok());
    assert!(GroupOptions { session: second * 6, heartbeat: second * 3 }.check().is_err());
}
