//! Rounds of a message: what begins anew, and what is past by then.

use super::super::event::{Category, Priority, UnknownPolicy};
use super::super::id::{EventId, KeyId, SessionId, TenantId};
use super::super::record::{Micros, Position, Principal};
use super::super::row::Accepted;
use super::*;

fn at(position: u64) -> Fact {
    Fact { at: 0, position: Position(position) }
}

fn of(attempt: u16) -> AttemptRef {
    AttemptRef { message: super::super::id::MessageId([1; 16]), attempt }
}

pub(in super::super) fn queued() -> MessageRow {
    let accepted = Accepted {
        fact: at(1),
        event: EventId([1; 16]),
        by: Principal::Operator,
        tenant: TenantId([1; 16]),
        session: SessionId([2; 16]),
        contact: KeyId([3; 16]),
        category: Category::Utility,
        priority: Priority::Normal,
        unknown: UnknownPolicy::Hold,
        expires_at: 100,
        nonce: 1,
        test: false,
        ordered: false,
        template: None,
        send_at: None,
        country: None,
        campaign: None,
        leg: None,
        past_campaign: false,
    };
    MessageRow { accepted: Some(accepted), ..MessageRow::default() }
}

pub(in super::super) fn tried(row: &mut MessageRow, number: u16, how: How) {
    let (epoch, incarnation) = (Position(0), Position(0));
    row.start(Attempt { number, started: at(10), epoch, incarnation, deadline_ms: 0, ended: None });
    assert!(row.close(of(number), Ended { fact: at(11), how, code: 0, class: "x".into() }));
}

fn failed() -> MessageRow {
    let mut row = queued();
    tried(&mut row, 1, How::Failed);
    assert!(row.refuse(Failure { fact: at(11), class: "request".to_owned(), code: 100 }));
    row
}

const LATER: Micros = 900;

#[test]
fn a_round_begins_once() {
    let mut row = failed();
    row.counted = 5;
    assert_eq!(row.requeue(1, at(20), LATER), Some(true));
    assert_eq!(row.counted, 0, "its tries count afresh");
    assert_eq!((row.state(), row.next_attempt(), row.past), (State::Queued, 2, 1));
    assert_eq!(row.accepted.as_ref().map(|accepted| accepted.expires_at), Some(LATER));
    assert_eq!(row.requeue(1, at(21), LATER), None);
    assert_eq!(row.requeue(2, at(21), LATER), Some(false), "a message that waits is not queued again");
    tried(&mut row, 2, How::Failed);
    row.refuse(Failure { fact: at(30), class: "request".to_owned(), code: 100 });
    assert_eq!(row.requeue(1, at(31), LATER), None, "a late copy of the first step is no second one");
    assert_eq!(row.requeue(2, at(31), LATER), None, "nor is one of a step that came to nothing");
    assert_eq!(row.requeue(3, at(32), LATER), Some(true));
}

#[test]
fn what_is_under_way_called_off_or_in_conflict_is_not_queued_again() {
    let mut open = queued();
    open.start(Attempt {
        number: 1,
        started: at(2),
        epoch: Position(0),
        incarnation: Position(0),
        deadline_ms: 0,
        ended: None,
    });
    open.report(Status::Failed, at(3), "recipient", 131_026);
    assert_eq!(open.state(), State::Failed);
    let mut cancelled = failed();
    cancelled.cancelled = Some(at(5));
    let mut conflict = queued();
    conflict.refuse(Failure { fact: at(1), class: IDEMPOTENCY_CONFLICT.to_owned(), code: 0 });
    for mut row in [queued(), open, cancelled, conflict] {
        assert!(!row.may_requeue() && row.requeue(1, at(9), LATER) == Some(false), "{row:?}");
    }
}

#[test]
fn words_of_an_earlier_round_change_nothing() {
    let mut row = queued();
    assert!(row.call_off(at(5), State::Expired, 0));
    assert_eq!(row.requeue(1, at(6), LATER), Some(true));
    assert!(!row.call_off(at(7), State::Expired, 0), "its time ran out once");
    assert!(!row.call_off(at(8), State::Cancelled, 0));
    assert_eq!(row.state(), State::Queued);
    assert!(row.call_off(at(9), State::Cancelled, 1));
}

#[test]
fn what_may_have_been_sent_and_then_expired_is_tried_again_and_a_late_word_of_it_counts() {
    let mut row = queued();
    tried(&mut row, 1, How::Unknown);
    assert!(row.call_off(at(12), State::Expired, 0));
    assert_eq!(row.requeue(1, at(13), LATER), Some(true));
    assert_eq!(row.state(), State::Queued);
    assert!(row.mark_sent(of(1), at(14)), "it was sent after all");
    assert_eq!(row.state(), State::Sent);
}

#[test]
fn a_repeated_word_that_it_was_sent_does_not_settle_the_next_round() {
    let mut row = queued();
    tried(&mut row, 1, How::Sent);
    row.mark_sent(of(1), at(12));
    assert!(row.report(Status::Failed, at(13), "recipient", 131_026));
    assert_eq!(row.requeue(1, at(14), LATER), Some(true));
    assert!(!row.mark_sent(of(1), at(15)));
    assert_eq!(row.state(), State::Queued);
}

#[test]
fn what_expired_before_its_time_had_come_is_queued_and_waits_no_more() {
    let mut row = queued();
    row.accepted.as_mut().expect("accepted").send_at = Some(50);
    assert_eq!(row.state(), State::Scheduled);
    assert!(row.call_off(at(5), State::Expired, 0));
    assert_eq!(row.requeue(1, at(6), LATER), Some(true));
    assert_eq!(row.state(), State::Queued);
    assert!(!row.release(None, at(7)));
}

#[test]
fn what_was_released_since_its_last_attempt_returned() {
    let mut row = queued();
    assert!(!row.returned());
    tried(&mut row, 1, How::Retry);
    assert!(!row.returned(), "it has its place");
    row.parked = true;
    assert!(row.release(Some(2), at(20)) && row.returned());
    let attempt = Attempt { started: at(21), ..row.attempts[0].clone() };
    row.start(Attempt { number: 2, ended: None, ..attempt });
    assert!(!row.returned());
}

#[test]
fn there_is_no_attempt_without_a_number_of_its_own() {
    let mut row = queued();
    tried(&mut row, NO_ATTEMPT - 1, How::Retry);
    assert_eq!(row.next_attempt(), NO_ATTEMPT);
    let counts = |attempt| super::super::validity::attempt_counts(Some(&row), attempt);
    assert_eq!(counts(NO_ATTEMPT), Err(super::super::validity::Void::Repeated));
}

#[test]
fn a_release_that_comes_late_ends_no_later_wait() {
    let mut row = queued();
    tried(&mut row, 1, How::Retry);
    row.parked = true;
    assert!(row.release(Some(2), at(20)), "its time has come");
    let attempt = Attempt { started: at(21), ..row.attempts[0].clone() };
    row.start(Attempt { number: 2, ..attempt });
    row.parked = true;
    assert!(row.awaits_release(), "it was told to wait once more");
    assert!(!row.release(Some(2), at(22)), "of the earlier wait");
    assert!(row.awaits_release());
    assert!(row.release(None, at(23)), "written before waits were named");
    row.parked = true;
    assert!(row.release(Some(3), at(24)));
}

#[test]
fn each_wait_has_a_time_of_its_own() {
    let mut row = queued();
    assert_eq!(row.waits_until(), None, "it waits for its turn");
    row.accepted.as_mut().expect("accepted").send_at = Some(50);
    assert_eq!(row.waits_until(), Some(50));
    assert!(row.release(Some(1), at(51)));
    tried(&mut row, 1, How::Retry);
    for (not_before, until) in [(90, 90), (900, 100)] {
        (row.not_before, row.parked) = (Some(not_before), true);
        assert_eq!(row.waits_until(), Some(until), "at most until it expires");
    }
}
