//! A word that comes after "unknown" brings a message back to where it is found.

use super::super::super::draft::Draft;
use super::super::super::event::Event;
use super::super::super::id::EventId;
use super::super::super::message::tests::{queued, tried};
use super::super::super::record::{Position, Principal};
use super::super::super::row::{Row, RowId};
use super::super::{Append, Applied, At, needs};
use super::*;

const ID: MessageId = MessageId([1; 16]);

/// The row after a retry's word on its first attempt, and what was appended.
fn retried(before: MessageRow) -> (MessageRow, Applied) {
    let outcome = OutcomeV1::Retry { class: "timeout".to_owned(), code: 0, not_before: 0, counts: None };
    let closed = ClosedV1 { of: AttemptRef { message: ID, attempt: 1 }, outcome, at: 20 };
    let session = before.accepted.as_ref().expect("accepted").session;
    let event = Event::from(AttemptsClosedV1 { session, closed: vec![closed] });
    let record = Draft::new(EventId([9; 16]), session, &event, Principal::Operator, 20).record().expect("small");
    let at = At { partition: 0, position: Position(40), header: &record.header };
    let mut rows = Rows::default();
    rows.load(RowId::Message(ID), Some(Row::Message(Box::new(before))));
    loop {
        let wanted = needs(at, &event, &rows);
        if wanted.is_empty() {
            break;
        }
        wanted.into_iter().for_each(|id| rows.load(id, None));
    }
    let applied = super::super::apply(at, &event, &mut rows).expect("known");
    (rows.message(ID).expect("a row").clone(), applied)
}

#[test]
fn what_did_not_leave_after_all_stands_in_the_outbox_anew_if_it_was_unknown() {
    let mut unknown = queued();
    tried(&mut unknown, 1, How::Unknown);
    assert_eq!(unknown.state(), State::Unknown);
    let (row, applied) = retried(unknown);
    assert_eq!((row.state(), row.entered()), (State::Queued, Some(Position(40))));
    assert!(applied.appends.iter().any(|it| matches!(it, Append::Outbox { message: ID, .. })));
}

#[test]
fn a_retry_keeps_its_place_in_the_outbox() {
    let mut row = queued();
    let (epoch, incarnation) = (Position(0), Position(0));
    let started = Fact { at: 10, position: Position(10) };
    row.start(super::super::super::row::Attempt {
        number: 1,
        started,
        epoch,
        incarnation,
        deadline_ms: 0,
        ended: None,
    });
    let entered = row.entered();
    let (row, applied) = retried(row);
    assert_eq!((row.state(), row.entered()), (State::Queued, entered));
    assert!(!applied.appends.iter().any(|it| matches!(it, Append::Outbox { .. })));
}
