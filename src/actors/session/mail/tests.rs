//! What a box keeps, for whom, and in which order it is read.

use super::*;
use crate::domain::event::Category;
use crate::domain::id::{KeyId, TenantId};
use crate::domain::session::Queued;

#[test]
fn what_waits_in_bulk_stands_before_bulk_only() {
    let mailbox = SessionBox::default();
    let offer = |at, priority| mailbox.offer(Position(at), 2, priority, || SessionMail::Tick);
    assert!(offer(1, Priority::Bulk) && offer(2, Priority::Bulk) && !offer(3, Priority::Bulk));
    assert!(offer(4, Priority::Normal) && offer(5, Priority::Urgent));
    mailbox.holds(Life::default(), [1, 1, 0], [1, 1, 2]);
    assert!(!offer(6, Priority::Bulk), "behind its own, though there is room");
    assert!(offer(7, Priority::Normal) && !offer(8, Priority::Normal));
    let cold = |from, through| Some(Cold { from: Position(from), through: Position(through) });
    assert_eq!(mailbox.cold(), [None, cold(8, 8), cold(3, 6)]);
    mailbox.pulled(Life::default(), Priority::Bulk, Position(3));
    assert_eq!(mailbox.cold(), [None, cold(8, 8), cold(4, 6)]);
    mailbox.pulled(Life::default(), Priority::Bulk, Position(6));
    assert!(offer(9, Priority::Bulk));
}

fn queued(at: u64) -> SessionMail {
    let message = MessageId([u8::try_from(at).expect("small"); 16]);
    let queued = Queued {
        message,
        contact: KeyId([1; 16]),
        priority: Priority::Normal,
        expires_at: Micros::MAX,
        not_before: 0,
        keeps_until: 0,
        attempt: 1,
        counted: 0,
        strict: false,
    };
    let reference = MessageRef {
        partition: 0,
        accepted: Position(at),
        entered: Position(at),
        at: 0,
        event: EventId([1; 16]),
        tenant: TenantId([1; 16]),
        contact: queued.contact,
        category: Category::Utility,
        test: false,
        round: 0,
        country: None,
        campaign: None,
        expires_at: Micros::MAX,
    };
    SessionMail::Standing(message, Standing::Queued(queued), Some(reference))
}

#[test]
fn what_the_last_life_had_in_memory_goes_before_the_mail() {
    let mailbox = SessionBox::default();
    for at in [15, 16] {
        assert!(mailbox.offer(Position(at), 9, Priority::Normal, || queued(at)));
    }
    mailbox.begin_cold(Position(15), Position(16));
    assert_eq!((mailbox.inbox.count(|_| true), mailbox.cold()), (2, [None; 3]), "it is all there");
    mailbox.begin_cold(Position(10), Position(16));
    assert_eq!(mailbox.inbox.count(|_| true), 0, "10 would go behind them");
    assert!(mailbox.cold().iter().all(Option::is_some));
}

#[tokio::test]
async fn the_first_message_that_came_back_does_not_stand_for_those_who_were_read_with_it() {
    let mailbox = SessionBox::default();
    let (actor, _) = ractor::Actor::spawn(None, Reader, ()).await.expect("it starts");
    let life = mailbox.attach(actor.clone());
    for at in [5, 6, 7] {
        assert!(mailbox.offer(Position(at), 9, Priority::Normal, || queued(at)));
    }
    assert_eq!(mailbox.take(life).map(|mail| mail.len()), Some(3));
    // 5 is to be tried again, and its reader is gone with 6 and 7.
    mailbox.inbox.put(queued(5));
    mailbox.begin_cold(Position(5), Position(7));
    assert_eq!(mailbox.cold()[1], Some(Cold { from: Position(5), through: Position(7) }));
    actor.stop(None);
}

/// Reads nothing by itself.
struct Reader;

impl ractor::Actor for Reader {
    type Msg = Nudge;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Nudge>, (): ()) -> Result<(), ractor::ActorProcessingErr> {
        Ok(())
    }
}

#[test]
fn a_life_that_is_over_takes_nothing_and_has_read_nothing() {
    let (mailbox, old) = (SessionBox::default(), Life::default());
    assert!(!mailbox.offer(Position(1), 0, Priority::Normal, || queued(1)));
    mailbox.adopt();
    mailbox.begin_cold(Position(1), Position(1));
    mailbox.inbox.put(SessionMail::Tick);
    mailbox.pulled(old, Priority::Normal, Position(9));
    mailbox.holds(old, [9; 3], [0; 3]);
    assert!(mailbox.take(old).is_none() && !mailbox.inbox.is_empty());
    assert_eq!(mailbox.cold()[1], Some(Cold { from: Position(1), through: Position(1) }), "nobody has it");
    mailbox.pulled(Life(1), Priority::Normal, Position(1));
    assert!(mailbox.cold()[1].is_none() && mailbox.offer(Position(2), 1, Priority::Normal, || queued(2)));
    assert_eq!(mailbox.take(Life(1)).map(|mail| mail.len()), Some(2));
}

#[test]
fn the_outbox_is_read_after_the_mail_that_stands_before_it() {
    let mailbox = SessionBox::default();
    assert!(mailbox.offer(Position(1), 1, Priority::Normal, || queued(1)));
    assert!(!mailbox.offer(Position(2), 1, Priority::Normal, || queued(2)));
    assert!(mailbox.to_pull(Priority::Normal, 0).is_none(), "1 is in mail that was not taken");
    assert!(mailbox.to_pull(Priority::Normal, 1).is_some_and(|cold| cold.from == Position(2)));
    assert!(mailbox.to_pull(Priority::Bulk, 1).is_none());
}

#[test]
fn an_answer_stays_until_the_journal_has_this_one() {
    let mailbox = SessionBox::default();
    let of = |n| AttemptRef { message: MessageId([n; 16]), attempt: 1 };
    let again = AttemptRef { attempt: 2, ..of(1) };
    for of in [of(1), again, of(2)] {
        let answered = Answered { answer: Answer::NotSent { why: "connect" }, provider: None };
        mailbox.end(of, Ended::Answered(answered));
    }
    mailbox.recorded(&[of(1)]);
    assert!(mailbox.ended(of(1)).is_none());
    assert!(mailbox.ended(again).is_some() && mailbox.ended(of(2)).is_some());
    assert!(mailbox.has_work(), "a life begun now closes them");
}

#[test]
fn a_bar_outlives_whoever_took_the_mail() {
    let mailbox = SessionBox::default();
    let of = AttemptRef { message: MessageId([1; 16]), attempt: 1 };
    assert!(mailbox.begin_call());
    assert!(mailbox.has_work(), "its end is to be found here");
    mailbox.end(of, Ended::Barred(Bar::Never("opt_out")));
    mailbox.end_call();
    assert_eq!(mailbox.inbox.take().len(), 1);
    assert!(mailbox.has_work() && mailbox.unrecorded() == [of]);
    assert!(matches!(mailbox.ended(of), Some(Ended::Barred(Bar::Never("opt_out")))));
    mailbox.recorded(&[of]);
    assert!(!mailbox.has_work());
}

#[test]
fn mail_of_the_partitions_last_life_is_not_all_that_waits() {
    let mailbox = SessionBox::default();
    assert!(mailbox.offer(Position(1), 9, Priority::Normal, || queued(1)));
    // 2 was accepted while the partition was away.
    mailbox.adopt();
    mailbox.begin_cold(Position(1), Position(2));
    assert_eq!(mailbox.cold()[1], Some(Cold { from: Position(1), through: Position(2) }));
    assert!(!mailbox.offer(Position(3), 9, Priority::Normal, || queued(3)), "it would pass 2");
}

#[test]
fn a_box_that_is_put_away_takes_no_call_and_one_with_a_call_is_not_put_away() {
    let mailbox = SessionBox::default();
    assert!(mailbox.begin_call() && !mailbox.retire(), "its answer is to be found here");
    mailbox.end_call();
    assert!(mailbox.take(Life::default()).is_some());
    assert!(mailbox.retire() && !mailbox.begin_call());
    assert!(mailbox.take(Life::default()).is_none(), "who reads here is over");
}
