//! The whole walk of messages, from acceptance to the row that says "sent": real actors, a channel that answers at once.
//!
//! What the machine should allow, CPU a message in the spike of the same walk: 98.8 µs with HTTP in and out, of which
//! "about 30 are loopback TCP in the kernel". Without HTTP (in 16.4, out 16.6, client 13.0, sockets 8.3) and with its
//! fuller rows that leaves about 44 µs: "API handler 9.0, journal thread 6.3, partition task 13.8, fjall's own thread 2.9,
//! session actor 4.0, send task 21.5 less the client's 13.0". `in_folder` is to be compared with that 44, and has a part of
//! what the spike lacked: the contact's gate, metrics, feed rows, the tag and seal of the provider's id. `in_memory` has
//! doubles for all three hands, so no fjall, no files and no syncs: about 25 µs are left of the same sum (doubles are
//! written for tests, not for speed). `in_folder_one_partition` shows what 64 partitions instead of the spike's single one
//! cost.
//!
//! 64 callers each wait for the answer to their acceptance, 20 senders, 1,000 recipients, 600 bytes. The line of each
//! benchmark also says how many a second on the wall, and which threads had the CPU.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench may fail loudly, and lives in real time"
)]

mod cpu;
mod house;
mod rate;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use criterion::{Criterion, SamplingMode, criterion_group, criterion_main};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;
use waybill::domain::id::MessageId;
use waybill::telemetry;

use cpu::CpuTime;
use house::{House, Kept};
use rate::Rate;

/// As a new installation has by default.
const PARTITIONS: u16 = 64;

/// Callers that wait for their answer at a time.
const CALLERS: usize = 64;

/// Accepts messages and waits until all are sent. Gives back some of them, to look at.
async fn walk(house: &Arc<House>, count: u64) -> Vec<MessageId> {
    let before = house.sent();
    let next = Arc::new(AtomicU64::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        let (house, next) = (Arc::clone(house), Arc::clone(&next));
        callers.spawn(async move {
            let mut last = None;
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    return last;
                }
                last = Some(house.accept(n).await);
            }
        });
    }
    let last = callers.join_all().await;
    house.settled(before + count).await;
    last.into_iter().flatten().collect()
}

fn case(c: &mut Criterion<CpuTime>, name: &str, runtime: &Runtime, kept: impl FnOnce() -> Kept) {
    let house = Arc::new(runtime.block_on(House::start(kept())));
    // Every sender's actor lives, and every contact has its key, before anything is measured.
    runtime.block_on(walk(&house, 1_000));
    let mut rate = Rate::new();
    let mut group = c.benchmark_group("walk");
    group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_secs(3));
    group.bench_function(name, |b| {
        b.iter_custom(|count| {
            let mut some = Vec::new();
            let took = rate.time(count, || some = runtime.block_on(walk(&house, count)));
            for message in some {
                assert!(runtime.block_on(house.is_sent(message)), "{message} is not sent");
            }
            took
        });
    });
    group.finish();
    rate.print(&format!("walk/{name}"), "messages");
    let house = Arc::into_inner(house).expect("no caller is left");
    runtime.block_on(house.stop());
}

fn walks(c: &mut Criterion<CpuTime>) {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    // Metrics are recorded as in the product.
    runtime.spawn(telemetry::install().unwrap().upkeep());
    case(c, "in_memory", &runtime, || house::in_memory(PARTITIONS));
    let folder = || tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (many, one) = (folder(), folder());
    case(c, "in_folder", &runtime, || house::in_folder(many.path(), PARTITIONS));
    case(c, "in_folder_one_partition", &runtime, || house::in_folder(one.path(), 1));
}

criterion_group! { name = benches; config = cpu::criterion(); targets = walks }
criterion_main!(benches);
