//! A partition that dies and begins anew in the same process: its calls are awaited, its stops stand, and what its earlier life
//! had on its way counts no more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use serde_json::json;
use waybill::actors::hands::{Fault, Limits};
use waybill::actors::registry::Registry;
use waybill::channel::{Channel, Scripted};
use waybill::domain::event::{Event, OutcomeV1, SessionResumedV1, SessionSuspendedV1};
use waybill::domain::failure::Answer;
use waybill::domain::gate::Marks;
use waybill::domain::id::{InstallationId, MessageId, SessionId, TenantId};
use waybill::domain::message::State;
use waybill::domain::routing;
use waybill::domain::row::{PartitionRow, Row, RowId};
use waybill::runtime::SystemClock;
use waybill::store::rows;

use super::deaths::Deaths;
use super::nodes::{Accepted, Account, Nodes};
use super::world::{PARTITIONS, World, limits};

const SOON: Duration = Duration::from_secs(20);
const COMMIT: &str = "partition:before_commit";

/// Whoever died rests so long: longer than it takes to let all of them die.
const REST: Duration = Duration::from_millis(300);

fn resting() -> Limits {
    Limits { restart_backoff: (REST, REST), ..limits() }
}

async fn partition_row(world: &World, session: SessionId) -> PartitionRow {
    let partition = routing::partition(&session.into(), PARTITIONS);
    match rows::get(world.hands.store.as_ref(), &RowId::Partition(partition)).await.expect("readable") {
        Some(Row::Partition(row)) => row,
        other => panic!("no partition but {other:?}"),
    }
}

async fn accept(world: &World, at: (TenantId, SessionId), n: usize) -> MessageId {
    let object = json!({ "to": format!("+49155{n:07}"), "type": "text", "text": { "body": "hello" } });
    world.accept_as(at.0, at.1, object).await
}

/// Whoever writes rows within a moment dies: the session's partition too, which has something to write. Each once, because
/// whoever died rests for longer.
async fn die(world: &World, deaths: &Deaths, at: (TenantId, SessionId), n: usize) -> MessageId {
    deaths.want(true);
    let before = deaths.count();
    let message = accept(world, at, n).await;
    let start = Instant::now();
    while deaths.count() == before {
        assert!(start.elapsed() < SOON, "nobody died");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    tokio::time::sleep(Duration::from_millis(50)).await;
    deaths.want(false);
    message
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_life_has_a_claim_of_its_own_and_awaits_the_calls_of_the_last_one() {
    let (deaths, fault) = Deaths::at([COMMIT], (1, u64::MAX), false);
    let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
    let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, resting(), Some(fault)).await;
    let tenant = world.tenant("acme", 100_000).await;
    let session = world.session(tenant, "orders").await;
    let answers: Vec<_> = (0..5).map(|_| channel.then_wait()).collect();
    let mut messages = Vec::new();
    for n in 0..5 {
        messages.push(accept(&world, (tenant, session), n).await);
    }
    world.until(&messages, SOON, &[State::Sending]).await;
    let mut claim = partition_row(&world, session).await.claim;
    for n in 0..3 {
        messages.push(die(&world, &deaths, (tenant, session), 5 + n).await);
        let start = Instant::now();
        loop {
            let row = partition_row(&world, session).await;
            if row.claim > claim {
                assert_eq!(row.node, Some(world.hands.node));
                claim = row.claim;
                break;
            }
            assert!(start.elapsed() < SOON, "it goes on under the claim of an earlier life");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    for (n, answer) in answers.into_iter().enumerate() {
        answer.send(Answer::Sent { provider_id: format!("wamid.{n}") }).expect("somebody waits for it");
    }
    world.until(&messages, SOON, &[State::Sent]).await;
    let asked = channel.asked();
    for message in &messages {
        assert_eq!(asked.iter().filter(|command| command.message == *message).count(), 1, "sent once");
    }
    let partition = routing::partition(&session.into(), PARTITIONS);
    let (mut claims, mut unknown) = (0, 0);
    for entry in world.entries(partition).await {
        match entry.record.event() {
            Ok(Event::Claimed(_)) => claims += 1,
            Ok(Event::AttemptsClosed(facts)) => {
                unknown += facts.closed.iter().filter(|it| matches!(it.outcome, OutcomeV1::Unknown { .. })).count();
            }
            _ => {}
        }
    }
    assert_eq!(unknown, 0, "what is under way here is awaited, not given up");
    assert_eq!(claims, 4, "one for each life");
    world.stop().await;
}

/// Looks at each beginning of a partition whether this session may leave.
fn watching(registry: &Arc<OnceLock<Arc<Registry>>>, session: SessionId, left: &Arc<AtomicBool>, then: Fault) -> Fault {
    let (registry, left) = (Arc::clone(registry), Arc::clone(left));
    Arc::new(move |at: &'static str| {
        if let Some(registry) = registry.get().filter(|_| at == "partition:begins") {
            let partition = routing::partition(&session.into(), PARTITIONS);
            let marks = Marks { tenant: TenantId([0; 16]), template: None, country: None, campaign: None };
            left.fetch_or(registry.stops.may_leave((partition, session), marks), Ordering::SeqCst);
        }
        then(at);
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_session_stays_so_while_its_partition_begins_anew() {
    let (registry, left) = (Arc::new(OnceLock::new()), Arc::new(AtomicBool::new(false)));
    let (deaths, fault) = Deaths::at([COMMIT], (1, u64::MAX), false);
    let session = SessionId::named(TenantId::named(InstallationId([1; 16]), "acme"), "orders");
    let fault = watching(&registry, session, &left, fault);
    let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
    let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, resting(), Some(fault)).await;
    let tenant = world.tenant("acme", 100_000).await;
    assert_eq!(world.session(tenant, "orders").await, session);
    world.tell(session, tenant, SessionSuspendedV1 { session, reason: "asked".to_owned() }).await;
    world.applied(session).await;
    registry.set(Arc::clone(&world.hands.registry)).expect("once");
    let mut messages = Vec::new();
    for n in 0..3 {
        messages.push(die(&world, &deaths, (tenant, session), n).await);
        world.applied(session).await;
    }
    assert!(!left.load(Ordering::SeqCst), "it might have sent");
    assert!(channel.asked().is_empty());
    world.tell(session, tenant, SessionResumedV1 { session, reason: None }).await;
    world.until(&messages, SOON, &[State::Sent]).await;
    world.stop().await;
}

async fn until_called(nodes: &Nodes, calls: usize) {
    let start = Instant::now();
    while nodes.wire.calls().len() < calls {
        assert!(start.elapsed() < SOON, "no call");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Waits until the second node has what the first one had, and the first one knows.
async fn taken(nodes: &Nodes) {
    nodes.propose(1, []);
    nodes.propose(2, 0..PARTITIONS);
    nodes.until_owned(2, SOON).await;
    let start = Instant::now();
    while nodes.node(1).hands.registry.owned() > 0 {
        assert!(start.elapsed() < SOON, "it does not read that it is taken");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A slow call is under way where the partition is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_dies_while_its_partition_is_left_hears_how_its_calls_ended() {
    let (deaths, fault) = Deaths::at(["session:nudged"], (1, 6), false);
    let nodes = Nodes::with_fault(2, limits(), Duration::from_millis(1_500), Some(fault)).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (tenant, sessions) = nodes.declare(1).await;
    let mut accepted = Accepted::default();
    accepted.one(&nodes.house, tenant, (0, sessions[0])).await;
    until_called(&nodes, 1).await;
    taken(&nodes).await;
    deaths.want(true);
    assert_eq!(accepted.account(&nodes, SOON).await, Account::default());
    deaths.were_more_than(0);
    nodes.stop().await;
}

/// The same of a partition that dies, and finds itself lost when it begins anew.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_begins_anew_as_a_lost_one_hears_how_its_calls_ended() {
    let (deaths, fault) = Deaths::at([COMMIT], (1, u64::MAX), false);
    let rest = Duration::from_millis(700);
    let limits = Limits { restart_backoff: (rest, rest), ..limits() };
    let nodes = Nodes::with_fault(2, limits, Duration::from_millis(2_500), Some(fault)).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (tenant, sessions) = nodes.declare(1).await;
    let mut accepted = Accepted::default();
    accepted.one(&nodes.house, tenant, (0, sessions[0])).await;
    until_called(&nodes, 1).await;
    die(&nodes.house, &deaths, (tenant, sessions[0]), 1).await;
    taken(&nodes).await;
    assert_eq!(accepted.account(&nodes, SOON).await, Account::default());
    nodes.stop().await;
}

/// The same of one that began anew, and has not read its claim when its node stops.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_begins_anew_while_its_node_stops_hears_how_its_calls_ended() {
    let (deaths, fault) = Deaths::at([COMMIT], (1, u64::MAX), false);
    let nodes = Nodes::with_fault(2, resting(), Duration::from_millis(2_500), Some(fault)).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (tenant, sessions) = nodes.declare(1).await;
    let mut accepted = Accepted::default();
    accepted.one(&nodes.house, tenant, (0, sessions[0])).await;
    until_called(&nodes, 1).await;
    die(&nodes.house, &deaths, (tenant, sessions[0]), 1).await;
    nodes.node(1).journal.hold_tails();
    let partition = routing::partition(&sessions[0].into(), PARTITIONS);
    let start = Instant::now();
    while nodes.claims()[usize::from(partition)] < 2 {
        assert!(start.elapsed() < SOON, "it does not begin anew");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    nodes.nodes[0].1.end();
    nodes.propose(2, 0..PARTITIONS);
    assert_eq!(accepted.account(&nodes, SOON).await, Account::default());
    nodes.stop().await;
}
