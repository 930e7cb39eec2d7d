//! Two processes and one partition: who takes it over sees what its last owner commits, and comes after it.

use super::super::writer;
use super::cut_short::parts;
use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn who_only_wrote_a_hint_sees_what_the_owner_commits_at_once() {
    let options = calm_options();
    let (owner, heir) = (founded(&options).await, open(&options).await);
    owner.commit(step(0)).await.expect("commit");
    assert_eq!(heir.applied(0).await, Ok(Some(Position(0))));
    let hint = RowKey::single(Table::OpenSession, "tries");
    heir.commit(commit(0, &[(hint, b"1")])).await.expect("a hint");
    owner.commit(step(1)).await.expect("commit");
    assert_eq!(heir.applied(0).await, Ok(Some(Position(1))), "a hint is no sign of being the owner");
    // Who is not the owner may have to write rows, too.
    heir.commit(step(2)).await.expect("commit");
    owner.commit(step(3)).await.expect("commit");
    assert_eq!(heir.settled(0).await, Ok(Some(Position(3))), "whatever it remembers");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn what_the_heir_writes_down_is_not_beneath_what_the_last_owner_wrote() {
    let options = calm_options();
    let owner = founded(&options).await;
    owner.commit(step(0)).await.expect("commit");
    let (shared, lanes) = parts(&options).await;
    // The owner goes on, and the heir sees nothing of it before it commits behind its claim.
    for n in 1..51 {
        owner.commit(step(n)).await.expect("commit");
    }
    writer::written_down(&shared, &step(51), lanes.of(0).next_turn()).await.expect("written down");
    writer::rows_alone(&shared, step(51).puts.into_iter().take(1).collect()).await.expect("rows");
    drop(shared);
    let store = open(&options).await;
    assert_eq!(store.settled(0).await, Ok(Some(Position(51))));
    assert_eq!(store.digest(&Table::ALL).await.expect("digest"), expected(51).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn a_hint_of_somebody_else_hides_nothing_that_the_owner_wrote_down() {
    let options = calm_options();
    let heir = founded(&options).await;
    heir.commit(step(0)).await.expect("commit");
    let (shared, lanes) = parts(&options).await;
    writer::written_down(&shared, &step(1), lanes.of(0).next_turn()).await.expect("written down");
    writer::rows_alone(&shared, step(1).puts.into_iter().take(1).collect()).await.expect("rows");
    drop(shared);
    heir.commit(commit(0, &[(RowKey::single(Table::OpenSession, "tries"), b"1")])).await.expect("a hint");
    let store = open(&options).await;
    assert_eq!(store.settled(0).await, Ok(Some(Position(1))));
    let all_but_hints: Vec<Table> = Table::ALL.into_iter().filter(|table| *table != Table::OpenSession).collect();
    let twin = MemoryStore::new();
    for n in 0..=1 {
        twin.commit(step(n)).await.expect("commit");
    }
    assert_eq!(store.digest(&all_but_hints).await, twin.digest(&all_but_hints).await);
}
