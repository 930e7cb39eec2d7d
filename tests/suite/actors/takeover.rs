//! Partitions taken over from nodes that are dead or frozen, and claims that come late or twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use waybill::actors::hands::Fault;
use waybill::actors::root::HANDOVER;
use waybill::domain::message::State;
use waybill::journal::{Deed, Odds};

use super::handover::{loaded, quick};
use super::nodes::{Account, Nodes, longest_gap};
use super::world::PARTITIONS;

const SOON: Duration = Duration::from_secs(20);
const CALL: Duration = Duration::from_millis(30);

/// No partition is without an owner for longer.
const ORPHANED: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_node_is_taken_over_and_only_what_was_under_way_is_unknown() {
    let mut nodes = Nodes::new(4, quick(), CALL).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let mut account = Account::default();
    for number in 1..4 {
        let (back, accepted) = loaded(nodes, async |nodes| {
            tokio::time::sleep(Duration::from_millis(400)).await;
            nodes.kill(number);
            nodes.propose(number + 1, 0..PARTITIONS);
            nodes.until_owned(number + 1, ORPHANED).await;
            tokio::time::sleep(Duration::from_millis(400)).await;
        })
        .await;
        nodes = back;
        let found = accepted.account(&nodes, SOON).await;
        println!("{} accepted, node {number} killed: {found:?}", accepted.0.len());
        account.lost += found.lost;
        account.doubled += found.doubled;
        account.inverted += found.inverted;
        assert!(found.unknown <= 16 * 6, "more than the windows of six sessions: {found:?}");
    }
    assert_eq!(account, Account::default());
    nodes.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_is_frozen_past_its_claim_sends_nothing_when_it_wakes() {
    let nodes = Nodes::new(2, quick(), CALL).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (nodes, accepted) = loaded(nodes, async |nodes| {
        for (frozen, awake) in [(1, 2), (2, 1), (1, 2)] {
            tokio::time::sleep(Duration::from_millis(300)).await;
            // It writes what it likes, and reads nothing: not that another one owns everything by now.
            nodes.node(frozen).journal.hold_tails();
            nodes.propose(awake, 0..PARTITIONS);
            nodes.until_owned(awake, ORPHANED).await;
            tokio::time::sleep(Duration::from_millis(2_500)).await;
            let woken = Instant::now();
            nodes.node(frozen).journal.release_all();
            tokio::time::sleep(Duration::from_millis(500)).await;
            let calls = nodes.wire.calls();
            let late = calls.iter().filter(|call| call.node == frozen && call.at > woken).count();
            assert_eq!(late, 0, "it called after another one owned its partitions");
            nodes.propose(frozen, []);
        }
    })
    .await;
    let account = accepted.account(&nodes, SOON).await;
    println!("{} accepted, frozen three times: {account:?}", accepted.0.len());
    assert_eq!(Account { unknown: 0, ..account }, Account::default());
    nodes.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_that_come_late_or_twice_settle() {
    let deeds = [Deed::twice(), Deed::late(3), Deed::durable_but_doubtful(), Deed::again_after(5), Deed::lost()];
    let nodes = Nodes::new(2, quick(), CALL).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (nodes, accepted) = loaded(nodes, async |nodes| {
        for (n, deed) in deeds.into_iter().enumerate() {
            let (from, to) = if n % 2 == 0 { (1, 2) } else { (2, 1) };
            nodes.node(to).journal.script(vec![deed; usize::from(PARTITIONS)]);
            nodes.propose(to, 0..PARTITIONS);
            nodes.propose(from, []);
            nodes.until_owned(to, ORPHANED).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    })
    .await;
    let account = accepted.account(&nodes, SOON).await;
    println!("{} accepted: {account:?}", accepted.0.len());
    assert_eq!(Account { unknown: 0, ..account }, Account::default());
    nodes.stop().await;
}

/// A claim of a node that is no more lands after another one owns everything: nobody is there to take it up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_of_a_dead_node_leaves_no_partition_without_an_owner() {
    let nodes = Nodes::new(2, quick(), CALL).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (nodes, accepted) = loaded(nodes, async |nodes| {
        nodes.node(2).journal.script(vec![Deed::held(); usize::from(PARTITIONS)]);
        nodes.propose(2, 0..PARTITIONS);
        tokio::time::sleep(Duration::from_millis(300)).await;
        nodes.kill(2);
        tokio::time::sleep(Duration::from_millis(200)).await;
        let landed = nodes.node(1).journal.land();
        assert_eq!(landed, usize::from(PARTITIONS), "claims that name the last valid one");
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(nodes.owners().await, [Some(1); PARTITIONS as usize], "as far as anybody has applied");
        let start = Instant::now();
        let before = nodes.wire.calls().len();
        nodes.until_claimed(3, ORPHANED).await;
        nodes.until_owned(1, ORPHANED).await;
        println!("taken back after {:?}", start.elapsed());
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(nodes.wire.calls().len() > before);
    })
    .await;
    assert_eq!(accepted.account(&nodes, SOON).await, Account::default());
    nodes.stop().await;
}

/// Everything at once, over and over: a seed decides how the journal misbehaves.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_a_journal_that_misbehaves_nothing_is_lost_or_doubled() {
    let seeds = if std::env::var_os("WAYBILL_LONG").is_some() { 40 } else { 3 };
    for seed in 0..seeds {
        let nodes = Nodes::new(3, quick(), CALL).await;
        let odds = Odds { doubtful: 20, late: 20, twice: 40, lost: 10, overloaded: 20 };
        for number in 1..=3 {
            nodes.node(number).journal.misbehave(seed * 3 + u64::from(number), odds);
        }
        nodes.propose(1, 0..PARTITIONS);
        nodes.until_owned(1, SOON).await;
        let (nodes, accepted) = loaded(nodes, async |nodes| {
            for to in [2, 3, 1, 2] {
                for number in 1..=3 {
                    nodes.propose(number, if number == to { 0..PARTITIONS } else { 0..0 });
                }
                nodes.until_owned(to, ORPHANED).await;
                tokio::time::sleep(Duration::from_millis(300)).await;
            }
        })
        .await;
        nodes.house.journal.land();
        let account = accepted.account(&nodes, SOON).await;
        println!("seed {seed}: {} accepted, {account:?}", accepted.0.len());
        assert_eq!(Account { unknown: 0, ..account }, Account::default(), "seed {seed}");
        nodes.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_left_by_everybody_waits_and_goes_on() {
    let nodes = Nodes::new(2, quick(), CALL).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (nodes, accepted) = loaded(nodes, async |nodes| {
        tokio::time::sleep(Duration::from_millis(200)).await;
        nodes.nodes[0].1.end();
        let start = Instant::now();
        while nodes.node(1).hands.registry.owned() > 0 {
            assert!(start.elapsed() < HANDOVER + Duration::from_secs(2), "it does not let go");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(nodes.node(1).hands.registry.is_quiet(), "everything under way came to its end");
    })
    .await;
    let waiting = accepted.ids();
    let mut sent = 0;
    for message in &waiting {
        sent += usize::from(nodes.house.row(*message).await.is_some_and(|row| row.state() == State::Sent));
    }
    assert!(sent > 0 && sent < waiting.len(), "{sent} of {}", waiting.len());
    nodes.propose(2, 0..PARTITIONS);
    assert_eq!(accepted.account(&nodes, SOON).await, Account::default());
    nodes.stop().await;
}

/// The one thing that no journal can stop: four calls are about to be made when their process freezes.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn one_that_is_frozen_right_before_its_calls_does_not_make_them() {
    let (frozen, left) = (Arc::new((Mutex::new(false), Condvar::new())), Arc::new(AtomicUsize::new(0)));
    let (freezes, some) = (Arc::clone(&frozen), Arc::clone(&left));
    let fault: Fault = Arc::new(move |at: &'static str| {
        let one_less = |left: usize| left.checked_sub(1);
        if at == "attempt:before_call" && some.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok() {
            let (is_frozen, thawed) = &*freezes;
            thawed.wait_while(&mut is_frozen.lock(), |frozen| *frozen);
        }
    });
    let nodes = Nodes::with_fault(2, quick(), CALL, Some(fault)).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (nodes, accepted) = loaded(nodes, async |nodes| {
        tokio::time::sleep(Duration::from_millis(300)).await;
        *frozen.0.lock() = true;
        left.store(4, Ordering::SeqCst);
        while left.load(Ordering::SeqCst) > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        nodes.propose(2, 0..PARTITIONS);
        nodes.propose(1, []);
        nodes.until_owned(2, ORPHANED).await;
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        let woken = Instant::now();
        *frozen.0.lock() = false;
        frozen.1.notify_all();
        tokio::time::sleep(Duration::from_millis(300)).await;
        let late = nodes.wire.calls().iter().filter(|call| call.node == 1 && call.at > woken).count();
        assert_eq!(late, 0, "their deadlines had passed");
    })
    .await;
    let account = accepted.account(&nodes, SOON).await;
    println!("{} accepted, four calls frozen: {account:?}", accepted.0.len());
    assert!(account.unknown <= 4);
    assert_eq!(Account { unknown: 0, ..account }, Account::default());
    nodes.stop().await;
}

/// Two proposals crossed: who was asked first has lost it by then, and who is asked no more has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_that_is_not_wanted_goes_on_until_somebody_takes_over() {
    let nodes = Nodes::new(2, quick(), CALL).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (nodes, accepted) = loaded(nodes, async |nodes| {
        nodes.propose(2, 0..PARTITIONS);
        nodes.until_owned(2, ORPHANED).await;
        nodes.propose(2, []);
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(nodes.node(2).hands.registry.owned(), usize::from(PARTITIONS));
        nodes.propose(1, 0..PARTITIONS);
        nodes.until_owned(1, ORPHANED).await;
    })
    .await;
    assert_eq!(accepted.account(&nodes, SOON).await, Account::default());
    assert!(longest_gap(&nodes.wire.calls()) < Duration::from_secs(2));
    nodes.stop().await;
}
