//! A database that is slow, away or killed: commits hold, nothing that was answered is lost, and nobody is left alone for ever.

use std::time::Duration;

use tokio::task::JoinHandle;

use super::*;

/// A database of its own, which these tests stop and kill; one of them at a time.
struct Tormented(#[expect(dead_code, reason = "held until the test is over")] tokio::sync::MutexGuard<'static, ()>);

impl Tormented {
    async fn up() -> (Self, Options) {
        static ONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let guard = ONE.lock().await;
        let options = options(&tokio::task::block_in_place(|| up("faults", "cassandra")));
        (Self(guard), options)
    }

    async fn does(&self, action: &'static str) {
        let run = move || script("faults", &["node", "cassandra", "1", action]);
        tokio::task::spawn_blocking(run).await.expect("a script that ends");
    }
}

fn impatient(options: Options) -> Options {
    let mut options = Options { patience: Duration::from_secs(2), ..options };
    options.cluster.request = Duration::from_secs(1);
    options
}

/// A store, and a commit of it that waits for a database that is away.
async fn held() -> (Tormented, Arc<CqlStore>, JoinHandle<Result<(), StoreError>>) {
    let (database, options) = Tormented::up().await;
    let store = Arc::new(founded(&impatient(options)).await);
    store.commit(step(0)).await.expect("commit");
    database.does("pause").await;
    let theirs = Arc::clone(&store);
    let held = tokio::spawn(async move { theirs.commit(step(1)).await });
    (database, store, held)
}

async fn within<T>(seconds: u64, what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(seconds), future).await.unwrap_or_else(|_| panic!("{what}: too late"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn a_database_that_is_away_is_waited_for_and_that_is_said() {
    let (database, store, held) = held().await;
    within(20, "it is said", async {
        while store.held().is_none() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    })
    .await;
    let said = store.held().expect("held");
    assert!(said.contains("go on by themselves"), "{said}");
    let read = within(10, "a read ends", store.get(&head())).await;
    assert!(matches!(read, Err(StoreError::Cql(CqlError::Silent { .. }))), "{read:?}");
    assert!(store.failed().is_none() && !held.is_finished(), "nothing has failed");
    database.does("resume").await;
    within(30, "it goes on", held).await.expect("joins").expect("commit");
    assert_eq!((store.held(), store.failed()), (None, None));
    assert_eq!(store.digest(&Table::ALL).await.expect("digest"), expected(1).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn a_commit_that_nobody_waits_for_is_finished_before_its_mark_is_read() {
    let (database, options) = Tormented::up().await;
    let store = founded(&impatient(options)).await;
    store.commit(step(0)).await.expect("commit");
    database.does("pause").await;
    let left = tokio::time::timeout(Duration::from_millis(500), store.commit(step(1))).await;
    assert!(left.is_err(), "it is still under way");
    let mark = within(10, "a mark", store.applied(0)).await;
    assert!(matches!(mark, Err(StoreError::Cql(CqlError::Silent { .. }))), "not the old one: {mark:?}");
    database.does("resume").await;
    let mark = within(30, "a mark", async {
        loop {
            if let Ok(mark) = store.applied(0).await {
                return mark;
            }
        }
    });
    assert_eq!(mark.await, Some(Position(1)));
    assert_eq!(store.digest(&Table::ALL).await.expect("digest"), expected(1).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn what_was_answered_stands_when_the_database_is_killed() {
    let (database, options) = Tormented::up().await;
    let store = Arc::new(founded(&impatient(options.clone())).await);
    let theirs = Arc::clone(&store);
    let writer = tokio::spawn(async move {
        for n in 0..400 {
            theirs.commit(step(n)).await.expect("commit");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    tokio::time::sleep(Duration::from_secs(1)).await;
    database.does("kill").await;
    database.does("start").await;
    within(120, "all commits", writer).await.expect("joins");
    assert_eq!(store.digest(&Table::ALL).await.expect("digest"), expected(399).await);
    assert_eq!(open(&options).await.applied(0).await, Ok(Some(Position(399))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn closing_does_not_wait_for_a_database_that_is_away() {
    let (database, store, held) = held().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let closed = within(10, "closing", store.close()).await;
    let held = within(1, "the commit", held).await.expect("joins");
    database.does("resume").await;
    assert_eq!((closed, held), (Ok(()), Err(StoreError::Closed)));
}
