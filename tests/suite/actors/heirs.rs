//! What the last owner of a partition still does, and who has it when nobody takes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use waybill::actors::hands::{Fault, Limits};
use waybill::domain::address::Address;
use waybill::domain::draft::Draft;
use waybill::domain::event::{ClaimedV1, Event, GateAskedV1, MessageMovedOutV1, SessionSuspendedV1};
use waybill::domain::gate::Gate;
use waybill::domain::id::{EventId, MessageId, NodeId, TenantId};
use waybill::domain::message::State;
use waybill::domain::record::Principal;
use waybill::domain::routing;
use waybill::domain::row::{Row, RowId};
use waybill::journal::{Appended, Deed};
use waybill::runtime::{Clock, Entropy, SystemClock, SystemEntropy};
use waybill::store::{gates, rows};

use super::handover::quick;
use super::nodes::{Accepted, Account, Nodes};
use super::world::{PARTITIONS, limits};

const SOON: Duration = Duration::from_secs(20);
const CALL: Duration = Duration::from_millis(30);

/// No partition is without an owner for longer.
const ORPHANED: Duration = Duration::from_secs(10);

async fn eventually(what: &str, within: Duration, is: impl Fn() -> bool) {
    let start = Instant::now();
    while !is() {
        assert!(start.elapsed() < within, "not in time: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Stops attempts right before their calls, until they are let go.
#[derive(Default)]
struct Freezer {
    frozen: Mutex<bool>,
    thawed: Condvar,
    left: AtomicUsize,
}

impl Freezer {
    fn fault(self: &Arc<Self>) -> Fault {
        let this = Arc::clone(self);
        Arc::new(move |at: &'static str| {
            let one_less = |left: usize| left.checked_sub(1);
            if at == "attempt:before_call"
                && this.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok()
            {
                this.thawed.wait_while(&mut this.frozen.lock(), |frozen| *frozen);
            }
        })
    }

    /// The next attempt stops there.
    fn freeze_one(&self) {
        *self.frozen.lock() = true;
        self.left.store(1, Ordering::SeqCst);
    }

    fn thaw(&self) {
        *self.frozen.lock() = false;
        self.thawed.notify_all();
    }
}

/// Two nodes, of which the first one owns everything and has an attempt right before its call.
async fn frozen_before_its_call(deadline: Duration) -> (Nodes, Arc<Freezer>, TenantId, MessageId) {
    let freezer = Arc::new(Freezer::default());
    let limits = Limits { intent_deadline: deadline, ..limits() };
    let nodes = Nodes::with_fault(2, limits, CALL, Some(freezer.fault())).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (tenant, sessions) = nodes.declare(1).await;
    freezer.freeze_one();
    let message = nodes.house.accept(tenant, sessions[0], "+4915550000001").await;
    eventually("an attempt", SOON, || freezer.left.load(Ordering::SeqCst) == 0).await;
    (nodes, freezer, tenant, message)
}

async fn ask(nodes: &Nodes, tenant: TenantId, closed: bool) {
    let facts = GateAskedV1 { gate: Gate::Tenant { tenant }, closed, reason: "asked".to_owned() };
    nodes.house.tell(tenant, tenant, facts).await;
    nodes.house.applied(tenant).await;
}

async fn switch(nodes: &Nodes, tenant: TenantId, closed: bool) {
    ask(nodes, tenant, closed).await;
    nodes.house.until_effective(tenant).await;
}

/// Waits until every partition has applied the last word. Says whether it is effective.
async fn until_heard(nodes: &Nodes, tenant: TenantId) -> bool {
    let (store, gate, start) = (nodes.house.hands.store.as_ref(), Gate::Tenant { tenant }, Instant::now());
    loop {
        let Some(Row::Asks(asks)) = rows::get(store, &RowId::Asks(tenant)).await.expect("readable") else {
            panic!("nothing was asked for")
        };
        let asked = asks.on(&gate).expect("it is closed");
        if gates::unheard(store, PARTITIONS, &gate, asked.position).await.expect("readable").is_empty() {
            return asked.effective;
        }
        assert!(start.elapsed() < SOON, "it is not applied");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// One owner has an attempt right before its call, another one takes over, and an operator closes a gate.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn what_waited_for_its_call_where_the_partition_was_lost_does_not_leave_after_a_gate_is_closed() {
    let (nodes, freezer, tenant, message) = frozen_before_its_call(Duration::from_secs(20)).await;
    nodes.propose(1, []);
    nodes.propose(2, 0..PARTITIONS);
    nodes.until_owned(2, SOON).await;
    eventually("it reads that it is taken", SOON, || nodes.node(1).hands.registry.owned() == 0).await;
    ask(&nodes, tenant, true).await;
    assert!(!until_heard(&nodes, tenant).await, "it is on its way");
    freezer.thaw();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(nodes.wire.calls().len(), 0, "it was lost, and the gate is closed");
    let start = Instant::now();
    nodes.house.until_effective(tenant).await;
    assert!(start.elapsed() < Duration::from_secs(8), "what was open has ended: nothing is waited for");
    switch(&nodes, tenant, false).await;
    nodes.house.until(&[message], SOON, &[State::Sent]).await;
    let by: Vec<u8> = nodes.wire.calls().iter().map(|call| call.node).collect();
    assert_eq!(by, [2]);
    nodes.stop().await;
}

/// The same of one that is frozen, and does not even hear that it has lost the partition.
#[tokio::test(flavor = "multi_thread", worker_threads = 8)]
async fn a_closed_gate_is_effective_once_nothing_of_a_frozen_owner_may_leave() {
    let (nodes, freezer, tenant, message) = frozen_before_its_call(Duration::from_secs(3)).await;
    nodes.node(1).journal.hold_tails();
    nodes.propose(2, 0..PARTITIONS);
    nodes.until_owned(2, SOON).await;
    let start = Instant::now();
    switch(&nodes, tenant, true).await;
    let waited = start.elapsed();
    freezer.thaw();
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(nodes.wire.calls().len(), 0, "it was told after {waited:?} that nothing leaves any more");
    let start = Instant::now();
    switch(&nodes, tenant, false).await;
    assert!(start.elapsed() < Duration::from_secs(2), "an opening waits for nobody");
    nodes.node(1).journal.release_all();
    nodes.house.until(&[message], SOON, &[State::Sent, State::Unknown]).await;
    assert!(nodes.wire.calls().iter().all(|call| call.node == 2));
    nodes.stop().await;
}

/// It is frozen, another one takes over and dies, and it is asked again: all that before it reads anything of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_is_read_after_one_is_asked_again_is_no_reason_to_stay_away() {
    let nodes = Nodes::new(2, quick(), CALL).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (tenant, sessions) = nodes.declare(2).await;
    nodes.node(1).journal.hold_tails();
    nodes.propose(2, 0..PARTITIONS);
    nodes.until_owned(2, SOON).await;
    nodes.kill(2);
    nodes.propose(1, 0..PARTITIONS);
    tokio::time::sleep(Duration::from_millis(300)).await;
    nodes.node(1).journal.release_all();
    nodes.until_owned(1, ORPHANED).await;
    let mut accepted = Accepted::default();
    for n in 0..8 {
        accepted.one(&nodes.house, tenant, (n % 2, sessions[n % 2])).await;
    }
    assert_eq!(accepted.account(&nodes, SOON).await, Account::default());
    nodes.stop().await;
}

/// A claim of nobody lands while a call is slow.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_nobody_takes_does_not_wait_for_a_slow_call() {
    let limits = Limits { intent_deadline: Duration::from_secs(30), ..limits() };
    let nodes = Nodes::new(2, limits, CALL).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (tenant, sessions) = nodes.declare(1).await;
    nodes.wire.slow_down_one(Duration::from_secs(14));
    let mut accepted = Accepted::default();
    accepted.one(&nodes.house, tenant, (0, sessions[0])).await;
    eventually("a slow call", SOON, || !nodes.wire.calls().is_empty()).await;
    nodes.node(2).journal.script(vec![Deed::held(); usize::from(PARTITIONS)]);
    nodes.propose(2, 0..PARTITIONS);
    tokio::time::sleep(Duration::from_millis(300)).await;
    nodes.kill(2);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(nodes.node(1).journal.land(), usize::from(PARTITIONS), "claims that name the last valid one");
    nodes.until_claimed(3, ORPHANED).await;
    nodes.until_owned(1, ORPHANED).await;
    accepted.one(&nodes.house, tenant, (0, sessions[0])).await;
    assert_eq!(accepted.account(&nodes, SOON).await, Account::default(), "its answer is found");
    nodes.stop().await;
}

/// The same, and whoever looks whether it is taken dies of something else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_nobody_takes_is_taken_back_also_when_its_watch_dies() {
    let armed = Arc::new(AtomicUsize::new(0));
    let arm = Arc::clone(&armed);
    let fault: Fault = Arc::new(move |at: &'static str| {
        let one_less = |left: usize| left.checked_sub(1);
        let dies = at == "partition:leaves" && arm.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less).is_ok();
        assert!(!dies, "injected");
    });
    let nodes = Nodes::with_fault(2, quick(), CALL, Some(fault)).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (tenant, sessions) = nodes.declare(1).await;
    nodes.node(2).journal.script(vec![Deed::held(); usize::from(PARTITIONS)]);
    nodes.propose(2, 0..PARTITIONS);
    tokio::time::sleep(Duration::from_millis(300)).await;
    nodes.kill(2);
    tokio::time::sleep(Duration::from_millis(200)).await;
    armed.store(usize::from(PARTITIONS), Ordering::SeqCst);
    assert_eq!(nodes.node(1).journal.land(), usize::from(PARTITIONS), "claims that name the last valid one");
    eventually("they die", SOON, || armed.load(Ordering::SeqCst) == 0).await;
    nodes.until_claimed(3, ORPHANED).await;
    nodes.until_owned(1, ORPHANED).await;
    let mut accepted = Accepted::default();
    accepted.one(&nodes.house, tenant, (0, sessions[0])).await;
    assert_eq!(accepted.account(&nodes, SOON).await, Account::default());
    nodes.stop().await;
}

/// Who is not wanted any more goes on, dies, and finds that its rightful owner has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_dies_where_it_is_not_wanted_does_not_claim_against_its_owner() {
    let armed = Arc::new(AtomicBool::new(false));
    let arm = Arc::clone(&armed);
    let fault: Fault = Arc::new(move |at: &'static str| {
        let dies = at == "partition:before_commit" && arm.swap(false, Ordering::SeqCst);
        assert!(!dies, "injected");
    });
    let nodes = Nodes::with_fault(2, quick(), CALL, Some(fault)).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (tenant, sessions) = nodes.declare(1).await;
    let partition = routing::partition(&sessions[0].into(), PARTITIONS);
    nodes.house.applied(sessions[0]).await;
    nodes.propose(1, []);
    nodes.node(1).journal.hold_tails();
    let suspended = SessionSuspendedV1 { session: sessions[0], reason: "something to write".to_owned() };
    nodes.house.tell(sessions[0], tenant, suspended).await;
    nodes.propose(2, 0..PARTITIONS);
    nodes.until_owned(2, SOON).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    armed.store(true, Ordering::SeqCst);
    nodes.node(1).journal.release(partition, 1);
    eventually("it dies", SOON, || !armed.load(Ordering::SeqCst)).await;
    nodes.node(1).journal.release_all();
    eventually("it reads that it is taken", SOON, || nodes.node(1).hands.registry.owned() == 0).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(nodes.claims(), [2; PARTITIONS as usize]);
    assert_eq!(nodes.owners().await, [Some(2); PARTITIONS as usize]);
    nodes.stop().await;
}

/// One batch holds a message that leaves, the claim of another node, and what that node is to do.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_reads_that_it_is_taken_writes_nothing_beyond_that_claim() {
    let nodes = Nodes::new(1, quick(), CALL).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (house, journal) = (&nodes.house, &nodes.node(1).journal);
    let (tenant, sessions) = nodes.declare(2).await;
    let (from, to) = (sessions[0], sessions[1]);
    let suspended = SessionSuspendedV1 { session: from, reason: "it waits".to_owned() };
    house.tell(from, tenant, suspended).await;
    let message = house.accept(tenant, from, "+4915550000001").await;
    house.applied(from).await;

    let partition = routing::partition(&from.into(), PARTITIONS);
    let there = routing::partition(&to.into(), PARTITIONS);
    let Some(Row::Partition(row)) =
        rows::get(house.hands.store.as_ref(), &RowId::Partition(partition)).await.expect("readable")
    else {
        panic!("nobody owns it")
    };
    journal.hold_tails();
    let leg = message.leg(1, to, there);
    let leaves =
        MessageMovedOutV1 { session: from, message, number: 1, to, leg, person: None, reason: Some("why".to_owned()) };
    house.tell(from, tenant, leaves).await;
    let claim = Event::from(ClaimedV1 { node: NodeId([9; 16]), supersedes: row.claim });
    let draft = Draft::new(
        EventId(SystemEntropy.id()),
        Address::partition(partition),
        &claim,
        Principal::Node(NodeId([9; 16])),
        SystemClock.wall(),
    );
    let Appended::Durable { first, .. } = house.append(partition, draft.record().expect("small")).await else {
        panic!("it is not taken")
    };
    house.accept(tenant, from, "+4915550000002").await;
    journal.release_all();
    eventually("it reads that claim", SOON, || !nodes.node(1).hands.registry.owns(partition)).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mark = house.hands.store.applied(partition).await.expect("readable");
    assert!(mark < Some(first), "{mark:?} is beyond the claim at {first:?}");
    nodes.stop().await;
}
