//! What the embedded store owes beyond the contract: a folder that is found again, and one that is refused.

mod crash;
mod folder;

use std::path::Path;
use std::sync::Arc;

use super::super::contract::steps::{head, message, step};
use super::super::contract::{self, commit};
use super::super::seam::{Commit, Scan, Store};
use super::{FjallStore, Options};
use crate::domain::id::InstallationId;
use crate::domain::record::Position;
use crate::domain::table::{RowKey, Table};

const OURS: InstallationId = InstallationId([7; 16]);

/// Memtables of 64 KiB, so that some thousand rows are written out many times.
const TINY: Options = Options { memtable: 64 * 1024, cache: 1024 * 1024, log: Options::MIN_LOG };

fn open(dir: &Path) -> FjallStore {
    FjallStore::open(dir, OURS, &TINY).expect("opens")
}

/// That the rows are exactly those of `step(0)..=step(mark)`; answers the mark.
async fn assert_prefix(store: &FjallStore) -> Option<u64> {
    let mark = store.applied(0).await.expect("mark").map(|position| position.0);
    let end = mark.map_or(0, |mark| mark + 1);
    for n in 0..end {
        assert_eq!(store.get(&message(n)).await.expect("get"), Some(vec![n as u8; 300]), "row {n} of mark {mark:?}");
    }
    let after: Vec<_> = (end..end + 50).map(message).collect();
    assert!(store.get_many(&after).await.expect("get").iter().all(Option::is_none), "rows beyond mark {mark:?}");
    let session = store.get(&head()).await.expect("get");
    assert_eq!(session, mark.map(|mark| mark.to_be_bytes().to_vec()), "the session is as old as the mark");
    let feed = store.scan(Scan::of(Table::Feed, "t", 100)).await.expect("scan");
    let dropped = mark.map_or(0, |mark| (mark / 10 * 10).saturating_sub(10));
    assert_eq!(feed.len() as u64, end - dropped, "the feed of mark {mark:?}");
    mark
}

#[tokio::test]
async fn it_keeps_the_contract() {
    let dir = tempfile::tempdir().expect("a folder");
    let made = std::cell::Cell::new(0);
    contract::run(async || {
        made.set(made.get() + 1);
        Arc::new(open(&dir.path().join(made.get().to_string()))) as Arc<dyn Store>
    })
    .await;
}

#[tokio::test]
async fn a_closed_store_is_found_as_it_was_left() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path());
    for n in 0..50 {
        store.commit(step(n)).await.expect("commit");
    }
    let left = store.digest(&Table::ALL).await.expect("digest");
    store.close().await.expect("close");
    let store = open(dir.path());
    assert_eq!(assert_prefix(&store).await, Some(49));
    assert_eq!(store.digest(&Table::ALL).await.expect("digest"), left);
    let backwards = store.commit(step(48)).await;
    assert!(backwards.is_err_and(|error| error.is_refusal()), "the mark is known again");
    store.commit(step(50)).await.expect("and it goes on");
}

#[tokio::test]
async fn memtables_are_written_out_and_nothing_stalls() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path());
    for n in 0..3_000 {
        store.commit(step(n)).await.expect("commit");
    }
    assert_eq!(assert_prefix(&store).await, Some(2_999));
    drop(store);
    let tables = walk(dir.path()).into_iter().filter(|file| file.components().any(|part| part.as_os_str() == "tables"));
    assert!(tables.count() > 0, "1.5 MB of rows do not fit into 64 KiB");
    assert_eq!(assert_prefix(&open(dir.path())).await, Some(2_999));
}

#[tokio::test]
async fn commits_of_many_partitions_at_once_all_stand() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = Arc::new(open(dir.path()));
    let partitions: Vec<_> = (0..100u16)
        .map(|partition| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                for n in 0..20 {
                    let key = RowKey::new(Table::Partition, partition, Position(n));
                    let commit = Commit { partition, ..commit(n, &[(key, b"x")]) };
                    store.commit(commit).await.expect("commit");
                }
            })
        })
        .collect();
    for partition in partitions {
        partition.await.expect("joins");
    }
    for partition in 0..100u16 {
        assert_eq!(store.applied(partition).await.expect("mark"), Some(Position(19)));
        assert_eq!(store.scan(Scan::of(Table::Partition, partition, 99)).await.expect("scan").len(), 20);
    }
}

#[tokio::test]
async fn closing_waits_for_no_commit_that_nobody_polls() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path());
    // More than the queue holds, so that some still wait for a place.
    let mut waiting: Vec<_> =
        (0..200u16).map(|partition| store.commit(Commit { partition, ..commit(0, &[]) })).collect();
    for future in &mut waiting {
        tokio::select! {
            biased;
            _ = future => {}
            () = std::future::ready(()) => {}
        }
    }
    store.close().await.expect("closes");
    drop(waiting);
    drop(store);
    open(dir.path());
}

/// All files below a folder.
fn walk(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(dir).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}
