//! The embedded store: the rows of messages from acceptance to "sent", committed as a partition commits them.
//!
//! What the machine should allow, CPU: "3.1 µs per random upsert" in synced batches of 256 (ours are not synced); in the
//! spike "fjall commit 10.6 µs [a message] (skip list, 6 mutations)" on the caller and "fjall's own thread 2.9: flush,
//! compaction", so 13.5 for all rows, and 8.1 with the 2.5 of building them for lean ones. A message here is eight upserts
//! in three commits: its row three times, the winner of its idempotency key, outbox, two of the feed, the provider's id.
//!
//! `alone`: each event is a commit of its own. `of_64`: as many messages move together, as under load.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench may fail loudly, and lives in real time"
)]

mod cpu;
mod ledger;
mod rate;
mod sample;

use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use tokio::runtime::Builder;
use waybill::domain::event::Event;
use waybill::domain::id::InstallationId;
use waybill::store::fjall::{FjallStore, Options};
use waybill::store::{Commit, Store};

use cpu::CpuTime;
use ledger::{Ledger, PARTITION};
use rate::Rate;

/// Messages whose commits are made ready at once, outside of the measurement.
const CHUNK: u64 = 1_024;

/// The three commits of so many messages that move together.
fn walk(ledger: &mut Ledger, first: u64, count: u64) -> [Commit; 3] {
    let body = sample::body();
    let accepted = (first..first + count).map(|n| (sample::accepted(n), Some(&body))).collect();
    let ticks = || (first..first + count).step_by(32).map(|n| (n, 32.min(first + count - n)));
    let started = ticks().map(|(n, count)| (sample::started(n, count), None)).collect();
    let closed = ticks().map(|(n, count)| (sample::closed(n, count), None)).collect();
    [accepted, started, closed].map(|events: Vec<(Event, _)>| {
        let mut puts = Vec::new();
        for (event, body) in events {
            let applied = ledger.apply(&sample::record(first, &event, body), &event);
            ledger.appended(applied, &mut puts);
        }
        let through = ledger.changed(&mut puts);
        puts.sort_by_key(|put| put.at);
        Commit { partition: PARTITION, through, puts, drops: Vec::new() }
    })
}

fn commit(c: &mut Criterion<CpuTime>) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let mut group = c.benchmark_group("store_commit");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    for (name, together) in [("alone", 1), ("of_64", 64)] {
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let store = FjallStore::open(folder.path(), InstallationId([1; 16]), &Options::default()).unwrap();
        let (mut ledger, mut rate, mut next, mut puts) = (Ledger::new(), Rate::new(), 0, 0);
        group.throughput(Throughput::Elements(together));
        group.bench_function(name, |b| {
            b.iter_custom(|iterations| {
                let (mut took, mut left) = (Duration::ZERO, iterations * together);
                while left > 0 {
                    let count = left.min(CHUNK);
                    let mut commits = Vec::new();
                    for first in (next..next + count).step_by(together as usize) {
                        commits.extend(walk(&mut ledger, first, together));
                    }
                    ledger.trim();
                    puts += commits.iter().map(|commit| commit.puts.len()).sum::<usize>();
                    took += rate.time(count, || runtime.block_on(commit_all(&store, commits)));
                    (next, left) = (next + count, left - count);
                }
                took
            });
        });
        rate.print(&format!("store_commit/{name}"), "messages");
        println!("store_commit/{name}: {:.1} upserts a message\n", puts as f64 / next.max(1) as f64);
        runtime.block_on(store.close()).unwrap();
    }
    group.finish();
}

async fn commit_all(store: &FjallStore, commits: Vec<Commit>) {
    for commit in commits {
        store.commit(commit).await.unwrap();
    }
}

criterion_group! { name = benches; config = cpu::criterion(); targets = commit }
criterion_main!(benches);
