//! How fast it is: figures, nothing is asserted about time.

use super::*;

/// Partitions that commit at once: all of a default installation.
const PARTITIONS: u16 = 64;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Cassandra: tests/run cluster"]
async fn rows_a_second_over_all_partitions() {
    let store = Arc::new(founded(&calm_options()).await);
    for (commits, rows) in [(20, 4), (8, 64)] {
        let begun = SystemClock.steady();
        let tasks: Vec<_> = (0..PARTITIONS)
            .map(|partition| {
                let store = Arc::clone(&store);
                tokio::spawn(async move {
                    let from = store.applied(partition).await.expect("mark").map_or(0, |mark| mark.0 + 1);
                    for n in from..from + commits {
                        let key = |row: u64| {
                            let (id, row) = (u64::from(partition).to_be_bytes(), (n * 100 + row).to_be_bytes());
                            let pk: [u8; 16] = [id, row].concat().try_into().expect("two ids");
                            RowKey::single(Table::Message, pk)
                        };
                        let rows: Vec<_> = (0..rows).map(|row| (key(row), [7; 300])).collect();
                        let rows: Vec<_> = rows.iter().map(|(key, value)| (key.clone(), &value[..])).collect();
                        store.commit(Commit { partition, ..commit(n, &rows) }).await.expect("commit");
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("a partition");
        }
        let took = SystemClock.steady().saturating_sub(begun).as_secs_f64();
        let all = u64::from(PARTITIONS) * commits;
        let (each, total) = (all as f64 / took, (all * rows) as f64 / took);
        println!("{all} commits of {rows} rows of 300 bytes: {each:.0} commits/s, {total:.0} rows/s");
    }
    let begun = SystemClock.steady();
    for _ in 0..1_000 {
        store.get(&head()).await.expect("get");
    }
    let each = SystemClock.steady().saturating_sub(begun) / 1_000;
    println!("one row read after the other: {each:?} each");
}
