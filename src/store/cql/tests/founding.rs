//! Founding a keyspace, and keyspaces that are not as they should be: each says what is wrong.

use super::*;

async fn not_founded(options: &Options, owner: Owner) -> CqlError {
    match CqlStore::found(options, owner).await.expect_err("not founded") {
        StoreError::Cql(error) => error,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn founding_twice_is_founding_once_and_a_stranger_is_refused() {
    let options = calm_options();
    let none = why_not(&options).await;
    assert!(matches!(none, CqlError::NoKeyspace { .. }) && none.to_string().contains("waybill cluster init"), "{none}");
    let store = founded(&options).await;
    store.commit(step(0)).await.expect("commit");
    CqlStore::found(&options, OURS).await.expect("again");
    assert_eq!(open(&options).await.applied(0).await, Ok(Some(Position(0))), "nothing was changed");

    let stranger = Owner { installation: InstallationId([8; 16]), ..OURS };
    let larger = Owner { partitions: 128, ..OURS };
    for other in [stranger, larger] {
        let error = not_founded(&options, other).await;
        assert!(matches!(error, CqlError::Foreign { .. }), "{error:?}");
        let opened = CqlStore::open(&options, other, process(), clock()).await.err();
        assert!(matches!(opened, Some(StoreError::Cql(CqlError::Foreign { .. }))), "{opened:?}");
    }
    open(&options).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn a_founding_that_was_cut_short_is_finished_by_another_one() {
    let options = calm_options();
    let copies = "CREATE KEYSPACE {} WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}";
    operate(&options, copies).await;
    assert!(matches!(why_not(&options).await, CqlError::Unfounded { .. }));
    operate(&options, "CREATE TABLE {}.schema_versions (id int, version int, name text, PRIMARY KEY (id, version))")
        .await;
    let error = why_not(&options).await;
    assert!(matches!(error, CqlError::Unfounded { .. }), "{error:?}");
    founded(&options).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn a_keyspace_of_something_else_stays_as_it_is() {
    let options = calm_options();
    operate(&options, "CREATE KEYSPACE {} WITH replication = {'class': 'NetworkTopologyStrategy', 'datacenter1': 1}")
        .await;
    operate(&options, "CREATE TABLE {}.orders (id int PRIMARY KEY)").await;
    for error in [why_not(&options).await, not_founded(&options, OURS).await] {
        assert!(matches!(&error, CqlError::Strange { table, .. } if table == "orders"), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn another_version_is_told_by_its_number() {
    let options = calm_options();
    founded(&options).await;
    let keyspace = options.cluster.keyspace.clone();
    operate(&options, "INSERT INTO {}.schema_versions (id, version) VALUES (0, 9)").await;
    let newer = CqlError::NewerSchema { keyspace: keyspace.clone(), found: 9, known: 1 };
    assert_eq!((why_not(&options).await, not_founded(&options, OURS).await), (newer.clone(), newer));
    operate(&options, "DROP TABLE {}.schema_versions").await;
    operate(&options, "CREATE TABLE {}.schema_versions (id int, version int, name text, PRIMARY KEY (id, version))")
        .await;
    let older = why_not(&options).await;
    assert_eq!(older, CqlError::OlderSchema { keyspace: keyspace.clone(), found: 0, known: 1 });
    founded(&options).await;

    let known = super::super::open::SCHEMA.format;
    operate(&options, "INSERT INTO {}.installation (id, format) VALUES (0, 999)").await;
    let newer = why_not(&options).await;
    assert_eq!(newer, CqlError::NewerFormat { keyspace, found: 999, known });
    operate(&options, "INSERT INTO {}.installation (id, format) VALUES (0, 1)").await;
    let older = why_not(&options).await;
    assert!(matches!(older, CqlError::OlderFormat { found: 1, .. }), "{older:?}");
    assert!(older.to_string().contains("drop the keyspace") && StoreError::Cql(older).is_rebuildable());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn a_keyspace_that_would_lose_rows_is_refused() {
    let mut options = calm_options();
    founded(&options).await;
    let keyspace = options.cluster.keyspace.clone();
    options.cluster.replicas = 3;
    let few = CqlError::TooFewReplicas { keyspace, datacenter: "datacenter1".to_owned(), found: 1, wanted: 3 };
    assert_eq!((why_not(&options).await, not_founded(&options, OURS).await), (few.clone(), few));
    options.cluster.replicas = 1;
    operate(&options, "ALTER KEYSPACE {} WITH durable_writes = false").await;
    assert!(matches!(why_not(&options).await, CqlError::NotDurable { .. }));

    // More copies than the cluster has nodes: it is made, and nothing can be written to it.
    let mut large = calm_options();
    large.cluster.replicas = 3;
    let error = not_founded(&large, OURS).await;
    assert!(matches!(&error, CqlError::Unavailable { .. }) && error.to_string().contains("`replicas`"), "{error:?}");
}
