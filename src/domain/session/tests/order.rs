//! Who was tried goes before who came after, whatever becomes of attempt, intent and life in between.

use super::*;

fn stands(queued: Queued) -> Input {
    Input::Standing(queued.message, Standing::Queued(queued))
}

fn two() -> (Queued, Queued) {
    (to_ada(1, false, Priority::Normal).1, to_ada(2, false, Priority::Normal).1)
}

#[test]
fn the_lane_waits_for_a_retry_also_in_the_next_life() {
    let (first, second) = two();
    let again =
        Queued { attempt: 2, not_before: START + 2 * SECOND, keeps_until: START + 60 * SECOND, counted: 1, ..first };
    let mut machine = machine();
    let effects = machine.step([stands(again), stands(second)], START, 1);
    assert!(proposed(&effects).is_empty(), "{effects:?}");
    let effects = machine.step([Input::Tick], START + 2 * SECOND, 1);
    assert_eq!(proposed(&effects), [AttemptRef { message: first.message, attempt: 2 }]);
}

#[test]
fn the_lane_waits_no_longer_than_it_may() {
    let (first, second) = two();
    let again =
        Queued { attempt: 2, not_before: START + 90 * SECOND, keeps_until: START + 60 * SECOND, counted: 1, ..first };
    let mut machine = machine();
    assert!(proposed(&machine.step([stands(again), stands(second)], START, 1)).is_empty());
    assert!(proposed(&machine.step([Input::Tick], START + 59 * SECOND, 1)).is_empty());
    let effects = machine.step([Input::Tick], START + 60 * SECOND, 1);
    assert_eq!(proposed(&effects), [AttemptRef { message: second.message, attempt: 1 }]);
}

#[test]
fn a_retry_keeps_its_place_however_late_its_outcome_is_read_back() {
    let (first, second) = two();
    let mut machine = machine();
    let of = proposed(&machine.step([stands(first), stands(second)], START, 1));
    let ended = answer(&mut machine, &of, &Answer::NotSent { why: "connect" }, START);
    let Verdict::Retry { not_before, .. } = endings(&ended)[0].verdict else { panic!("{ended:?}") };
    let late = not_before + 30 * SECOND;
    assert!(proposed(&machine.step([Input::Tick], late, 1)).is_empty(), "its outcome is still on its way");
    let again = Queued { attempt: 2, not_before, keeps_until: START + 60 * SECOND, counted: 1, ..first };
    let effects = machine.step([stands(again)], late, 1);
    assert_eq!(proposed(&effects), [AttemptRef { message: first.message, attempt: 2 }]);
}

#[test]
fn a_void_intent_loses_nobody_its_place() {
    let (first, second) = two();
    let mut machine = machine();
    let of = proposed(&machine.step([stands(first), stands(second)], START, 1));
    let effects = machine.step([Input::Judged(vec![(of[0], Err(Void::Suspended))])], START, 1);
    assert!(effects.contains(&Effect::Look(first.message)) && proposed(&effects).is_empty(), "{effects:?}");
    assert_eq!(proposed(&machine.step([stands(first)], START, 1)), of);

    // Somebody else settled it meanwhile: the lane is the next one's.
    machine.step([Input::Judged(vec![(of[0], Err(Void::Suspended))])], START, 1);
    let effects = machine.step([Input::Standing(first.message, Standing::Settled)], START, 1);
    assert_eq!(proposed(&effects), [AttemptRef { message: second.message, attempt: 1 }]);
}

#[test]
fn an_attempt_of_an_earlier_life_keeps_its_lane_until_it_is_known() {
    let (first, second) = two();
    let of = AttemptRef { message: first.message, attempt: 1 };
    let (presumed_dead, expires_at) = (START + 30 * SECOND, Micros::MAX);
    let unknown = Standing::Unknown { of, policy: UnknownPolicy::Hold, due: 0, blocks: None };
    let retried = Queued { attempt: 2, counted: 1, not_before: START + SECOND, ..first };
    for running in [true, false] {
        for (becomes, next) in [(unknown, second.message), (Standing::Queued(retried), first.message)] {
            let contact = first.contact;
            let open = Standing::Open { of, running, presumed_dead, expires_at, contact, counted: 0, strict: false };
            let mut machine = machine();
            let effects = machine.step([Input::Standing(first.message, open), stands(second)], START, 1);
            assert!(proposed(&effects).is_empty(), "{effects:?}");
            let effects = machine.step([Input::Standing(first.message, becomes)], START + SECOND, 1);
            assert_eq!(proposed(&effects).iter().map(|of| of.message).collect::<Vec<_>>(), [next], "{becomes:?}");
        }
    }
}
