//! Clusters that cannot be used, and what no repetition makes good.

use std::time::Duration;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn nobody_there_is_said_at_once_with_the_addresses() {
    let mut options = calm_options();
    options.cluster.nodes = vec!["127.0.0.1:1".to_owned()];
    let begun = SystemClock.steady();
    let error = why_not(&options).await;
    assert!(matches!(&error, CqlError::Unreachable { nodes, .. } if nodes == "127.0.0.1:1"), "{error:?}");
    // Somebody who accepts and says nothing.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    options.cluster.nodes = vec![silent.local_addr().expect("its address").to_string()];
    options.cluster.connect = Duration::from_secs(1);
    options.cluster.request = Duration::from_secs(1);
    let error = why_not(&options).await;
    assert!(matches!(error, CqlError::Unreachable { .. }), "{error:?}");
    let waited = SystemClock.steady().saturating_sub(begun);
    assert!(waited < Duration::from_secs(8), "{waited:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn a_datacenter_that_is_not_there_is_refused() {
    let mut options = calm_options();
    options.cluster.datacenter = Some("datacenter1".to_owned());
    founded(&options).await.commit(step(0)).await.expect("commit");
    options.cluster.datacenter = Some("atlantis".to_owned());
    let error = why_not(&options).await;
    assert!(matches!(&error, CqlError::NoDatacenter { known, .. } if known == "datacenter1"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn a_table_that_is_gone_latches_and_says_so() {
    let options = calm_options();
    let store = founded(&options).await;
    store.commit(step(0)).await.expect("commit");
    operate(&options, "DROP TABLE {}.facts").await;
    let error = store.commit(step(1)).await.expect_err("no table");
    let why = store.failed().expect("latched");
    assert_eq!(error, StoreError::Failed(why.clone()));
    assert!(why.contains("write rows"), "{why}");
    assert_eq!(store.commit(step(2)).await, Err(StoreError::Failed(why)));
    assert_eq!(store.held(), None, "it is not waited for");
    store.close().await.expect("closes");
}
