//! The embedded journal: appends of records of 1 KiB, really synced, with 1, 64 and 256 of them under way.
//!
//! What the machine should allow, of the plain segment file of the measurements (1 KiB events, one writer, `fdatasync` each
//! batch): "batch 1 1.7k ev/s, 64 23k, 256 244k"; pre-zeroed "2.2k, 64k, 255k"; "CPU 0.85 µs/ev at 256 / 0.57 at 1024",
//! fallocated "0.71 / 0.58"; in the spike's whole loop "journal thread 6.3 µs [a message of two to three events]: fdatasync
//! 3.4, leaf hash and tree 0.9, frame and hand over 1.0, pwrite 0.5, linger 0.4, CRC 0.1". Here the callers' side (the
//! record's copy, the queue, the answer's channel) and the zeroing of the next segments are in the figure too; the line of
//! each benchmark gives them apart: `journal-writer` is the thread to compare with 0.6 to 0.9 µs.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench may fail loudly, and lives in real time"
)]

mod cpu;
mod rate;
mod sample;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use tokio::runtime::Builder;
use waybill::domain::id::InstallationId;
use waybill::domain::record::Record;
use waybill::journal::{Appended, EmbeddedJournal, Genesis, Journal, Options};
use waybill::runtime::SystemClock;

use cpu::CpuTime;
use rate::Rate;

/// Header and body together are 1 KiB.
fn record() -> Record {
    let event = sample::accepted(7);
    let header = sample::record(7, &event, Some(&sample::body())).raw.len();
    let record = sample::record(7, &event, Some(&Bytes::from(vec![0x5a; 1024 - header])));
    assert_eq!(record.len(), 1024);
    record
}

fn append(c: &mut Criterion<CpuTime>) {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let options = Options::default();
    let genesis = Genesis::new(InstallationId([1; 16]), 64);
    EmbeddedJournal::init(folder.path(), genesis, sample::AT, &options).unwrap();
    let (journal, _) = EmbeddedJournal::open(folder.path(), options, Arc::new(SystemClock)).unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let record = record();
    let mut group = c.benchmark_group("journal_append");
    group.sampling_mode(SamplingMode::Flat).sample_size(10);
    for under_way in [256, 64, 1] {
        // A segment that is still being zeroed for what came before is none of this case's cost.
        std::thread::sleep(Duration::from_secs(1));
        let (mut rate, before) = (Rate::new(), journal.stats());
        group.throughput(Throughput::Elements(under_way));
        group.bench_function(format!("{under_way}"), |b| {
            b.iter_custom(|iterations| {
                rate.time(iterations * under_way, || {
                    runtime.block_on(async {
                        for _ in 0..iterations {
                            round(&journal, &record, under_way).await;
                        }
                    });
                })
            });
        });
        rate.print(&format!("journal_append/{under_way}"), "records");
        let after = journal.stats();
        let batches = (after.batches - before.batches).max(1);
        let records = (after.records - before.records) as f64 / batches as f64;
        let sync = (after.total_sync_micros - before.total_sync_micros) / batches;
        println!("journal_append/{under_way}: {records:.1} records a batch, fdatasync {sync} µs a batch\n");
    }
    group.finish();
    runtime.block_on(journal.close()).unwrap();
}

/// So many appends at once, as that many callers: then all answers.
async fn round(journal: &EmbeddedJournal, record: &Record, count: u64) {
    let appending: Vec<_> = (0..count).map(|n| journal.append((n % 64) as u16, vec![record.clone()])).collect();
    for appending in appending {
        assert!(matches!(appending.await, Appended::Durable { .. }));
    }
}

criterion_group! { name = benches; config = cpu::criterion(); targets = append }
criterion_main!(benches);
