//! Encoding and decoding: the records on the way of a message, and the row it becomes.
//!
//! What the machine should allow, measured of one event of 400 bytes, CPU (encode/decode):
//!
//! - "bincode 280/530, postcard 270/490, msgpack named 450/820, JSON 680/1170" nanoseconds: CBOR with integer keys belongs
//!   between msgpack and bincode. Two more things are in these figures: SHA-256 over the body when it is written and when
//!   it is read (661 bytes, 0.4 µs with SHA extensions), and the header around the facts.
//! - A whole message in the spike: "event encoding 0.7" µs in the API's handler and "event encoding 0.4" in the session's
//!   actor, which here is `accepted/encode`, and a share each of `started/encode` and `closed/encode`.
//! - Rows: "building rows 2.5" µs a message for all of its mutations; a message's row is written three times.
//!
//! `leaf` is what the audit costs each event: its header hashed, its leaf, and its share of the tree's nodes.
//! `event` is the hot path's decoding: the embedded tail hands records on in memory, only the facts are decoded. `decode`
//! is what a replay pays.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a bench may fail loudly, and lives in real time")]

mod cpu;
mod ledger;
mod sample;

use bytes::Bytes;
use criterion::{BenchmarkGroup, Criterion, criterion_group, criterion_main};
use std::hint::black_box;
use waybill::domain::audit::leaf::Leaf;
use waybill::domain::event::{Event, Status};
use waybill::domain::record::{Position, Record};
use waybill::domain::row::{Row, TreeRow};
use waybill::store::{Put, codec};

use cpu::CpuTime;
use ledger::Ledger;

type Group<'a> = BenchmarkGroup<'a, CpuTime>;

fn records(c: &mut Criterion<CpuTime>) {
    let body = sample::body();
    case(&mut c.benchmark_group("accepted"), &sample::accepted(7), Some(&body));
    case(&mut c.benchmark_group("started_x1"), &sample::started(7, 1), None);
    case(&mut c.benchmark_group("started_x32"), &sample::started(7, 32), None);
    case(&mut c.benchmark_group("closed_x1"), &sample::closed(7, 1), None);
    case(&mut c.benchmark_group("closed_x32"), &sample::closed(7, 32), None);
    case(&mut c.benchmark_group("status"), &sample::status(7, Status::Delivered), None);
}

fn case(group: &mut Group<'_>, event: &Event, body: Option<&Bytes>) {
    let record = sample::record(7, event, body);
    assert_eq!(&record.event().unwrap(), event);
    group.bench_function("encode", |b| b.iter(|| sample::record(7, black_box(event), body)));
    group.bench_function("decode", |b| {
        b.iter(|| Record::decode(record.raw.clone(), record.body.clone()).unwrap().event().unwrap());
    });
    group.bench_function("event", |b| b.iter(|| black_box(&record).event().unwrap()));
    group.bench_function("leaf", |b| {
        let (mut tree, mut at) = (TreeRow::default(), 0);
        b.iter(|| {
            at += 1;
            tree.grow(&Leaf::of(black_box(&record), 7, at), Position(at), true);
        });
    });
}

/// The row of a message that was sent, delivered and read: the largest of its states.
fn row(c: &mut Criterion<CpuTime>) {
    let mut ledger = Ledger::new();
    let mut puts = Vec::new();
    let statuses = [sample::status(7, Status::Delivered), sample::status(7, Status::Read)];
    for event in [sample::accepted(7), sample::started(7, 1), sample::closed(7, 1)].into_iter().chain(statuses) {
        let applied = ledger.apply(&sample::record(7, &event, None), &event);
        ledger.appended(applied, &mut puts);
    }
    puts.clear();
    ledger.changed(&mut puts);
    ledger.trim();
    let bytes = largest(puts);
    let row: Row = codec::decode(&bytes).unwrap();
    assert!(matches!(row, Row::Message(_)));
    let mut group = c.benchmark_group("row_message");
    group.bench_function("encode", |b| b.iter(|| codec::encode(black_box(&row)).unwrap()));
    group.bench_function("decode", |b| b.iter(|| codec::decode::<Row>(black_box(&bytes)).unwrap()));
    group.finish();
}

fn largest(puts: Vec<Put>) -> Vec<u8> {
    puts.into_iter().map(|put| put.value).max_by_key(Vec::len).unwrap()
}

criterion_group! { name = benches; config = cpu::criterion(); targets = records, row }
criterion_main!(benches);
