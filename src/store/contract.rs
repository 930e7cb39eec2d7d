//! The promises of the seam, as tests that every implementation passes.
//!
//! An implementation hands in a way to make an empty store. What is not tested, because the caller owes it: rows of two
//! partitions never share a `(table, pk)`, and within one partition positions never shrink.

pub mod steps;

use std::sync::Arc;

use crate::domain::record::Position;
use crate::domain::table::{KeyPart, RowKey, Table};

use super::error::StoreError;
use super::key::MAX_PART;
use super::seam::{Commit, DropBelow, MAX_SCAN, MAX_VALUE, Put, Scan, Store};

type Any = Arc<dyn Store>;

/// Runs every promise, each against a fresh store from `empty`.
pub async fn run<F: AsyncFn() -> Any>(empty: F) {
    puts_are_read_back(&empty().await).await;
    the_last_position_stays(&empty().await).await;
    marks_are_kept_per_partition(&empty().await).await;
    a_scan_is_a_range_of_one_partition_key(&empty().await).await;
    limits_are_refused(&empty().await).await;
    a_drop_takes_the_bucket_and_nothing_else(&empty().await).await;
    a_refused_commit_changes_nothing(&empty().await).await;
    applying_twice_is_applying_once(&empty().await).await;
    digests_tell_rows_apart(&empty().await, &empty().await).await;
    a_closed_store_says_so(&empty().await).await;
}

/// A commit of partition 0 through `at`, all puts stamped with it.
pub fn commit(at: u64, puts: &[(RowKey, &[u8])]) -> Commit {
    let at = Position(at);
    let puts = puts.iter().map(|(key, value)| Put { key: key.clone(), value: value.to_vec(), at }).collect();
    Commit { partition: 0, through: at, puts, drops: Vec::new() }
}

fn feed(pk: &str, at: u64) -> RowKey {
    RowKey::new(Table::Feed, pk, Position(at))
}

fn below(pk: &str, at: u64) -> DropBelow {
    DropBelow { table: Table::Feed, pk: pk.into(), ck: Position(at).into() }
}

async fn positions(store: &Any, scan: Scan) -> Vec<u64> {
    let rows = store.scan(scan).await.expect("scan");
    rows.iter().map(|(ck, _)| u64::from_be_bytes(ck.as_bytes().try_into().expect("a position"))).collect()
}

async fn fill(store: &Any, pk: &str, count: u64) {
    let rows: Vec<_> = (0..count).map(|n| (feed(pk, n), &b"v"[..])).collect();
    let through = store.applied(0).await.expect("mark").map_or(1, |mark| mark.0 + 1);
    store.commit(commit(through, &rows)).await.expect("commit");
}

async fn puts_are_read_back(store: &Any) {
    let message = RowKey::single(Table::Message, [1; 16]);
    let long = RowKey::new(Table::Name, "ten", &[b'n'; 255][..]);
    let absent = RowKey::single(Table::Message, [2; 16]);
    store.commit(commit(0, &[(message.clone(), b"hello"), (long.clone(), b"")])).await.expect("commit");
    assert_eq!(store.get(&message).await.expect("get"), Some(b"hello".to_vec()));
    assert_eq!(store.get(&absent).await.expect("get"), None);
    let many = store.get_many(&[absent, long, message]).await.expect("get_many");
    assert_eq!(many, [None, Some(Vec::new()), Some(b"hello".to_vec())], "in the order asked for");
    assert_eq!(store.failed(), None);
}

async fn the_last_position_stays(store: &Any) {
    let key = RowKey::single(Table::Session, [1; 16]);
    let put = |at: u64, value: &[u8]| Put { key: key.clone(), value: value.to_vec(), at: Position(at) };
    let puts = vec![put(3, b"three"), put(4, b"four")];
    let both = Commit { partition: 0, through: Position(5), puts, drops: Vec::new() };
    store.commit(both).await.expect("commit");
    assert_eq!(store.get(&key).await.expect("get"), Some(b"four".to_vec()), "within a commit");
    store.commit(commit(9, &[(key.clone(), b"nine")])).await.expect("commit");
    assert_eq!(store.get(&key).await.expect("get"), Some(b"nine".to_vec()), "between commits");
}

async fn marks_are_kept_per_partition(store: &Any) {
    assert_eq!(store.applied(0).await.expect("mark"), None, "nothing was applied yet");
    store.commit(commit(0, &[])).await.expect("genesis");
    assert_eq!(store.applied(0).await.expect("mark"), Some(Position(0)));
    let other = Commit { partition: 1023, through: Position(u64::MAX), ..Commit::default() };
    store.commit(other).await.expect("commit");
    assert_eq!(store.applied(0).await.expect("mark"), Some(Position(0)));
    assert_eq!(store.applied(1023).await.expect("mark"), Some(Position(u64::MAX)));
    assert_eq!(store.settled(0).await.expect("mark"), Some(Position(0)), "nor is it another one for who takes over");
}

async fn a_scan_is_a_range_of_one_partition_key(store: &Any) {
    // Neighbours whose keys would run into each other if lengths were not part of them.
    for pk in ["a", "ab", "b", "\u{ff}"] {
        fill(store, pk, 10).await;
    }
    let all = Scan::of(Table::Feed, "ab", 100);
    assert_eq!(positions(store, all.clone()).await, (0..10).collect::<Vec<_>>());
    assert_eq!(positions(store, all.clone().reversed()).await, (0..10).rev().collect::<Vec<_>>());
    let inner = all.clone().after(Position(2)).before(Position(6));
    assert_eq!(positions(store, inner.clone()).await, [3, 4, 5], "both ends exclusive");
    assert_eq!(positions(store, inner.reversed()).await, [5, 4, 3]);
    assert_eq!(positions(store, Scan { limit: 2, ..all.clone() }).await, [0, 1]);
    assert_eq!(positions(store, Scan { limit: 2, ..all.clone().reversed() }).await, [9, 8]);
    assert_eq!(positions(store, Scan { limit: 0, ..all.clone() }).await, [0; 0]);
    for (after, before) in [(5, 5), (5, 6), (6, 5)] {
        let nothing = all.clone().after(Position(after)).before(Position(before));
        assert_eq!(positions(store, nothing.clone()).await, [0; 0], "{after} to {before}");
        assert_eq!(positions(store, nothing.reversed()).await, [0; 0], "{after} to {before}, downwards");
    }
    assert_eq!(positions(store, Scan::of(Table::Outbox, "ab", 9)).await, [0; 0], "another table");
    assert_eq!(positions(store, Scan::of(Table::Feed, "", 9)).await, [0; 0], "another key");
}

async fn limits_are_refused(store: &Any) {
    let refused = |result: Result<(), StoreError>| match result {
        Err(error @ StoreError::Limit { .. }) => assert!(error.is_refusal()),
        other => panic!("expected a refusal, found {other:?}"),
    };
    let key = RowKey::single(Table::Message, [1; 16]);
    let wide = RowKey::single(Table::Name, &[0; MAX_PART + 1][..]);
    refused(store.scan(Scan::of(Table::Feed, "a", MAX_SCAN + 1)).await.map(drop));
    refused(store.get_many(&vec![key.clone(); MAX_SCAN + 1]).await.map(drop));
    refused(store.commit(commit(1, &[(key, &vec![0; MAX_VALUE + 1])])).await);
    refused(store.get(&wide).await.map(drop));
    refused(store.commit(commit(1, &[(wide, b"")])).await);
    assert_eq!(store.failed(), None, "a refusal does not latch");
}

async fn a_drop_takes_the_bucket_and_nothing_else(store: &Any) {
    for pk in ["a", "ab", "b"] {
        fill(store, pk, 10).await;
    }
    let outbox = RowKey::new(Table::Outbox, "ab", Position(1));
    let mut next = commit(20, &[(outbox.clone(), b"stays"), (feed("ab", 5), b"dropped"), (feed("ab", 6), b"new")]);
    next.drops = vec![below("ab", 6), below("absent", 9)];
    store.commit(next.clone()).await.expect("commit");
    for round in 0..2 {
        assert_eq!(positions(store, Scan::of(Table::Feed, "ab", 99)).await, [6, 7, 8, 9], "round {round}");
        assert_eq!(store.get(&feed("ab", 0)).await.expect("get"), None);
        assert_eq!(store.get(&feed("ab", 6)).await.expect("get"), Some(b"new".to_vec()));
        assert_eq!(store.get(&outbox).await.expect("get"), Some(b"stays".to_vec()));
        for pk in ["a", "b"] {
            assert_eq!(positions(store, Scan::of(Table::Feed, pk, 99)).await.len(), 10, "{pk}");
        }
        store.commit(next.clone()).await.expect("the same again");
    }
    // More rows than one internal step of any implementation takes at once.
    fill(store, "large", 9_000).await;
    let through = Position(store.applied(0).await.expect("mark").map_or(0, |mark| mark.0 + 1));
    let large = Commit { partition: 0, through, puts: Vec::new(), drops: vec![below("large", 8_998)] };
    store.commit(large).await.expect("commit");
    assert_eq!(positions(store, Scan::of(Table::Feed, "large", 99)).await, [8_998, 8_999]);
}

async fn a_refused_commit_changes_nothing(store: &Any) {
    let key = RowKey::single(Table::Message, [1; 16]);
    store.commit(commit(7, &[(key.clone(), b"seven")])).await.expect("commit");
    let backwards = store.commit(commit(6, &[(key.clone(), b"six")])).await.expect_err("behind the mark");
    assert_eq!(backwards, StoreError::Backwards { partition: 0, applied: Position(7), through: Position(6) });
    let mut beyond = commit(8, &[(key.clone(), b"nine")]);
    beyond.puts[0].at = Position(9);
    let beyond = store.commit(beyond).await.expect_err("stamped beyond the commit");
    assert_eq!(beyond, StoreError::Beyond { partition: 0, at: Position(9), through: Position(8) });
    let mut undroppable = commit(8, &[(key.clone(), b"eight")]);
    undroppable.drops = vec![DropBelow { table: Table::Message, pk: [1; 16].into(), ck: KeyPart::EMPTY }];
    let error = store.commit(undroppable).await.expect_err("messages are never dropped");
    assert_eq!(error, StoreError::NotDroppable(Table::Message));
    assert_eq!(store.get(&key).await.expect("get"), Some(b"seven".to_vec()));
    assert_eq!(store.applied(0).await.expect("mark"), Some(Position(7)));
    assert_eq!(store.failed(), None, "a refusal does not latch");
    store.commit(commit(8, &[(key, b"eight")])).await.expect("and the next one goes on");
}

async fn applying_twice_is_applying_once(store: &Any) {
    let rows = [(feed("a", 1), &b"x"[..]), (RowKey::single(Table::Message, [1; 16]), &b"y"[..])];
    store.commit(commit(3, &rows)).await.expect("commit");
    let once = store.digest(&Table::ALL).await.expect("digest");
    store.commit(commit(3, &rows)).await.expect("again");
    assert_eq!(store.digest(&Table::ALL).await.expect("digest"), once);
}

async fn digests_tell_rows_apart(one: &Any, two: &Any) {
    assert_eq!(digest(one, &Table::ALL).await, digest(two, &Table::ALL).await, "two empty stores");
    let rows = [(feed("a", 1), &b"x"[..]), (feed("a", 2), &b"y"[..])];
    one.commit(commit(3, &rows)).await.expect("commit");
    two.commit(commit(1, &rows[1..])).await.expect("commit");
    assert_ne!(digest(one, &[Table::Feed]).await, digest(two, &[Table::Feed]).await);
    assert_eq!(digest(one, &[Table::Message]).await, digest(two, &[Table::Message]).await, "only the tables asked for");
    two.commit(commit(9, &rows[..1])).await.expect("commit");
    assert_eq!(digest(one, &[Table::Feed]).await, digest(two, &[Table::Feed]).await, "not the way they came");
    // The same rows in any implementation: SHA-256 over length and key, length and value, computed by another program.
    let pinned = "2cbb97a979fe3e04e1a299373fcdbd36182721e1e6d1e66354765b8d5f0aedec";
    assert_eq!(hex::encode(digest(one, &Table::ALL).await), pinned);
}

async fn digest(store: &Any, tables: &[Table]) -> [u8; 32] {
    store.digest(tables).await.expect("digest")
}

async fn a_closed_store_says_so(store: &Any) {
    store.commit(commit(1, &[(feed("a", 1), b"x")])).await.expect("commit");
    store.close().await.expect("close");
    store.close().await.expect("closing twice is closing");
    assert_eq!(store.commit(commit(2, &[])).await, Err(StoreError::Closed));
    assert_eq!(store.applied(0).await, Err(StoreError::Closed));
    assert_eq!(store.get(&feed("a", 1)).await, Err(StoreError::Closed));
    assert_eq!(store.scan(Scan::of(Table::Feed, "a", 1)).await, Err(StoreError::Closed));
}
