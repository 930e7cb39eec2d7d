//! Which messages may leave, which are missing where they went, and in which round words follow them.

use super::super::super::event::AttemptRef;
use super::super::super::id::{EventId, SessionId};
use super::super::super::record::Position;
use super::super::super::row::{Failure, Leg};
use super::super::tests::{queued, tried};
use super::*;

const OWN: MessageId = MessageId([1; 16]);
const HOME: MessageId = MessageId([2; 16]);

fn at(position: u64) -> Fact {
    Fact { at: 0, position: Position(position) }
}

fn handover(leg: MessageId, number: u16) -> Handover {
    Handover { to: SessionId([8; 16]), leg, number, fact: at(40), event: EventId([9; 16]) }
}

/// A message that came by its home's second move, in that round of it, and left for home again.
fn coming_back(round: u16) -> MessageRow {
    let mut row = queued();
    let (partition, position) = (0, Position(1));
    let leg =
        Leg { origin: HOME, from: HOME, sender: SessionId([2; 16]), number: 2, partition, position, round, depth: 1 };
    row.accepted.as_mut().expect("accepted").leg = Some(Box::new(leg));
    row.move_out(handover(HOME, 1));
    row
}

/// Its home, after so many moves, the last of which is not over if it is the message's.
fn home(moves: u16, moved: Option<Handover>) -> MessageRow {
    MessageRow { moves, moved, ..queued() }
}

#[test]
fn what_comes_back_is_over_only_if_a_row_says_so() {
    let row = coming_back(0);
    let missing = |there: Option<&MessageRow>| row.arrival(OWN, there);
    assert_eq!(missing(None), Some(Arrival::Return), "its home is not applied yet");
    assert_eq!(missing(Some(&home(1, None))), Some(Arrival::Return), "nor is the move by which it came");
    assert_eq!(missing(Some(&home(2, Some(handover(OWN, 2))))), Some(Arrival::Return), "it is waited for");
    assert_eq!(missing(Some(&home(2, None))), None, "it is back");
    assert_eq!(missing(Some(&home(3, Some(handover(MessageId([3; 16]), 3))))), None, "and has left again");
}

#[test]
fn what_is_new_somewhere_has_come_when_it_is_there() {
    let mut row = queued();
    row.move_out(handover(OWN, 1));
    assert_eq!(row.arrival(HOME, None), Some(Arrival::New));
    assert_eq!(row.arrival(HOME, Some(&queued())), None);
}

#[test]
fn a_word_follows_a_message_in_the_round_that_it_is_in_there() {
    let row = coming_back(1);
    let at_home = |moves, moved, round| MessageRow { round, ..home(moves, moved) };
    assert_eq!(row.round_there(OWN, Some(&at_home(2, Some(handover(OWN, 2)), 1))), 1);
    assert_eq!(row.round_there(OWN, None), 1, "rows that are behind do not say it");
    assert_eq!(row.round_there(OWN, Some(&at_home(1, None, 0))), 1, "or say what was before");
    assert_eq!(row.round_there(OWN, Some(&at_home(2, None, 3))), 3, "it is back, and went on");
    let mut out = queued();
    out.move_out(handover(OWN, 1));
    assert_eq!((out.round_there(HOME, None), out.round_there(HOME, Some(&at_home(0, None, 1)))), (0, 1));
}

#[test]
fn a_word_of_an_earlier_round_does_not_call_off_what_moved() {
    let mut row = queued();
    assert!(row.call_off(at(5), State::Expired, 0));
    assert_eq!(row.requeue(1, at(6), 900), Some(true));
    row.move_out(handover(OWN, 1));
    assert!(!row.call_off_moved(at(41), 0), "it landed late");
    assert!(row.call_off_moved(at(42), 1) && !row.call_off_moved(at(43), 1));
}

#[test]
fn what_was_refused_may_leave_when_it_is_queued_again_and_what_was_given_up_stays() {
    for (class, leaves) in [("sender", true), ("unknown_given_up", false)] {
        let mut row = queued();
        tried(&mut row, 1, How::Failed);
        let ended = row.attempts[0].ended.as_mut().expect("ended");
        ended.class = class.into();
        assert!(row.refuse(Failure { fact: at(11), class: class.to_owned(), code: 100 }));
        assert!(!row.may_move(), "it is over");
        assert_eq!(row.requeue(1, at(20), 900), Some(true));
        assert_eq!(row.may_move(), leaves, "{class}");
    }
}

#[test]
fn a_strict_one_that_may_have_been_sent_keeps_its_lane_also_once_it_is_to_be_sent_again() {
    for (strict, kept) in [(true, [false, true, true, false]), (false, [false, false, false, false])] {
        let mut row = queued();
        row.accepted.as_mut().expect("accepted").ordered = strict;
        let mut keeps = vec![row.keeps_its_lane()];
        tried(&mut row, 1, How::Unknown);
        keeps.push(row.keeps_its_lane());
        let of = AttemptRef { message: OWN, attempt: 1 };
        assert!(row.close(of, Ended { fact: at(12), how: How::Retry, code: 0, class: "resent".into() }));
        assert_eq!(row.state(), State::Queued);
        keeps.push(row.keeps_its_lane());
        row.gated = Some(EventId([4; 16]));
        keeps.push(row.keeps_its_lane());
        assert_eq!(keeps, kept, "strict: {strict}");
    }
}
