//! Commits that are cut short by the end of the process: whoever takes the partition over sees all of one, or nothing. And
//! commits that go on after somebody has.

use super::super::lane::Lanes;
use super::super::shared::Shared;
use super::super::{open as opening, writer};
use super::*;

pub(super) async fn parts(options: &Options) -> (Arc<Shared>, Lanes) {
    (opening::open(options, OURS, process(), clock()).await.expect("opens"), Lanes::default())
}

/// As `step`, and so large that it is written down in several pieces.
fn large(n: u64) -> Commit {
    let mut commit = step(n);
    for row in 0..40u64 {
        let key = RowKey::new(Table::Inbound, "l", Position(n * 100 + row));
        commit.puts.push(Put { key, value: vec![9; 20_000], at: Position(n) });
    }
    commit
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn what_is_written_down_as_a_whole_is_finished() {
    for rows_written in [0, 1, 20] {
        let options = calm_options();
        founded(&options).await.commit(step(0)).await.expect("commit");
        let (shared, lanes) = parts(&options).await;
        writer::written_down(&shared, &large(10), lanes.of(0).next_turn()).await.expect("written down");
        let some = large(10).puts.into_iter().take(rows_written).collect();
        writer::rows_alone(&shared, some).await.expect("rows");
        drop(shared);

        let store = open(&options).await;
        assert_eq!(store.settled(0).await, Ok(Some(Position(10))), "after {rows_written} rows");
        let twin = MemoryStore::new();
        twin.commit(step(0)).await.expect("commit");
        twin.commit(large(10)).await.expect("commit");
        assert_eq!(store.digest(&Table::ALL).await, twin.digest(&Table::ALL).await, "after {rows_written} rows");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn what_is_written_down_in_part_never_was_and_does_not_hide_what_follows() {
    let options = calm_options();
    founded(&options).await.commit(step(0)).await.expect("commit");
    let (shared, lanes) = parts(&options).await;
    writer::written_down_but_last(&shared, &large(10), lanes.of(0).next_turn()).await.expect("in part");
    drop(shared);

    // A smaller one follows, and is cut short after it was written down.
    let (shared, lanes) = parts(&options).await;
    writer::written_down(&shared, &step(1), lanes.of(0).next_turn()).await.expect("written down");
    drop(shared);
    let store = open(&options).await;
    assert_eq!(store.settled(0).await, Ok(Some(Position(1))));
    assert_eq!(store.digest(&Table::ALL).await.expect("digest"), expected(1).await);
    store.commit(step(2)).await.expect("commit");
    assert_eq!(store.digest(&Table::ALL).await.expect("digest"), expected(2).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn who_takes_over_while_running_finishes_what_the_dead_one_began_and_comes_after_it() {
    let options = calm_options();
    let heir = founded(&options).await;
    heir.commit(step(0)).await.expect("commit");
    // Another process commits for a while, and dies in the middle of a commit.
    let other = open(&options).await;
    for n in 1..6 {
        other.commit(step(n)).await.expect("commit");
    }
    drop(other);
    let (shared, lanes) = parts(&options).await;
    writer::written_down(&shared, &step(6), lanes.of(0).next_turn()).await.expect("written down");
    let some = step(6).puts.into_iter().take(1).collect();
    writer::rows_alone(&shared, some).await.expect("rows");
    drop(shared);
    tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    assert_eq!(heir.settled(0).await, Ok(Some(Position(6))), "all of it");
    assert_eq!(heir.digest(&Table::ALL).await.expect("digest"), expected(6).await);

    // One that was written down in part changes nothing, and is not waited for twice.
    let (shared, lanes) = parts(&options).await;
    writer::written_down_but_last(&shared, &large(9), lanes.of(0).next_turn()).await.expect("in part");
    drop(shared);
    assert_eq!(heir.settled(0).await, Ok(Some(Position(6))));
    let begun = SystemClock.steady();
    assert_eq!(heir.settled(0).await, Ok(Some(Position(6))));
    assert!(SystemClock.steady().saturating_sub(begun) < std::time::Duration::from_secs(1), "not twice");
    heir.commit(step(7)).await.expect("commit");
    assert_eq!(heir.digest(&Table::ALL).await.expect("digest"), expected(7).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn a_commit_of_the_old_owner_that_lands_while_its_heir_commits_spoils_neither() {
    for heir_ends_it in [false, true] {
        let options = calm_options();
        let old = founded(&options).await;
        for n in 0..4 {
            old.commit(step(n)).await.expect("commit");
        }
        drop(old);
        // The old one has begun no commit yet when the heir looks, and then goes on with one.
        let ((old, old_lanes), (heir, heir_lanes)) = (parts(&options).await, parts(&options).await);
        assert_eq!(opening::settled(&heir, &heir_lanes.of(0), 0).await, Ok(Some(Position(3))));
        let mut theirs = large(9);
        for n in 4..9 {
            theirs.puts.splice(0..0, step(n).puts);
        }
        let turn = heir_lanes.of(0).next_turn();
        writer::written_down(&heir, &theirs, turn).await.expect("written down");
        writer::rows_alone(&heir, theirs.puts.iter().take(3).cloned().collect()).await.expect("rows");
        writer::commit(&old, step(4), old_lanes.of(0).next_turn()).await.expect("late");
        writer::written_down_but_last(&old, &large(5), old_lanes.of(0).next_turn()).await.expect("in part");
        drop(old);
        if heir_ends_it {
            writer::finish(&heir, theirs.clone()).await.expect("finished");
        }
        drop(heir);

        let third = open(&options).await;
        let mark = third.applied(0).await.expect("readable");
        assert_eq!(mark, Some(Position(if heir_ends_it { 9 } else { 4 })), "who only looks finishes nothing");
        assert_eq!(third.settled(0).await, Ok(Some(Position(9))));
        let twin = MemoryStore::new();
        for n in 0..9 {
            twin.commit(step(n)).await.expect("commit");
        }
        twin.commit(large(9)).await.expect("commit");
        assert_eq!(third.digest(&Table::ALL).await, twin.digest(&Table::ALL).await, "{heir_ends_it}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn what_was_waited_for_in_vain_and_is_written_down_after_all_is_finished_by_who_takes_over() {
    let options = calm_options();
    let heir = founded(&options).await;
    heir.commit(step(0)).await.expect("commit");
    let (shared, lanes) = parts(&options).await;
    let turn = lanes.of(0).next_turn();
    writer::written_down_but_last(&shared, &large(10), turn).await.expect("in part");
    assert_eq!(heir.settled(0).await, Ok(Some(Position(0))), "nothing of it was changed");
    // It was slow, and lives.
    writer::written_down(&shared, &large(10), turn).await.expect("written down");
    writer::rows_alone(&shared, large(10).puts.into_iter().take(5).collect()).await.expect("rows");
    assert_eq!(heir.settled(0).await, Ok(Some(Position(10))), "all of it");
    let twin = MemoryStore::new();
    twin.commit(step(0)).await.expect("commit");
    twin.commit(large(10)).await.expect("commit");
    assert_eq!(heir.digest(&Table::ALL).await, twin.digest(&Table::ALL).await);
}
