//! The machine on its worst day: outages, unknowns that pile up, a crash under load.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;

use super::super::failure::{Bucket, FailureClass};
use super::super::message::NO_ATTEMPT;
use super::super::pacing::Pacer;
use super::*;

mod order;
mod standing;
mod stepped;
use standing::paces;

const SECOND: Micros = 1_000_000;
const START: Micros = 1_000_000 * SECOND;

fn limits() -> SessionLimits {
    let retry = RetryLimits { max_attempts: 6, base: 2 * SECOND, cap: 600 * SECOND };
    SessionLimits { window: 32, tick: 32, ring: 256, lane_block: 60 * SECOND, retry }
}

fn machine() -> Machine {
    let fast = Quota::with_period(Duration::from_micros(10)).unwrap().allow_burst(NonZeroU32::new(10_000).unwrap());
    let mut machine = Machine::new(limits(), Pacer::new(fast, fast, START, true));
    machine.step([Input::Lease(1_000_000, Micros::MAX)], START, 1);
    machine
}

fn queued(n: u32, attempt: u16, not_before: Micros) -> Input {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&n.to_be_bytes());
    let message = MessageId(id);
    let standing = Queued {
        message,
        contact: KeyId(id),
        priority: Priority::Normal,
        expires_at: START + 86_400 * SECOND,
        not_before,
        keeps_until: 0,
        attempt,
        counted: attempt - 1,
        strict: false,
    };
    Input::Standing(message, Standing::Queued(standing))
}

fn proposed(effects: &[Effect]) -> Vec<AttemptRef> {
    let of = |effect: &Effect| match effect {
        Effect::Propose(of) => of.clone(),
        _ => Vec::new(),
    };
    effects.iter().flat_map(of).collect()
}

/// The intents come back valid; every attempt is answered like this.
fn answer(machine: &mut Machine, attempts: &[AttemptRef], answer: &Answer, now: Micros) -> Vec<Effect> {
    machine.step([Input::Judged(attempts.iter().map(|of| (*of, Ok(()))).collect())], now, 1);
    machine.step(attempts.iter().map(|of| Input::Answered(*of, answer.clone())), now, 1)
}

fn endings(effects: &[Effect]) -> Vec<Ending> {
    let of = |effect: &Effect| match effect {
        Effect::Close(endings) => endings.clone(),
        _ => Vec::new(),
    };
    effects.iter().flat_map(of).collect()
}

#[test]
fn ten_minutes_without_a_network_fail_nothing_and_cost_few_attempts() {
    let (mut machine, mut now, mut attempts) = (machine(), START, 0);
    let mut effects = machine.step([queued(1, 1, 0)], now, 1);
    while now < START + 600 * SECOND {
        for of in proposed(&effects) {
            attempts += 1;
            let ended = answer(&mut machine, &[of], &Answer::NotSent { why: "connect" }, now);
            for ending in endings(&ended) {
                let Verdict::Retry { not_before, .. } = ending.verdict else {
                    panic!("{ending:?}");
                };
                let of = ending.of;
                machine.step([Input::Standing(of.message, Standing::Settled)], now, 1);
                machine.step([queued(1, of.attempt + 1, not_before)], now, 1);
            }
        }
        now += SECOND;
        effects = machine.step([Input::Tick], now, 1);
    }
    assert!((5..60).contains(&attempts), "{attempts} attempts in ten minutes");
    let mut sent = 0;
    while now < START + 1_300 * SECOND && sent == 0 {
        for of in proposed(&effects) {
            let ended = answer(&mut machine, &[of], &Answer::Sent { provider_id: "wamid".to_owned() }, now);
            sent += endings(&ended).iter().filter(|ending| matches!(ending.verdict, Verdict::Sent { .. })).count();
        }
        now += SECOND;
        effects = machine.step([Input::Tick], now, 1);
    }
    assert_eq!(sent, 1);
}

#[test]
fn unknowns_and_waits_leave_the_ring_to_others() {
    let mut machine = machine();
    for n in 0..600_u32 {
        let mut id = [9; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        let message = MessageId(id);
        let of = AttemptRef { message, attempt: 1 };
        let standing = Standing::Unknown { of, policy: UnknownPolicy::Hold, due: 0, blocks: None };
        machine.step([Input::Standing(message, standing)], START, 1);
        machine.step([queued(1_000 + n, 2, START + 3_600 * SECOND)], START, 1);
    }
    let effects = machine.step([Input::Tick], START, 1);
    assert!(effects.contains(&Effect::Pull([256; 3])), "{effects:?}");
    assert_eq!(machine.held(), 600, "what waits for somebody's decision is not kept");
}

#[test]
fn fresh_messages_leave_at_once_after_a_crash() {
    let mut machine = machine();
    for n in 0..32_u8 {
        let message = MessageId([n; 16]);
        let of = AttemptRef { message, attempt: 1 };
        let open = Standing::Open {
            of,
            running: false,
            presumed_dead: START + 30 * SECOND,
            expires_at: Micros::MAX,
            contact: KeyId([n; 16]),
            counted: 0,
            strict: false,
        };
        machine.step([Input::Standing(message, open)], START, 1);
    }
    let effects = machine.step((0..40).map(|n| queued(5_000 + n, 1, 0)), START, 1);
    assert_eq!(proposed(&effects).len(), 32);
}

#[test]
fn a_wall_is_met_by_one_attempt_after_the_wait() {
    let mut machine = machine();
    let effects = machine.step((0..40).map(|n| queued(n, 1, 0)), START, 1);
    let first = proposed(&effects);
    assert_eq!(first.len(), 32);
    let throttled = Answer::Rejected {
        code: 130_429,
        class: FailureClass::Throttle(Bucket::Number),
        retry_after_ms: None,
        detail: String::new(),
    };
    let effects = answer(&mut machine, &first, &throttled, START);
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Hold(_))), "a second is no hold: {effects:?}");
    assert_eq!(paces(&effects), [50_000], "one wave, one step: {effects:?}");
    for of in &first {
        machine.step([Input::Standing(of.message, Standing::Settled)], START, 1);
    }
    assert!(proposed(&machine.step([Input::Tick], START + SECOND / 2, 1)).is_empty());
    let probe = proposed(&machine.step([Input::Tick], START + SECOND, 1));
    assert_eq!(probe.len(), 1);
    let through = answer(&mut machine, &probe, &Answer::Sent { provider_id: "w".to_owned() }, START + SECOND);
    assert_eq!(proposed(&through).len(), 7, "the rest follows");
}

#[test]
fn a_message_told_to_wait_for_a_day_expires_on_time() {
    let mut machine = machine();
    let Input::Standing(message, Standing::Queued(mut waits)) = queued(1, 2, START + 86_400 * SECOND) else {
        unreachable!("that is what it makes");
    };
    waits.expires_at = START + 600 * SECOND;
    machine.step([Input::Standing(message, Standing::Queued(waits))], START, 1);
    assert!(!machine.step([Input::Tick], START + 599 * SECOND, 1).contains(&Effect::Expire(message)));
    assert!(machine.step([Input::Tick], START + 600 * SECOND, 1).contains(&Effect::Expire(message)));
}

#[test]
fn an_older_row_read_back_late_does_not_unseat_a_younger_attempt() {
    let mut machine = machine();
    let younger = proposed(&machine.step([queued(1, 2, 0)], START, 1));
    let [of] = younger[..] else {
        panic!("{younger:?}");
    };
    let older = Standing::Open {
        of: AttemptRef { attempt: 1, ..of },
        running: false,
        presumed_dead: 0,
        expires_at: Micros::MAX,
        contact: KeyId(of.message.0),
        counted: 0,
        strict: false,
    };
    machine.step([Input::Standing(of.message, older)], START, 1);
    let effects = machine.step([Input::Judged(vec![(of, Ok(()))])], START, 1);
    assert!(effects.contains(&Effect::Begin(of)), "{effects:?}");
}

/// A message to the one person that these tests write to.
fn to_ada(n: u32, strict: bool, priority: Priority) -> (MessageId, Queued) {
    let Input::Standing(message, Standing::Queued(queued)) = queued(n, 1, 0) else {
        unreachable!("that is what it makes");
    };
    (message, Queued { contact: KeyId([77; 16]), strict, priority, ..queued })
}

#[test]
fn nothing_passes_a_strict_message_before_it_is_settled() {
    let mut machine = machine();
    let (first, strict) = to_ada(1, true, Priority::Normal);
    let (second, next) = to_ada(2, false, Priority::Normal);
    let (third, code) = to_ada(3, false, Priority::Urgent);
    let input = |message, queued| Input::Standing(message, Standing::Queued(queued));
    let mut of = AttemptRef { message: first, attempt: 1 };
    let effects = machine.step([input(first, strict), input(second, next)], START, 1);
    assert_eq!(proposed(&effects), [of]);

    // Thrown back: what comes next, urgent or not, waits for its second attempt.
    let ended = answer(&mut machine, &[of], &Answer::NotSent { why: "deadline" }, START);
    let Verdict::Retry { not_before, .. } = endings(&ended)[0].verdict else {
        panic!("{ended:?}");
    };
    let again = Queued { attempt: 2, not_before, ..strict };
    assert!(proposed(&machine.step([input(first, again), input(third, code)], START, 1)).is_empty());
    assert!(proposed(&machine.step([Input::Tick], START + 61 * SECOND, 1)).iter().all(|of| of.message == first));
    of.attempt = 2;

    // Unknown, and left to somebody's decision: they still wait.
    answer(&mut machine, &[of], &Answer::Unknown { why: "timeout" }, START + 61 * SECOND);
    let unknown = Standing::Unknown { of, policy: UnknownPolicy::Hold, due: 0, blocks: Some(strict.contact) };
    assert!(proposed(&machine.step([Input::Standing(first, unknown)], START + 62 * SECOND, 1)).is_empty());
    let settled = machine.step([Input::Standing(first, Standing::Settled)], START + 63 * SECOND, 1);
    assert_eq!(proposed(&settled)[0].message, third, "urgent first");
}

#[test]
fn a_strict_message_of_an_earlier_life_keeps_its_lane() {
    let (first, strict) = to_ada(1, true, Priority::Normal);
    let (second, next) = to_ada(2, false, Priority::Normal);
    let of = AttemptRef { message: first, attempt: 1 };
    let open = Standing::Open {
        of,
        running: false,
        presumed_dead: START + 30 * SECOND,
        expires_at: Micros::MAX,
        contact: strict.contact,
        counted: 0,
        strict: true,
    };
    let unknown = Standing::Unknown { of, policy: UnknownPolicy::Hold, due: 0, blocks: Some(strict.contact) };
    let waits = Standing::Queued(Queued { attempt: 2, not_before: START + SECOND, ..strict });
    for standing in [open, unknown, waits] {
        let mut machine = machine();
        let inputs = [Input::Standing(first, standing), Input::Standing(second, Standing::Queued(next))];
        assert!(proposed(&machine.step(inputs, START, 1)).is_empty(), "{standing:?}");
        let settled = machine.step([Input::Standing(first, Standing::Settled)], START, 1);
        assert_eq!(proposed(&settled).len(), 1, "{standing:?}");
    }
}

#[test]
fn throttled_attempts_are_none_of_its_tries() {
    let mut machine = machine();
    let refused = |class| Answer::Rejected { code: 4, class, retry_after_ms: None, detail: String::new() };
    let (throttled, fault) = (refused(FailureClass::Throttle(Bucket::Pair)), refused(FailureClass::Retry));
    let (mut now, mut counted) = (START, 0);
    for attempt in 1..=20 {
        let Input::Standing(message, Standing::Queued(queued)) = queued(1, attempt, 0) else {
            unreachable!("that is what it makes");
        };
        now += 60 * SECOND;
        let standing = Standing::Queued(Queued { counted, ..queued });
        machine.step([Input::Standing(message, Standing::Settled)], now, 1);
        let effects = machine.step([Input::Standing(message, standing), Input::Tick], now, 1);
        let answered = if attempt <= 10 { &throttled } else { &fault };
        let ended = answer(&mut machine, &proposed(&effects), answered, now);
        match endings(&ended)[..] {
            [Ending { verdict: Verdict::Retry { counts, .. }, .. }] => counted += u16::from(counts),
            [Ending { verdict: Verdict::Failed { .. }, .. }] => {
                assert_eq!((attempt, counted), (16, 5), "six tries, and ten that were throttled");
                return;
            }
            _ => panic!("attempt {attempt}: {ended:?}"),
        }
    }
    panic!("it never failed");
}

#[test]
fn the_last_attempt_that_has_a_number_ends_its_message() {
    let mut machine = machine();
    let first = proposed(&machine.step([queued(1, NO_ATTEMPT - 1, 0)], START, 1));
    let ended = answer(&mut machine, &first, &Answer::NotSent { why: "deadline" }, START);
    assert_eq!(endings(&ended)[0].verdict, Verdict::Failed { class: "deadline", code: 0 });
    let Input::Standing(message, Standing::Queued(again)) = queued(2, NO_ATTEMPT, 0) else { panic!("it is queued") };
    let over = Standing::Queued(Queued { expires_at: 0, ..again });
    let effects = machine.step([Input::Standing(message, over)], START, 1);
    assert!(effects.contains(&Effect::Expire(message)) && proposed(&effects).is_empty(), "{effects:?}");
}

#[test]
fn what_was_released_leaves_in_its_order_and_what_is_retried_before_it() {
    let mut machine = machine();
    let to_one = |n: u32, attempt, not_before| {
        let Input::Standing(message, Standing::Queued(it)) = queued(n, attempt, not_before) else { panic!("queued") };
        Input::Standing(message, Standing::Queued(Queued { contact: KeyId([7; 16]), ..it }))
    };
    let released = (1..=3).map(|n| to_one(n, 2, 0));
    let mut left = Vec::new();
    let mut effects = machine.step(released.chain([to_one(4, 2, START - 1)]), START, 1);
    while let [of] = proposed(&effects)[..] {
        left.push(of.message);
        effects = answer(&mut machine, &[of], &Answer::Sent { provider_id: "w".to_owned() }, START);
    }
    let expected =
        [4, 1, 2, 3].map(|n| if let Input::Standing(message, _) = queued(n, 1, 0) { message } else { panic!() });
    assert_eq!(left, expected);
}

#[test]
fn marketing_that_is_held_for_a_day_keeps_nobodys_place() {
    let (mut machine, now) = (machine(), START);
    let day = now + 86_400 * SECOND;
    let first = proposed(&machine.step([queued(1, 1, 0)], now, 1));
    machine.step([Input::Judged(first.iter().map(|of| (*of, Ok(()))).collect())], now, 1);
    // A code for the same person comes meanwhile.
    let Input::Standing(_, Standing::Queued(held)) = queued(1, 1, 0) else { panic!("it is queued") };
    let code = Queued { message: MessageId([9; 16]), priority: Priority::Urgent, ..held };
    machine.step([Input::Standing(code.message, Standing::Queued(code))], now, 1);
    let effects = machine.step([Input::Barred(first[0], Bar::Until(day - SECOND, 131_049))], now, 1);
    let wait =
        Verdict::Retry { class: "throttle_user_marketing", code: 131_049, not_before: day - SECOND, counts: false };
    assert_eq!(endings(&effects).iter().map(|ending| &ending.verdict).collect::<Vec<_>>(), [&wait]);
    assert_eq!(proposed(&effects), [AttemptRef { message: code.message, attempt: 1 }], "the code does not wait for it");
    let second = queued(1, 2, day - SECOND);
    assert!(proposed(&machine.step([second], now, 1)).is_empty());
    assert_eq!(machine.ring(), 1, "what is held takes nobody's place in the ring");
}

#[test]
fn the_night_puts_marketing_off_and_ends_what_would_expire_in_it() {
    let put_off = |until| {
        let mut machine = machine();
        let first = proposed(&machine.step([queued(1, 1, 0)], START, 1));
        machine.step([Input::Judged(vec![(first[0], Ok(()))])], START, 1);
        endings(&machine.step([Input::Barred(first[0], Bar::Quiet(until))], START, 1))[0].verdict.clone()
    };
    let (morning, too_late) = (START + 8 * 3_600 * SECOND, START + 86_400 * SECOND);
    let waits = Verdict::Retry { class: "quiet_hours", code: 0, not_before: morning, counts: false };
    assert_eq!(put_off(morning), waits);
    assert_eq!(put_off(too_late), Verdict::Failed { class: "quiet_hours", code: 0 });
}

#[test]
fn a_hold_that_outlasts_the_message_ends_it() {
    let mut machine = machine();
    let first = proposed(&machine.step([queued(1, 1, 0)], START, 1));
    machine.step([Input::Judged(vec![(first[0], Ok(()))])], START, 1);
    let effects = machine.step([Input::Barred(first[0], Bar::Until(START + 86_400 * SECOND, 131_049))], START, 1);
    let failed = Verdict::Failed { class: "throttle_user_marketing", code: 131_049 };
    assert_eq!(endings(&effects)[0].verdict, failed);
}

#[test]
fn a_gated_message_holds_up_nobody_and_is_not_proposed_again() {
    let mut machine = machine();
    let (first, strict) = to_ada(1, true, Priority::Normal);
    let (second, next) = to_ada(2, false, Priority::Normal);
    let gated = |attempt| Input::Standing(first, Standing::Gated { attempt, closing: EventId([9; 16]) });
    let of = AttemptRef { message: first, attempt: 1 };
    let queue = [strict, next].map(|queued| Input::Standing(queued.message, Standing::Queued(queued)));
    assert_eq!(proposed(&machine.step(queue, START, 1)), [of]);
    // Its intent is on its way: whatever the row says, the judgement decides.
    assert!(proposed(&machine.step([gated(1)], START, 1)).is_empty());
    assert_eq!(machine.in_flight(), 1);
    let void = machine.step([Input::Judged(vec![(of, Err(Void::Gated))])], START, 1);
    assert!(void.contains(&Effect::Look(first)), "{void:?}");
    let effects = machine.step([gated(1), Input::Tick], START + SECOND, 1);
    assert_eq!(proposed(&effects), [AttemptRef { message: second, attempt: 1 }]);
    let later: Vec<Effect> = (2..20).flat_map(|n| machine.step([Input::Tick], START + n * SECOND, 1)).collect();
    assert!(proposed(&later).iter().all(|of| of.message != first));
    assert_eq!((machine.queued(), machine.waiting().count()), (0, 0));
}
