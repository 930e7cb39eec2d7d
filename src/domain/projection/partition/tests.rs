//! Attempts that were open when another node claimed their partition.

use super::super::super::address::Address;
use super::super::super::draft::Draft;
use super::super::super::event::{AttemptRef, ClaimedV1};
use super::super::super::id::{EventId, MessageId, NodeId, TenantId, with_partition};
use super::super::super::message::tests::queued;
use super::super::super::record::{Micros, Position, Principal};
use super::super::super::row::{Attempt, BacklogId, Ended, Fact, How, TallyId};
use super::*;

const SECOND: Micros = 1_000_000;

fn of(n: u8) -> MessageId {
    MessageId(with_partition([n; 16], 0))
}

/// Nothing, and all of it at hand.
fn nothing() -> Rows {
    let mut rows = Rows::default();
    rows.load(RowId::Partition(0), None);
    rows.load(RowId::Gates(0), None);
    rows.load(RowId::Backlog(BacklogId { tenant: TenantId([1; 16]), partition: 0 }), None);
    rows.load(RowId::Tally(TallyId { tenant: TenantId([1; 16]), partition: 0, day: 0 }), None);
    (1..=3).for_each(|n| rows.load(RowId::Message(of(n)), None));
    rows
}

/// A node claims the partition at this second.
fn claim(rows: &mut Rows, node: u8, second: u64) {
    let supersedes = rows.partition(0).and_then(|row| row.claim);
    let event = Event::from(ClaimedV1 { node: NodeId([node; 16]), supersedes });
    let at = Micros::try_from(second).unwrap() * SECOND;
    let draft = Draft::new(EventId([node; 16]), Address::partition(0), &event, Principal::Operator, at);
    let record = draft.record().unwrap();
    let at = At { partition: 0, position: Position(second), header: &record.header };
    apply(at, &event, rows, &mut Applied::default());
}

/// Applied to the count, as after each event.
fn counted(rows: &mut Rows) {
    let event = Event::from(ClaimedV1 { node: NodeId([0; 16]), supersedes: None });
    let record = Draft::new(EventId([0; 16]), Address::partition(0), &event, Principal::Operator, 1).record().unwrap();
    count(At { partition: 0, position: Position(0), header: &record.header }, rows);
}

fn starts(rows: &mut Rows, message: u8, epoch: u64) {
    let fact = Fact { at: 0, position: Position(epoch + 1) };
    let (epoch, incarnation) = (Position(epoch), Position(0));
    let mut row = queued();
    rows.put_message(of(message), row.clone());
    row.start(Attempt { number: 1, started: fact, epoch, incarnation, deadline_ms: 0, ended: None });
    rows.put_message(of(message), row);
    counted(rows);
}

fn ends(rows: &mut Rows, message: u8) {
    let fact = Fact { at: 0, position: Position(99) };
    let mut row = rows.message(of(message)).unwrap().clone();
    let ended = Ended { fact, how: How::Retry, code: 0, class: "stopped".into() };
    assert!(row.close(AttemptRef { message: of(message), attempt: 1 }, ended));
    rows.put_message(of(message), row);
    counted(rows);
}

fn elsewhere(rows: &Rows, second: Micros) -> bool {
    rows.partition(0).unwrap().may_be_sent_elsewhere(second * SECOND, 30 * SECOND)
}

#[test]
fn what_another_node_had_open_may_leave_there_until_its_deadline_or_its_end() {
    let mut rows = nothing();
    claim(&mut rows, 1, 10);
    starts(&mut rows, 1, 10);
    starts(&mut rows, 2, 10);
    assert!(!elsewhere(&rows, 11), "it is the owner's");
    claim(&mut rows, 2, 20);
    assert!(elsewhere(&rows, 21) && elsewhere(&rows, 54) && !elsewhere(&rows, 55));
    starts(&mut rows, 3, 20);
    ends(&mut rows, 3);
    ends(&mut rows, 1);
    assert!(elsewhere(&rows, 21), "one of them is open");
    ends(&mut rows, 2);
    assert!(!elsewhere(&rows, 21));
}

#[test]
fn the_same_node_knows_what_is_stopped() {
    let mut rows = nothing();
    claim(&mut rows, 1, 10);
    starts(&mut rows, 1, 10);
    claim(&mut rows, 1, 20);
    assert!(!elsewhere(&rows, 21));
    claim(&mut rows, 2, 30);
    claim(&mut rows, 2, 40);
    assert!(elsewhere(&rows, 41) && !elsewhere(&rows, 65), "as of the first node's loss");
}

#[test]
fn what_the_owners_earlier_lives_had_open_is_not_the_last_owners() {
    let mut rows = nothing();
    claim(&mut rows, 1, 10);
    starts(&mut rows, 1, 10);
    claim(&mut rows, 2, 20);
    starts(&mut rows, 2, 20);
    claim(&mut rows, 2, 30);
    ends(&mut rows, 2);
    assert!(elsewhere(&rows, 31), "the first node's is open");
    ends(&mut rows, 1);
    assert!(!elsewhere(&rows, 31));
}
