//! Held, let go, slowed down: what the machine makes of refusals of the sender, and what it tells.

use super::*;

/// Rates that are to be told.
pub(super) fn paces(effects: &[Effect]) -> Vec<u32> {
    let of = |effect: &Effect| match effect {
        Effect::Pace(paced) => Some(paced.per_second),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

fn refused(class: FailureClass, code: i32) -> Answer {
    Answer::Rejected { code, class, retry_after_ms: None, detail: String::new() }
}

fn sent() -> Answer {
    Answer::Sent { provider_id: "w".to_owned() }
}

fn holds(effects: &[Effect]) -> Vec<&'static str> {
    let of = |effect: &Effect| match effect {
        Effect::Hold(hold) => Some(hold.class),
        Effect::Release => Some("released"),
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

#[test]
fn a_hold_is_told_and_so_is_its_end_by_what_left_after_it() {
    let (mut machine, minute) = (machine(), START + 60 * SECOND);
    let first = proposed(&machine.step((0..40).map(|n| queued(n, 1, 0)), START, 1));
    machine.step([Input::Judged(first.iter().map(|of| (*of, Ok(()))).collect())], START, 1);
    let ended = machine.step([Input::Answered(first[0], refused(FailureClass::Auth, 190))], START, 1);
    assert_eq!(holds(&ended), ["auth"]);
    machine.step([Input::Held(Some(minute))], START, 1);
    let late = first[1..].iter().map(|of| Input::Answered(*of, sent())).collect::<Vec<_>>();
    assert_eq!(holds(&machine.step(late, START + 1, 1)), [""; 0], "it left before the hold");
    for of in &first {
        machine.step([Input::Standing(of.message, Standing::Settled)], START + 1, 1);
    }
    let probe = proposed(&machine.step([Input::Tick], minute, 1));
    assert!(!probe.is_empty());
    assert_eq!(holds(&answer(&mut machine, &probe[..1], &sent(), minute)), ["released"]);
    assert_eq!(holds(&answer(&mut machine, &probe[1..], &sent(), minute)), [""; 0], "once");
    assert!(paces(&machine.step([Input::Tick], minute, 1)).is_empty(), "an expired token says nothing of the rate");
}

#[test]
fn a_probe_that_is_refused_says_nothing_of_the_rate() {
    let (mut machine, mut now) = (machine(), START);
    let throttled = refused(FailureClass::Throttle(Bucket::Number), 130_429);
    let first = proposed(&machine.step((0..40).map(|n| queued(n, 1, 0)), now, 1));
    let mut effects = answer(&mut machine, &first, &throttled, now);
    let mut told = paces(&effects);
    let mut walls = holds(&effects).len();
    for of in &first {
        machine.step([Input::Standing(of.message, Standing::Settled)], now, 1);
    }
    while now < START + 120 * SECOND {
        now += SECOND / 2;
        effects = machine.step([Input::Tick], now, 1);
        let probes = proposed(&effects);
        assert!(probes.len() <= 1, "{probes:?}");
        if !probes.is_empty() {
            effects.extend(answer(&mut machine, &probes, &throttled, now));
        }
        told.extend(paces(&effects));
        walls += holds(&effects).len();
        for of in probes {
            machine.step([Input::Standing(of.message, Standing::Settled)], now, 1);
        }
    }
    assert_eq!(told.iter().filter(|rate| **rate < 50_000).count(), 0, "{told:?}");
    assert!(walls >= 3, "what lasts is told as a hold: {walls}");
}

#[test]
fn a_long_wait_that_the_provider_asks_for_is_a_hold_and_no_rate() {
    let mut machine = machine();
    let first = proposed(&machine.step([queued(1, 1, 0)], START, 1));
    let class = FailureClass::Throttle(Bucket::Number);
    let spam = Answer::Rejected { code: 131_048, class, retry_after_ms: Some(3_600_000), detail: String::new() };
    let effects = answer(&mut machine, &first, &spam, START);
    assert_eq!((holds(&effects), paces(&effects)), (vec!["throttle"], vec![]));
}

#[test]
fn what_somebody_lifts_is_lifted_at_once() {
    let mut machine = machine();
    let first = proposed(&machine.step([queued(1, 1, 0), queued(2, 1, 0)], START, 1));
    let effects = answer(&mut machine, &first[..1], &refused(FailureClass::Auth, 190), START);
    assert_eq!(holds(&effects), ["auth"]);
    assert!(proposed(&machine.step([queued(3, 1, 0)], START + SECOND, 1)).is_empty());
    let released = machine.step([Input::Held(None), Input::Released(None)], START + 2 * SECOND, 1);
    assert_eq!(proposed(&released).len(), 1, "{released:?}");
}

#[test]
fn a_life_begins_with_the_lowered_rate_of_its_row() {
    let slow = Quota::per_second(NonZeroU32::new(100).unwrap()).allow_burst(NonZeroU32::new(100).unwrap());
    let fast = Quota::per_second(NonZeroU32::new(100_000).unwrap());
    let mut machine = Machine::new(limits(), Pacer::new(slow, fast, START, true));
    machine.begin(Some(Paced { per_second: 10, until: START + 600 * SECOND, code: 130_429 }), START);
    machine.step([Input::Lease(1_000_000, Micros::MAX)], START, 1);
    let (mut count, mut now) = (0, START);
    let mut effects = machine.step((0..200).map(|n| queued(n, 1, 0)), now, 1);
    while now < START + 10 * SECOND {
        assert!(paces(&effects).is_empty(), "no news: {effects:?}");
        for of in proposed(&effects) {
            count += 1;
            answer(&mut machine, &[of], &sent(), now);
            machine.step([Input::Standing(of.message, Standing::Settled)], now, 1);
        }
        now += SECOND / 50;
        effects = machine.step([Input::Tick], now, 1);
    }
    assert!((95..=102).contains(&count), "{count} in ten seconds");
}

fn shares(effects: &[Effect]) -> Vec<Bucket> {
    let of = |effect: &Effect| match effect {
        Effect::Share(hold) => hold.bucket,
        _ => None,
    };
    effects.iter().filter_map(of).collect()
}

#[test]
fn what_is_shared_is_told_once_a_wall_and_what_is_heard_is_told_on_by_nobody() {
    let (mut first, mut second) = (machine(), machine());
    let throttled = refused(FailureClass::Throttle(Bucket::Waba), 80_007);
    let flying = proposed(&first.step((0..40).map(|n| queued(n, 1, 0)), START, 1));
    let effects = answer(&mut first, &flying, &throttled, START);
    assert_eq!(shares(&effects), [Bucket::Waba], "one wave, one word: {effects:?}");
    let Some(Effect::Share(hold)) = effects.into_iter().find(|effect| matches!(effect, Effect::Share(_))) else {
        unreachable!("just seen");
    };
    let told = second.step([Input::Shared(hold)], START, 1);
    assert!(shares(&told).is_empty() && holds(&told).is_empty(), "a second is no hold: {told:?}");
    assert!(proposed(&second.step((0..40).map(|n| queued(n, 2, 0)), START + 1, 1)).is_empty());
    assert_eq!(proposed(&second.step([Input::Tick], hold.until, 1)).len(), 1, "then one shows");
    let long = Hold { until: START + 60 * SECOND, ..hold };
    assert_eq!(holds(&second.step([Input::Shared(long)], START + 2 * SECOND, 1)), ["throttle"]);
    assert!(holds(&second.step([Input::Shared(hold)], START + 2 * SECOND, 1)).is_empty(), "known, or over");
}

#[test]
fn a_portfolios_refusal_holds_the_sender_only_if_nobody_keeps_the_portfolio() {
    let full = refused(FailureClass::Throttle(Bucket::Portfolio), 131_048);
    for in_portfolio in [true, false] {
        let mut machine = machine();
        machine.belongs(in_portfolio);
        let first = proposed(&machine.step([queued(1, 1, 0)], START, 1));
        let effects = answer(&mut machine, &first, &full, START);
        assert_eq!(shares(&effects), if in_portfolio { vec![Bucket::Portfolio] } else { vec![] });
        let next = proposed(&machine.step([queued(2, 2, 0)], START + 1, 1));
        assert_eq!(next.len(), usize::from(in_portfolio), "another may answer somebody");
    }
}

#[test]
fn who_waits_for_the_portfolio_keeps_nobodys_place_and_uses_up_no_try() {
    let mut machine = machine();
    let Input::Standing(_, Standing::Queued(one)) = queued(1, 1, 0) else { panic!("it is queued") };
    let behind = Queued { message: MessageId([9; 16]), ..one };
    let both = [one, behind].map(|queued| Input::Standing(queued.message, Standing::Queued(queued)));
    let first = proposed(&machine.step(both, START, 1));
    machine.step([Input::Judged(vec![(first[0], Ok(()))])], START, 1);
    let until = START + 3_600 * SECOND;
    let effects = machine.step([Input::Barred(first[0], Bar::Portfolio(until, 0))], START, 1);
    let ended = &endings(&effects)[0].verdict;
    let expected = Verdict::Retry { class: "portfolio", code: 0, not_before: until, counts: false };
    assert_eq!(ended, &expected);
    let next = [proposed(&effects), proposed(&machine.step([Input::Tick], START + 1, 1))].concat();
    assert_eq!((first.len(), next.len()), (1, 1), "the next one to the same person");
}
