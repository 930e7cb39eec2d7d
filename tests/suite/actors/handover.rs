//! Partitions that change hands: nothing is lost, nothing is sent twice, nobody's messages change their order, and nobody
//! waits for long.

use std::time::{Duration, Instant};

use waybill::actors::hands::Limits;
use waybill::domain::id::{SessionId, TenantId};
use waybill::domain::routing;

use super::nodes::{Accepted, Account, Nodes, longest_gap};
use super::world::{PARTITIONS, limits};

const SOON: Duration = Duration::from_secs(20);

/// Takes this long to answer: some calls are under way whenever a partition changes hands.
const CALL: Duration = Duration::from_millis(30);

pub(super) fn quick() -> Limits {
    Limits { intent_deadline: Duration::from_secs(2), ..limits() }
}

/// Loads the house while `meanwhile` happens.
pub(super) async fn loaded<F: AsyncFnOnce(&Nodes)>(nodes: Nodes, meanwhile: F) -> (Nodes, Accepted) {
    let (tenant, sessions) = nodes.declare(6).await;
    let mut accepted = Accepted::default();
    {
        let load = async {
            loop {
                next(&nodes, &mut accepted, tenant, &sessions).await;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::select! {
            () = load => unreachable!("it never ends"),
            () = meanwhile(&nodes) => {}
        }
    }
    (nodes, accepted)
}

async fn next(nodes: &Nodes, accepted: &mut Accepted, tenant: TenantId, sessions: &[SessionId]) {
    let n = accepted.0.len() % sessions.len();
    accepted.one(&nodes.house, tenant, (n, sessions[n])).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_goes_from_hand_to_hand_under_load() {
    let nodes = Nodes::new(2, quick(), CALL).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let began = Instant::now();
    let (nodes, accepted) = loaded(nodes, async |nodes| {
        tokio::time::sleep(Duration::from_millis(500)).await;
        for round in 0..6 {
            let (from, to) = if round % 2 == 0 { (1, 2) } else { (2, 1) };
            // In either order, and at the same time.
            if round % 3 == 0 {
                nodes.propose(from, [])
            }
            nodes.propose(to, 0..PARTITIONS);
            nodes.propose(from, []);
            nodes.until_owned(to, Duration::from_secs(5)).await;
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    })
    .await;
    let account = accepted.account(&nodes, SOON).await;
    let gap = longest_gap(&nodes.wire.calls());
    println!("{} accepted in {:?}, {account:?}, longest gap {gap:?}", accepted.0.len(), began.elapsed());
    assert_eq!(account, Account::default());
    assert!(gap < Duration::from_secs(2), "{gap:?}");
    nodes.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_that_are_both_told_to_own_everything_settle() {
    let nodes = Nodes::new(3, quick(), CALL).await;
    let (nodes, accepted) = loaded(nodes, async |nodes| {
        for number in 1..=3 {
            nodes.propose(number, 0..PARTITIONS);
        }
        tokio::time::sleep(Duration::from_secs(3)).await;
        let settled = (nodes.owners().await, nodes.claims());
        assert!(settled.0.iter().all(Option::is_some), "{settled:?}");
        // A proposal wins at most once: of three there are at most three valid claims, and as many again that were void.
        assert!(settled.1.iter().all(|claims| *claims <= 6), "they fight: {settled:?}");
        tokio::time::sleep(Duration::from_secs(7)).await;
        assert_eq!((nodes.owners().await, nodes.claims()), settled, "it goes on");
    })
    .await;
    assert_eq!(accepted.account(&nodes, SOON).await, Account::default());
    nodes.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outcomes_of_the_last_owner_come_late_and_count() {
    // Calls that last longer than it takes another node to begin.
    let nodes = Nodes::new(2, quick(), Duration::from_millis(1_200)).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, SOON).await;
    let (nodes, accepted) = loaded(nodes, async |nodes| {
        tokio::time::sleep(Duration::from_millis(600)).await;
        nodes.propose(2, 0..PARTITIONS);
        nodes.propose(1, []);
        nodes.until_owned(2, SOON).await;
    })
    .await;
    let under_way = nodes.wire.calls().iter().filter(|call| call.node == 1).count();
    assert!(under_way > 5, "too few to prove anything: {under_way}");
    assert_eq!(accepted.account(&nodes, SOON).await, Account::default(), "{under_way} were under way");
    nodes.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_on_another_node_lends_what_its_sessions_need() {
    lends(Nodes::new(2, quick(), CALL).await).await;
}

/// A lease lasts five seconds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_lends_to_nodes_whose_clocks_are_far_from_its_own() {
    for ahead in [6_000_000, -6_000_000] {
        lends(Nodes::by_clocks([0, ahead], quick(), CALL, None).await).await;
    }
}

async fn lends(nodes: Nodes) {
    let (tenant, sessions) = nodes.declare(6).await;
    let home = routing::partition(&tenant.into(), PARTITIONS);
    nodes.propose(1, [home]);
    nodes.propose(2, (0..PARTITIONS).filter(|partition| *partition != home));
    let abroad = |session: &SessionId| routing::partition(&(*session).into(), PARTITIONS) != home;
    let sessions: Vec<SessionId> = sessions.into_iter().filter(abroad).collect();
    let mut accepted = Accepted::default();
    for _ in 0..40 {
        next(&nodes, &mut accepted, tenant, &sessions).await;
    }
    assert_eq!(accepted.account(&nodes, SOON).await, Account::default());
    assert!(nodes.wire.calls().iter().all(|call| call.node == 2));
    nodes.stop().await;
}
