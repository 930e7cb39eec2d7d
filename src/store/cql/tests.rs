//! Tests against a real Cassandra, which shares the part of CQL that is used: the contract, then commits that are cut short,
//! faults, and clusters and keyspaces that are not as they should be.
//!
//! `tests/services` starts it; one that does not start fails the test. `tests/run cluster` runs them all.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use super::super::contract::steps::{head, message, step};
use super::super::contract::{self, commit};
use super::super::error::StoreError;
use super::super::memory::MemoryStore;
use super::super::seam::{Commit, DropBelow, Put, Scan, Store};
use super::{CqlStore, Options};
use crate::cql::{Cluster, CqlError, CqlOptions, Owner};
use crate::domain::id::{InstallationId, NodeId};
use crate::domain::record::Position;
use crate::domain::table::{RowKey, Table};
use crate::runtime::services::script;
use crate::runtime::{Clock, Entropy, SystemClock, SystemEntropy};

mod cut_short;
mod faults;
mod founding;
mod heirs;
mod rate;
mod refused;
mod secure;
mod three;

const OURS: Owner = Owner { installation: InstallationId([7; 16]), partitions: 64 };

/// What the scripts print of servers: names and values.
type Printed = BTreeMap<String, String>;

/// Starts a set of servers, or finds it running.
fn up(world: &str, kind: &str) -> Printed {
    let printed = script(world, &["up", kind]);
    printed.lines().filter_map(|line| line.split_once('=')).map(|(k, v)| (k.to_owned(), v.to_owned())).collect()
}

/// A database that nobody torments.
fn calm() -> &'static Printed {
    static NODE: OnceLock<Printed> = OnceLock::new();
    NODE.get_or_init(|| up("main", "cassandra"))
}

/// A name that no other test and no other run has.
fn fresh(name: &str) -> String {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    format!("{name}_{}_{}", SystemClock.wall(), NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// A keyspace of its own; one node keeps one copy. Nothing is founded yet.
fn options(printed: &Printed) -> Options {
    let nodes = printed["SCYLLA_NODES"].split(',').map(ToOwned::to_owned).collect();
    Options::of(CqlOptions { replicas: 1, ..CqlOptions::plain(nodes, fresh("store")) })
}

fn calm_options() -> Options {
    options(tokio::task::block_in_place(calm))
}

/// A process that no other one is.
fn process() -> NodeId {
    NodeId(SystemEntropy.id())
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

async fn open(options: &Options) -> CqlStore {
    CqlStore::open(options, OURS, process(), clock()).await.expect("it opens")
}

async fn founded(options: &Options) -> CqlStore {
    CqlStore::found(options, OURS).await.expect("founded");
    open(options).await
}

async fn why_not(options: &Options) -> CqlError {
    match CqlStore::open(options, OURS, process(), clock()).await.err().expect("it does not open") {
        StoreError::Cql(error) => error,
        other => panic!("{other:?}"),
    }
}

/// Does to the database what an operator might.
async fn operate(options: &Options, text: &str) {
    let text = text.replace("{}", &options.cluster.keyspace);
    let cluster = Cluster::connect(&options.cluster).await.expect("a cluster");
    cluster.session.query_unpaged(text, ()).await.expect("done");
}

/// The digest of `step(0)..=step(last)` in another implementation.
async fn expected(last: u64) -> [u8; 32] {
    let twin = MemoryStore::new();
    for n in 0..=last {
        twin.commit(step(n)).await.expect("commit");
    }
    twin.digest(&Table::ALL).await.expect("digest")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn it_keeps_the_contract() {
    contract::run(async || Arc::new(founded(&calm_options()).await) as Arc<dyn Store>).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn a_closed_store_is_found_as_it_was_left_and_its_digest_is_that_of_any_other() {
    let options = calm_options();
    let store = founded(&options).await;
    for n in 0..50 {
        store.commit(step(n)).await.expect("commit");
    }
    store.close().await.expect("close");
    let store = open(&options).await;
    assert_eq!(store.applied(0).await, Ok(Some(Position(49))));
    assert_eq!(store.digest(&Table::ALL).await.expect("digest"), expected(49).await);
    let backwards = store.commit(step(48)).await;
    assert!(backwards.is_err_and(|error| error.is_refusal()), "the mark is known again");
    store.commit(step(50)).await.expect("and it goes on");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn a_range_of_several_pages_is_whole_and_in_order_both_ways() {
    let store = founded(&calm_options()).await;
    let key = |n: u64| RowKey::new(Table::Feed, "t", Position(n));
    let rows: Vec<_> = (0..2_500).map(|n| (key(n), &b"v"[..])).collect();
    store.commit(commit(3_000, &rows)).await.expect("commit");
    let positions = async |scan: Scan| -> Vec<u64> {
        let rows = store.scan(scan).await.expect("scan");
        rows.iter().map(|(ck, _)| u64::from_be_bytes(ck.as_bytes().try_into().expect("a position"))).collect()
    };
    let all = Scan::of(Table::Feed, "t", 2_300).after(Position(99));
    assert_eq!(positions(all.clone()).await, (100..2_400).collect::<Vec<_>>());
    assert_eq!(positions(all.reversed()).await, (200..2_500).rev().collect::<Vec<_>>());
    let many: Vec<_> = (0..2_600).map(key).collect();
    let found = store.get_many(&many).await.expect("get_many");
    assert!(found[..2_500].iter().all(|row| row.as_deref() == Some(b"v")), "in their places");
    assert!(found[2_500..].iter().all(Option::is_none));
    let twin = MemoryStore::new();
    twin.commit(commit(3_000, &rows)).await.expect("commit");
    assert_eq!(store.digest(&[Table::Feed]).await, twin.digest(&[Table::Feed]).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn what_a_writer_that_was_thought_dead_says_late_changes_nothing() {
    let options = calm_options();
    let (store, late) = (founded(&options).await, open(&options).await);
    let feed = RowKey::new(Table::Feed, "t", Position(5));
    let mut first = commit(20, &[(head(), b"twenty")]);
    first.drops = vec![DropBelow { table: Table::Feed, pk: "t".into(), ck: Position(9).into() }];
    store.commit(first).await.expect("commit");
    // It has seen no mark yet: nothing but the stamps keeps it from doing harm.
    let mut older = commit(21, &[(head(), b"eleven"), (feed.clone(), b"again")]);
    older.puts.iter_mut().for_each(|put| put.at = Position(11));
    late.commit(older).await.expect("commit");
    assert_eq!(store.get(&head()).await, Ok(Some(b"twenty".to_vec())));
    assert_eq!(store.get(&feed).await, Ok(None), "what was dropped stays so");
    assert_eq!(store.applied(0).await, Ok(Some(Position(20))), "its own mark, while it is fresh");
    assert_eq!(late.applied(0).await, Ok(Some(Position(21))));
}
