//! How fast it is: figures, nothing is asserted about time.

use std::sync::Arc;

use super::super::super::contract::{genesis, record};
use super::super::super::{Appended, Journal};
use super::*;

/// Appends on their way at once: what a busy node has.
const UNDER_WAY: u64 = 512;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn appends_a_second_over_all_partitions() {
    let options = options(tokio::task::block_in_place(calm), fresh("rate"));
    init(&options, genesis()).await.expect("founded");
    let journal = Arc::new(open(&options).await);
    let each = 40;
    let begun = SystemClock.steady();
    let tasks: Vec<_> = (0..UNDER_WAY)
        .map(|task| {
            let journal = Arc::clone(&journal);
            tokio::spawn(async move {
                for n in 0..each {
                    let partition = ((task + n) % u64::from(genesis().count)) as u16;
                    let appended = journal.append(partition, vec![record(task * each + n, 1024)]).await;
                    assert!(matches!(appended, Appended::Durable { .. }), "{appended:?}");
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("a writer");
    }
    let took = SystemClock.steady().saturating_sub(begun);
    let rate = (UNDER_WAY * each) as f64 / took.as_secs_f64();
    println!("{} appends of 1 KiB over {} partitions in {took:?}: {rate:.0}/s", UNDER_WAY * each, genesis().count);
    journal.close().await.expect("closed");
}
