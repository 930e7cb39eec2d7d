//! Deciding: the session's machine, its lanes, and the projection, each without any IO.
//!
//! What the machine should allow, CPU a message in the spike's profile:
//!
//! - "session actor 4.0 [µs]: turn + ractor loop 2.6, spawn of the send task 0.6, event encoding 0.4, hand to writer 0.4":
//!   the machine's four steps of a message are a part of the 2.6. A turn of one message pays for the step alone
//!   (`machine/one`), under load a turn takes what has gathered (`machine/of_32`).
//! - "partition task 13.8: fjall commit 10.6, building rows 2.5, routing 0.5, nudge 0.2": `projection/applied` and
//!   `projection/encoded` (the same, and all upserts as bytes) are what the 2.5 bought.
//!
//! A thousand waiting recipients must not make a turn dearer than thirty-two: compare `machine/of_32` with
//! `machine/of_32_among_1000`.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a bench may fail loudly, and lives in real time")]

mod cpu;
mod ledger;
mod sample;

use std::num::NonZeroU32;
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use governor::Quota;
use waybill::domain::event::{AttemptRef, Event, Priority, Status};
use waybill::domain::failure::Answer;
use waybill::domain::pacing::Pacer;
use waybill::domain::record::{Micros, Record};
use waybill::domain::retry::RetryLimits;
use waybill::domain::session::{Effect, Input, Lanes, Machine, Queued, SessionLimits, Standing};

use cpu::{CpuTime, spent};
use ledger::Ledger;
use sample::AT;

/// The product's defaults, with room for a thousand.
const LIMITS: SessionLimits = SessionLimits {
    window: 32,
    tick: 32,
    ring: 2_048,
    lane_block: 60_000_000,
    retry: RetryLimits { max_attempts: 6, base: 1_000_000, cap: 60_000_000 },
};

/// One message to each person, so that lanes hold nobody back.
fn queued(n: u64) -> Queued {
    Queued {
        message: sample::message(n),
        contact: sample::contact(n),
        priority: Priority::Normal,
        expires_at: Micros::MAX,
        not_before: 0,
        keeps_until: 0,
        attempt: 1,
        counted: 0,
        strict: false,
    }
}

/// A machine that nothing holds back, and a clock that lets every rate recover.
struct Bench {
    machine: Machine,
    now: Micros,
    next: u64,
}

impl Bench {
    fn new() -> Self {
        let fast = Quota::per_second(NonZeroU32::new(100_000).unwrap()).allow_burst(NonZeroU32::new(100_000).unwrap());
        let mut machine = Machine::new(LIMITS, Pacer::new(fast, fast, AT, true));
        machine.step([Input::Lease(u32::MAX, Micros::MAX)], AT, 1);
        Self { machine, now: AT, next: 0 }
    }

    fn step(&mut self, inputs: Vec<Input>) -> Vec<Effect> {
        self.machine.step(inputs, self.now, self.now.unsigned_abs())
    }

    fn offer(&mut self, count: u64) -> Vec<Effect> {
        let standing = |n| Input::Standing(sample::message(n), Standing::Queued(queued(n)));
        let offered = (self.next..self.next + count).map(standing).collect();
        self.next += count;
        // An earlier lease has been spent by some of these: as if the budget lent anew.
        self.machine.step([Input::Lease(u32::MAX, Micros::MAX)], self.now, 1);
        self.step(offered)
    }

    /// From the proposal to the settled row: three turns. Says what the first of them brought next.
    fn settle(&mut self, proposed: &[AttemptRef]) -> Vec<AttemptRef> {
        self.now += 1_000;
        let begun = self.step(vec![Input::Judged(proposed.iter().map(|of| (*of, Ok(()))).collect())]);
        assert_eq!(begun.iter().filter(|effect| matches!(effect, Effect::Begin(_))).count(), proposed.len());
        let sent = |of: &AttemptRef| Answer::Sent { provider_id: format!("wamid.{}", of.attempt) };
        self.step(proposed.iter().map(|of| Input::Answered(*of, sent(of))).collect());
        let settled = proposed.iter().map(|of| Input::Standing(of.message, Standing::Settled)).collect();
        attempts(self.step(settled))
    }
}

fn attempts(effects: Vec<Effect>) -> Vec<AttemptRef> {
    let proposed = effects.into_iter().find_map(|effect| match effect {
        Effect::Propose(attempts) => Some(attempts),
        _ => None,
    });
    proposed.unwrap_or_default()
}

fn machine(c: &mut Criterion<CpuTime>) {
    let mut group = c.benchmark_group("machine");
    for (name, count) in [("one", 1), ("of_32", 32)] {
        let mut bench = Bench::new();
        group.throughput(Throughput::Elements(count));
        group.bench_function(name, |b| {
            b.iter(|| {
                let proposed = attempts(bench.offer(count));
                assert_eq!(proposed.len() as u64, count);
                bench.settle(&proposed)
            });
        });
    }
    let mut bench = Bench::new();
    let mut proposed = attempts(bench.offer(1_000));
    group.throughput(Throughput::Elements(32));
    group.bench_function("of_32_among_1000", |b| {
        b.iter(|| {
            // What is settled is offered anew, as other messages to the same thousand people.
            let next = bench.settle(&proposed);
            bench.offer(proposed.len() as u64);
            assert_eq!(next.len(), 32);
            proposed = next;
        });
    });
    group.finish();
}

fn lanes(c: &mut Criterion<CpuTime>) {
    let mut lanes = Lanes::default();
    let mut next = 0;
    while next < 2 * sample::PEOPLE {
        lanes.push(queued(next), false);
        next += 1;
    }
    c.bench_function("lanes/push_next_free_1000", |b| {
        b.iter(|| {
            let head = lanes.take_next().expect("two thousand wait");
            lanes.free(head.contact, head.message);
            lanes.push(Queued { message: sample::message(next), ..head }, false);
            next += 1;
        });
    });
}

/// The events of one message: accepted, started, closed; with callbacks also delivered and read.
fn walk(n: u64, callbacks: bool) -> Vec<(Record, Event)> {
    let mut events = vec![sample::accepted(n), sample::started(n, 1), sample::closed(n, 1)];
    if callbacks {
        events.extend([sample::status(n, Status::Delivered), sample::status(n, Status::Read)]);
    }
    let body = sample::body();
    let body = |event: &Event| matches!(event, Event::MessageAccepted(_)).then_some(&body);
    events.into_iter().map(|event| (sample::record(n, &event, body(&event)), event)).collect()
}

/// Messages applied between two trims, and made ready outside of the measurement.
const CHUNK: u64 = 256;

fn projection(c: &mut Criterion<CpuTime>) {
    for (name, callbacks, encode) in
        [("applied", false, false), ("encoded", false, true), ("applied_with_callbacks", true, false)]
    {
        let mut ledger = Ledger::new();
        let mut next = 0;
        c.bench_function(&format!("projection/{name}"), |b| {
            b.iter_custom(|iterations| {
                let mut took = Duration::ZERO;
                let mut left = iterations;
                while left > 0 {
                    let count = left.min(CHUNK);
                    let events: Vec<_> = (next..next + count).map(|n| walk(n, callbacks)).collect();
                    let began = spent();
                    events.iter().for_each(|events| apply_all(&mut ledger, events, encode));
                    took += spent() - began;
                    ledger.trim();
                    (next, left) = (next + count, left - count);
                }
                took
            });
        });
    }
}

/// Each event is a batch of its own: the dearest case, since a row changed twice in one batch is written once.
fn apply_all(ledger: &mut Ledger, events: &[(Record, Event)], encode: bool) {
    let mut puts = Vec::new();
    for (record, event) in events {
        let applied = ledger.apply(record, event);
        if encode {
            ledger.appended(applied, &mut puts);
            ledger.changed(&mut puts);
        }
    }
    std::hint::black_box(puts);
}

criterion_group! { name = benches; config = cpu::criterion(); targets = machine, lanes, projection }
criterion_main!(benches);
