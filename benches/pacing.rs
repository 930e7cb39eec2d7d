//! Pacing: taking one from every bucket of a sender, for one pair and for many.
//!
//! What the machine should allow: governor's own check is "14 ns (of which clock 12)", and "34 ns" for a session's and a
//! pair's limiter held inline; keyed by pair in a map "0.51-0.55 µs" with millions of pairs and a cold cache. Ours hands
//! the clock in and keeps pairs in a map: below 0.1 µs warm, below 0.5 µs where each pair is new.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a bench may fail loudly, and lives in real time")]

mod cpu;

use std::hint::black_box;
use std::num::NonZeroU32;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use governor::Quota;
use waybill::domain::id::KeyId;
use waybill::domain::pacing::{Held, Pacer};
use waybill::domain::record::Micros;

use cpu::CpuTime;

fn every(interval: Duration, burst: u32) -> Quota {
    Quota::with_period(interval).unwrap().allow_burst(NonZeroU32::new(burst).unwrap())
}

fn pair(n: u64) -> KeyId {
    let bytes = n.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    let mut id = [0; 16];
    id[..8].copy_from_slice(&bytes);
    id[8..].copy_from_slice(&bytes);
    KeyId(id)
}

/// A thousand a second to so many people in turn, each of whom may be written to every six seconds.
fn case(c: &mut Criterion<CpuTime>, name: &str, people: u64, interval: Duration) {
    let millisecond = Duration::from_millis(1);
    let mut pacer = Pacer::new(every(millisecond, 80), every(interval, 1), 0, true);
    let (mut now, mut turn): (Micros, u64) = (1_000_000, 0);
    c.bench_function(&format!("take/{name}"), |b| {
        b.iter(|| {
            (now, turn) = (now + 1_000, turn + 1);
            assert_eq!(pacer.take(black_box(pair(turn % people)), now), Ok(()));
        });
    });
}

fn taken(c: &mut Criterion<CpuTime>) {
    case(c, "one_pair", 1, Duration::from_millis(1));
    case(c, "10000_pairs", 10_000, Duration::from_secs(6));
    // Every pair is a new one: with the forgetting of old pairs each time 65,536 are remembered.
    case(c, "new_pairs", u64::MAX, Duration::from_secs(6));
}

fn held(c: &mut Criterion<CpuTime>) {
    let mut pacer = Pacer::new(every(Duration::from_millis(1), 80), every(Duration::from_secs(6), 1), 0, true);
    pacer.take(pair(1), 1_000_000).unwrap();
    c.bench_function("take/held_by_its_pair", |b| {
        b.iter(|| assert_eq!(pacer.take(black_box(pair(1)), 1_500_000), Err(Held::Pair(7_000_000))));
    });
}

criterion_group! { name = benches; config = cpu::criterion(); targets = taken, held }
criterion_main!(benches);
