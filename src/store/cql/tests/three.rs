//! Three nodes with three copies: one may be away and nobody notices; with two away rows wait.

use std::time::Duration;

use super::*;

async fn kill(node: &'static str) {
    let run = move || script("three", &["node", "cassandra3", node, "kill"]);
    tokio::task::spawn_blocking(run).await.expect("a script that ends");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn one_of_three_nodes_may_be_killed_and_with_one_alone_rows_wait() {
    let mut options = options(&tokio::task::block_in_place(|| up("three", "cassandra3")));
    options.cluster.replicas = 3;
    let store = Arc::new(founded(&options).await);
    for n in 0..20 {
        store.commit(step(n)).await.expect("commit");
    }
    kill("3").await;
    let begun = SystemClock.steady();
    for n in 20..60 {
        let commit = tokio::time::timeout(Duration::from_secs(20), store.commit(step(n))).await;
        commit.expect("two are enough").expect("commit");
        assert_eq!(store.get(&message(n)).await.expect("two are enough"), Some(vec![n as u8; 300]));
    }
    println!("40 commits with one of three nodes killed: {:?}", SystemClock.steady().saturating_sub(begun));
    kill("2").await;
    let theirs = Arc::clone(&store);
    let held = tokio::spawn(async move { theirs.commit(step(60)).await });
    tokio::time::sleep(Duration::from_secs(8)).await;
    assert!(!held.is_finished() && store.held().is_some() && store.failed().is_none(), "one is not enough");
    // What died is started again.
    tokio::task::spawn_blocking(|| up("three", "cassandra3")).await.expect("both are back");
    held.await.expect("joins").expect("commit");
    assert_eq!(store.digest(&Table::ALL).await.expect("digest"), expected(60).await);
}
