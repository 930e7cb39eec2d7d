//! The audit after a backup was put back, or a key was lost: what would contradict what was signed is refused, visibly, until
//! another log begins, which begins with what is there.

use std::sync::Arc;
use std::time::{Duration, Instant};

use waybill::domain::address::Address;
use waybill::domain::audit::Checkpoint;
use waybill::domain::audit::checkpoint::origin;
use waybill::domain::event::{CheckpointSealedV1, Event, HeadV1, HeadsReportedV1, LogBegunV1};
use waybill::domain::id::{InstallationId, NodeId, SessionId, TenantId};
use waybill::domain::record::Position;
use waybill::domain::routing;
use waybill::domain::row::SignedRow;
use waybill::domain::secret_name::{AUDIT_HEAD, AUDIT_KEY};
use waybill::journal::Journal;
use waybill::runtime::{Clock, SystemClock, SystemEntropy};
use waybill::vault::memory::MemoryVault;
use waybill::vault::{SecretBytes, Vault};

use super::handover::quick;
use super::nodes::Nodes;
use super::sealed::{log_row, rebuilt_log, signed, some_messages, world};
use super::world::{PARTITIONS, World};

fn audit() -> Address {
    Address::audit(InstallationId([1; 16]))
}

async fn tell(world: &World, event: impl Into<Event>) {
    world.tell(audit(), TenantId([0; 16]), event).await;
}

async fn begin(world: &World, era: u32) {
    tell(world, LogBegunV1 { era, reason: "put back".to_owned() }).await;
    world.applied(audit()).await;
}

/// What the node says of a part that needs somebody's hand.
fn warning(world: &World, part: &str) -> Option<String> {
    world.hands.health.warnings().into_iter().find(|(named, _)| *named == part).map(|(_, why)| why)
}

async fn warned(world: &World, part: &str) -> String {
    let start = Instant::now();
    loop {
        if let Some(why) = warning(world, part) {
            return why;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "nothing is said of {part}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Nothing more is signed, though there is something to be.
async fn stays(world: &World, tenant: TenantId, session: SessionId, before: &SignedRow) {
    some_messages(world, tenant, session).await;
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(log_row(world).await.signed.as_ref(), Some(before), "nothing was signed");
}

async fn put(world: &World, name: &str, bytes: Vec<u8>) {
    world.vault.put_secret(None, name, &SecretBytes::new(bytes)).await.expect("kept");
}

/// Another log is signed under this number, and is what the journal says.
async fn goes_on(world: &World, before: &SignedRow, era: u32) -> SignedRow {
    let after = signed(world).await;
    assert_eq!(after.origin, format!("waybill/{}/{era}", InstallationId([1; 16])));
    assert_ne!(after.origin, before.origin);
    assert_eq!(rebuilt_log(world).await, (after.size, after.root));
    for part in ["audit", "audit_heads"] {
        assert_eq!(warning(world, part), None);
    }
    let head = world.vault.secret(None, AUDIT_HEAD).await.expect("readable").expect("kept");
    assert!(head.to_text().starts_with(&format!("{}\n", after.origin)), "the vault knows the new one");
    after
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_log_is_begun_where_the_journal_was_put_back_on_purpose() {
    let (mut world, tenant, session) = world().await;
    some_messages(&world, tenant, session).await;
    let before = signed(&world).await;
    let other = Checkpoint { root: [7; 32], size: before.size + 1_000, origin: before.origin.clone() };
    put(&world, AUDIT_HEAD, other.to_string().into_bytes()).await;
    world.restart().await;
    stays(&world, tenant, session, &before).await;
    assert!(warned(&world, "audit").await.contains("waybill audit begin"), "and what to do is said");
    assert!(world.hands.health.is_well(), "nothing else waits for it");
    begin(&world, 1).await;
    let after = goes_on(&world, &before, 1).await;
    assert_eq!(after.key, before.key);
    some_messages(&world, tenant, session).await;
    goes_on(&world, &before, 1).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_origin_that_was_published_is_not_signed_under_again() {
    let (mut world, tenant, session) = world().await;
    some_messages(&world, tenant, session).await;
    let before = signed(&world).await;
    // The journal was put back from before a third log was begun; the vault was not.
    let third = Checkpoint { root: [7; 32], size: 3, origin: format!("{}/3", before.origin) };
    put(&world, AUDIT_HEAD, third.to_string().into_bytes()).await;
    world.restart().await;
    stays(&world, tenant, session, &before).await;
    assert!(warned(&world, "audit").await.contains("/3"));
    begin(&world, 4).await;
    goes_on(&world, &before, 4).await;
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_is_not_signed_with_another_key() {
    let (mut world, tenant, session) = world().await;
    some_messages(&world, tenant, session).await;
    let before = signed(&world).await;
    put(&world, AUDIT_KEY, vec![9; 32]).await;
    world.restart().await;
    stays(&world, tenant, session, &before).await;
    let why = warned(&world, "audit").await;
    assert!(why.contains(&hex::encode(before.key)) && why.contains("waybill audit begin"), "{why}");
    begin(&world, 1).await;
    assert_ne!(goes_on(&world, &before, 1).await.key, before.key);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_is_gone_is_not_drawn_anew_for_the_same_log() {
    let (mut world, tenant, session) = world().await;
    some_messages(&world, tenant, session).await;
    let before = signed(&world).await;
    let empty = Arc::new(MemoryVault::new(InstallationId([1; 16]), PARTITIONS, Arc::new(SystemEntropy)));
    (world.vault, world.hands.vault) = (Arc::clone(&empty), empty);
    world.restart().await;
    stays(&world, tenant, session, &before).await;
    assert!(warned(&world, "audit").await.contains(&hex::encode(before.key)));
    assert_eq!(world.vault.secret(None, AUDIT_KEY).await, Ok(None), "none was drawn");
    begin(&world, 1).await;
    assert_ne!(goes_on(&world, &before, 1).await.key, before.key);
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_lost_its_end_says_so_and_begins_anew_in_another_log() {
    let lost = (0..PARTITIONS).find(|number| *number != routing::partition(&audit(), PARTITIONS)).expect("another one");
    for beyond in [0, 10_000] {
        let (mut world, tenant, session) = world().await;
        some_messages(&world, tenant, session).await;
        let before = signed(&world).await;
        // What a journal said of itself whose end is gone: as far as the next claim stands, or further.
        // The double's places have gaps of up to 256: the next claim stands at the next multiple.
        let through = Position(world.journal.end(lost).0.next_multiple_of(256) + beyond);
        let heads = vec![HeadV1 { tenant: TenantId([0; 16]), size: 9_000, root: [7; 32] }];
        tell(&world, HeadsReportedV1 { partition: lost, through, part: 0, whole: true, since: 0, heads, era: 0 }).await;
        for process in [8, 9] {
            world.hands.node = NodeId([process; 16]);
            world.restart().await;
            let why = warned(&world, "audit_heads").await;
            println!("{beyond}, {process}: {why}");
            assert!(why.contains(&format!("partition {lost} ")) && why.contains("waybill audit begin"), "{why}");
            some_messages(&world, tenant, session).await;
            tokio::time::sleep(Duration::from_millis(1_500)).await;
        }
        let reports = world.entries(routing::partition(&audit(), PARTITIONS)).await;
        let (mut said, mut losses) = (Vec::new(), 0);
        for entry in &reports {
            match entry.record.event() {
                Ok(Event::HeadsReported(facts)) if facts.partition == lost => said.push(facts.through),
                Ok(Event::HeadsLost(facts)) => losses += u32::from(facts.partition == lost && facts.through == through),
                _ => {}
            }
        }
        assert_eq!((said.last(), losses), (Some(&through), 1), "it said nothing more, and once why");
        begin(&world, 1).await;
        goes_on(&world, &before, 1).await;
        some_messages(&world, tenant, session).await;
        goes_on(&world, &before, 1).await;
        world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_to_be_sealed_does_so_since_it_happened() {
    let (mut world, tenant, session) = world().await;
    signed(&world).await;
    // Nobody reads them, so nobody reports them, before the next life.
    world.journal.hold_tails();
    for n in 0..10 {
        world.accept(tenant, session, &format!("+49155{n:07}")).await;
    }
    let stopped = SystemClock.wall();
    world.restart().await;
    world.journal.release_all();
    let (start, unsealed) = (Instant::now(), Arc::clone(&world.hands.registry));
    let waits = || (0..PARTITIONS).filter_map(|number| unsealed.unsealed.since(number)).min();
    while waits().is_none_or(|since| since >= stopped) {
        assert!(start.elapsed() < Duration::from_secs(5), "{:?} since {stopped}", waits());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_is_said_by_whoever_owns_it_and_by_nobody_else() {
    let nodes = Nodes::new(2, quick(), Duration::from_millis(1)).await;
    let head = Checkpoint { root: [7; 32], size: 1_000_000, origin: origin(InstallationId([1; 16]), 0) };
    put(&nodes.house, AUDIT_HEAD, head.to_string().into_bytes()).await;
    nodes.propose(1, 0..PARTITIONS);
    nodes.until_owned(1, Duration::from_secs(20)).await;
    let (tenant, sessions) = nodes.declare(1).await;
    some_messages(&nodes.house, tenant, sessions[0]).await;
    warned(nodes.node(1), "audit").await;
    let waits = |number: u8| nodes.node(number).hands.registry.unsealed.oldest();
    assert!(waits(1).is_some() && waits(2).is_none());
    nodes.propose(2, 0..PARTITIONS);
    nodes.propose(1, []);
    nodes.until_owned(2, Duration::from_secs(20)).await;
    warned(nodes.node(2), "audit").await;
    let start = Instant::now();
    while waits(1).is_some() || warning(nodes.node(1), "audit").is_some() || waits(2).is_none() {
        assert!(start.elapsed() < Duration::from_secs(10), "{:?} {:?}", waits(1), waits(2));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    nodes.stop().await;
}

/// How many reports of a partition stand in the journal.
fn reports(world: &World, partition: u16) -> usize {
    let home = world.journal.contents(routing::partition(&audit(), PARTITIONS));
    let of = |event| matches!(event, Ok(Event::HeadsReported(facts)) if facts.partition == partition);
    home.iter().filter(|entry| of(entry.record.event())).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_reported_before_it_is_known_what_was() {
    let (mut world, tenant, mut session) = world().await;
    let (home, place) =
        (routing::partition(&audit(), PARTITIONS), |at: SessionId| routing::partition(&at.into(), PARTITIONS));
    for n in 0..100 {
        if place(session) == home {
            session = world.session(tenant, &format!("elsewhere-{n}")).await;
        }
    }
    let busy = place(session);
    assert_ne!(busy, home);
    some_messages(&world, tenant, session).await;
    signed(&world).await;
    let before = reports(&world, busy);
    // More events than are waited for, all of them after the next life begins; and the audit's own partition is slow, with
    // something in its journal that does not show.
    world.journal.hold_tails();
    tell(&world, CheckpointSealedV1 { era: 0 }).await;
    for n in 0..1_500 {
        world.accept(tenant, session, &format!("+49155{n:07}")).await;
    }
    world.restart().await;
    for partition in (0..PARTITIONS).filter(|partition| *partition != home) {
        world.journal.release(partition, 1_000_000);
    }
    let start = Instant::now();
    while !world.hands.registry.owns(busy) {
        assert!(start.elapsed() < Duration::from_secs(20), "it is not owned");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for n in 0..1_500 {
        world.accept(tenant, session, &format!("+49156{n:07}")).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(reports(&world, busy), before, "it was not known what was reported");
    world.journal.release_all();
    signed(&world).await;
    assert!(reports(&world, busy) > before);
    assert_eq!(warning(&world, "audit_heads"), None);
    world.stop().await;
}
