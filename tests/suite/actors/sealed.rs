//! The audit: every event is a leaf, what is signed is what the journal says, and nothing else is signed.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use waybill::audit::sign::{holds, note};
use waybill::channel::{Channel, Scripted};
use waybill::domain::audit::leaf::Leaf;
use waybill::domain::audit::note::NoteKey;
use waybill::domain::audit::proof::{Nodes, consistency, extends, root};
use waybill::domain::audit::{Checkpoint, Hash, hash};
use waybill::domain::event::Event;
use waybill::domain::id::{SessionId, TenantId};
use waybill::domain::message::State;
use waybill::domain::projection::audit::{entry_of, follows, stirs, tree_of};
use waybill::domain::record::Position;
use waybill::domain::row::{InstanceRow, Row, RowId, SignedRow, TreeId};
use waybill::domain::secret_name::AUDIT_HEAD;
use waybill::runtime::SystemClock;
use waybill::store::rows;
use waybill::vault::{SecretBytes, Vault};

use super::world::{PARTITIONS, World, limits};

/// All trees of a journal, and the instance's log over them.
#[derive(Default)]
struct Rebuilt {
    trees: BTreeMap<TreeId, Nodes>,
    log: Nodes,
    records: u64,
}

async fn rebuilt(world: &World) -> Rebuilt {
    let mut found = Rebuilt::default();
    let (mut said, mut era) = (BTreeMap::new(), 0);
    for partition in 0..PARTITIONS {
        for entry in world.entries(partition).await {
            found.records += 1;
            let tree = found.trees.entry(tree_of(&entry.record, partition)).or_default();
            tree.push(Leaf::of(&entry.record, partition, tree.size()).hash());
            let facts = match entry.record.event() {
                Ok(Event::HeadsReported(facts)) => facts,
                Ok(Event::LogBegun(facts)) if facts.era > era => {
                    (found.log, era) = (Nodes::default(), facts.era);
                    continue;
                }
                _ => continue,
            };
            if let Some(last) = follows(&facts, era, said.get(&facts.partition)) {
                said.insert(facts.partition, last);
                found.log.push(hash::leaf(&entry_of(&facts).expect("heads").bytes()));
            }
        }
    }
    found
}

/// The log's root once all of the journal was read, and its size.
pub async fn rebuilt_log(world: &World) -> (u64, Hash) {
    let log = rebuilt(world).await.log;
    (log.size(), log.root())
}

pub async fn log_row(world: &World) -> InstanceRow {
    match rows::get(world.hands.store.as_ref(), &RowId::Instance(())).await.unwrap() {
        Some(Row::Instance(row)) => *row,
        _ => InstanceRow::default(),
    }
}

/// Waits until nothing is left to be signed for.
pub async fn signed(world: &World) -> SignedRow {
    let start = Instant::now();
    for partition in 0..PARTITIONS {
        let stirring = world.entries(partition).await.into_iter().rfind(|entry| stirs(&entry.record));
        let last = stirring.expect("its genesis at least").position;
        while said(world, partition).await < Some(last) {
            assert!(start.elapsed() < Duration::from_secs(20), "partition {partition} did not report {last:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    loop {
        let row = log_row(world).await;
        if let Some(signed) = row.signed.filter(|signed| signed.size == row.range.size()) {
            return signed;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "not signed: {:?}", row.sealed);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Up to where a partition's trees were reported.
async fn said(world: &World, partition: u16) -> Option<Position> {
    match rows::get(world.hands.store.as_ref(), &RowId::Reported(partition)).await.unwrap() {
        Some(Row::Reported(row)) if row.era == log_row(world).await.era => row.whole,
        _ => None,
    }
}

pub async fn world() -> (World, TenantId, SessionId) {
    let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
    let world = World::new(channel as Arc<dyn Channel>, limits(), None).await;
    let tenant = world.tenant("acme", 100_000).await;
    let session = world.session(tenant, "orders").await;
    (world, tenant, session)
}

pub async fn some_messages(world: &World, tenant: TenantId, session: SessionId) {
    let mut messages = Vec::new();
    for n in 0..40 {
        messages.push(world.accept(tenant, session, &format!("+49155{n:07}")).await);
    }
    world.until(&messages, Duration::from_secs(20), &[State::Sent]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_event_is_a_leaf_and_what_is_signed_is_what_the_journal_says() {
    let (world, tenant, session) = world().await;
    some_messages(&world, tenant, session).await;
    let first = signed(&world).await;
    some_messages(&world, tenant, session).await;
    let second = signed(&world).await;
    for partition in 0..PARTITIONS {
        world.caught_up(partition).await;
    }
    let rebuilt = rebuilt(&world).await;
    let mut leaves = 0;
    for partition in 0..PARTITIONS {
        for (tenant, row) in rows::trees(world.hands.store.as_ref(), partition, None, 1_000).await.unwrap() {
            let tree = &rebuilt.trees[&TreeId { partition, tenant }];
            assert_eq!((row.range.size(), row.range.root()), (tree.size(), tree.root()), "{partition} {tenant}");
            leaves += row.range.size();
        }
    }
    assert_eq!(leaves, rebuilt.records, "each record is one leaf of one tree");
    for signed in [&first, &second] {
        assert_eq!(root(&rebuilt.log, signed.size), Ok(signed.root));
        let key = NoteKey::of_log(&signed.origin, signed.key);
        assert_eq!(key.signed(&note(&signed.checkpoint(), signed.key, &signed.signature), holds), Some(0));
    }
    let path = consistency(&rebuilt.log, first.size, second.size).unwrap();
    assert!(first.size < second.size && first.key == second.key);
    assert!(extends((first.size, &first.root), (second.size, &second.root), &path));
    // The last report of each partition covers all that is worth it.
    let reports = reports(&world).await;
    assert_eq!(reports.len(), usize::from(PARTITIONS), "{reports:?}");
    world.stop().await;
}

/// The last size of the tenant's tree that each partition said.
async fn reports(world: &World) -> BTreeMap<u16, u64> {
    let mut said = BTreeMap::new();
    for partition in 0..PARTITIONS {
        for entry in world.entries(partition).await {
            if let Ok(Event::HeadsReported(facts)) = entry.record.event() {
                said.insert(facts.partition, facts.heads.iter().map(|head| head.size).sum());
            }
        }
    }
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn trees_are_the_same_when_the_rows_are_rebuilt_and_signing_goes_on() {
    let (world, tenant, session) = world().await;
    some_messages(&world, tenant, session).await;
    let before = signed(&world).await;
    let world = world.reborn().await;
    some_messages(&world, tenant, session).await;
    let after = signed(&world).await;
    let rebuilt = rebuilt(&world).await;
    assert_eq!((after.origin, after.key), (before.origin, before.key));
    assert!(after.size > before.size);
    assert_eq!(root(&rebuilt.log, before.size), Ok(before.root));
    assert_eq!(root(&rebuilt.log, after.size), Ok(after.root));
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_journal_that_does_not_begin_with_what_was_signed_is_not_signed_for() {
    for longer in [false, true] {
        let (mut world, tenant, session) = world().await;
        some_messages(&world, tenant, session).await;
        let before = signed(&world).await;
        let size = if longer { before.size + 1_000 } else { before.size };
        let other = Checkpoint { root: [7; 32], size, origin: before.origin.clone() };
        let secret = SecretBytes::new(other.to_string().into_bytes());
        world.vault.put_secret(None, AUDIT_HEAD, &secret).await.expect("kept");
        world.restart().await;
        some_messages(&world, tenant, session).await;
        tokio::time::sleep(Duration::from_millis(2_500)).await;
        let row = log_row(&world).await;
        assert_eq!(row.signed, Some(before), "nothing was signed");
        assert!(row.range.size() > row.signed.expect("it was").size, "though the log grew");
        assert!(world.hands.registry.unsealed.oldest().is_some(), "and that shows");
        world.stop().await;
    }
}
