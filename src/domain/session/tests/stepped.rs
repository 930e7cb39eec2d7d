//! The wall clock is set under a machine that has messages waiting for all kinds of times.

use super::*;

const HOUR: Micros = 3_600 * SECOND;

/// A number and pairs at these rates, a thousand lent.
fn paced(number_ms: u64, pair_ms: u64) -> Machine {
    let quota = |ms| Quota::with_period(Duration::from_millis(ms)).unwrap().allow_burst(NonZeroU32::new(10).unwrap());
    let mut machine = Machine::new(limits(), Pacer::new(quota(number_ms), quota(pair_ms), START, false));
    // Nothing leaves before somebody looks.
    machine.step([Input::Suspended(true), Input::Lease(1_000_000, START + 1_000_000 * SECOND)], START, 1);
    machine
}

/// A message to the person of another one.
fn to_the_same(n: u32, other: u32) -> Input {
    match (queued(n, 1, 0), queued(other, 1, 0)) {
        (Input::Standing(message, Standing::Queued(own)), Input::Standing(_, Standing::Queued(other))) => {
            Input::Standing(message, Standing::Queued(Queued { contact: other.contact, ..own }))
        }
        other => panic!("{other:?}"),
    }
}

/// How many leave in so long, if every one is sent at once; the clock shows `ahead` more than time that has passed.
fn leaves(machine: &mut Machine, from: Micros, to: Micros, ahead: Micros) -> usize {
    let (mut sent, mut passed) = (0, from);
    while passed < to {
        let now = passed + ahead;
        let mut attempts = proposed(&machine.step([Input::Suspended(false), Input::Tick], now, 1));
        while !attempts.is_empty() {
            sent += attempts.len();
            let mut effects = machine.step([Input::Judged(attempts.iter().map(|of| (*of, Ok(()))).collect())], now, 1);
            let through = |of: &AttemptRef| Input::Answered(*of, Answer::Sent { provider_id: "wamid".to_owned() });
            effects.extend(machine.step(attempts.iter().map(through), now, 1));
            let settled = attempts.iter().map(|of| Input::Standing(of.message, Standing::Settled));
            effects.extend(machine.step(settled, now, 1));
            attempts = proposed(&effects);
        }
        passed += SECOND / 100;
    }
    sent
}

#[test]
fn the_rate_holds_over_a_minute_in_which_the_clock_is_set() {
    for by in [HOUR, -HOUR] {
        let mut machine = paced(100, 10);
        machine.step((0..1_000).map(|n| queued(n, 1, 0)), START, 1);
        leaves(&mut machine, START, START + 5 * SECOND, 0);
        let before = leaves(&mut machine, START + 5 * SECOND, START + 35 * SECOND, 0);
        machine.stepped(by);
        let after = leaves(&mut machine, START + 35 * SECOND, START + 65 * SECOND, by);
        assert!((297..=303).contains(&before) && (297..=303).contains(&after), "{before}, {after} after {by}");
    }
}

#[test]
fn who_waits_for_so_long_waits_as_long() {
    for by in [HOUR, -HOUR] {
        // One is to be tried again in 30 s; of two to one person, the second waits for that person's rate.
        let mut machine = paced(1, 20_000);
        machine.step([queued(1, 2, START + 30 * SECOND), queued(2, 1, 0), to_the_same(3, 2)], START, 1);
        assert_eq!(leaves(&mut machine, START, START + SECOND / 10, 0), 1);
        machine.stepped(by);
        assert_eq!(leaves(&mut machine, START + SECOND / 10, START + 19 * SECOND, by), 0, "set by {by}");
        assert_eq!(leaves(&mut machine, START + 19 * SECOND, START + 29 * SECOND, by), 1, "set by {by}");
        assert_eq!(leaves(&mut machine, START + 29 * SECOND, START + 60 * SECOND, by), 1, "set by {by}");
    }
}

#[test]
fn a_time_that_people_named_keeps_its_place() {
    let mut machine = paced(1, 10);
    machine.step([queued(1, 2, START + 86_400 * SECOND)], START, 1);
    machine.stepped(48 * HOUR);
    let effects = machine.step([Input::Suspended(false), Input::Tick], START + 48 * HOUR, 1);
    assert!(effects.iter().any(|effect| matches!(effect, Effect::Expire(_))), "{effects:?}");
}

#[test]
fn a_wall_stands_as_long_as_before() {
    for by in [HOUR, -HOUR] {
        let mut machine = paced(1, 10);
        machine.step([Input::Held(Some(START + 30 * SECOND)), queued(1, 1, 0)], START, 1);
        machine.stepped(by);
        assert_eq!(leaves(&mut machine, START, START + 29 * SECOND, by), 0, "set by {by}");
        assert_eq!(leaves(&mut machine, START + 29 * SECOND, START + 32 * SECOND, by), 1, "set by {by}");
    }
}

#[test]
fn a_lease_lasts_from_when_it_was_asked_for_whatever_other_clocks_show() {
    let fast = Quota::with_period(Duration::from_micros(10)).unwrap();
    let mut machine = Machine::new(limits(), Pacer::new(fast, fast, START, true));
    let asks = |effects: &[Effect]| effects.iter().any(|effect| matches!(effect, Effect::AskLease(_)));
    assert!(asks(&machine.step([queued(1, 1, 0)], START, 1)));
    assert_eq!(proposed(&machine.step([Input::Lease(100, 5 * SECOND)], START + SECOND / 2, 1)).len(), 1);
    assert_eq!(proposed(&machine.step([queued(2, 1, 0)], START + 5 * SECOND - 1, 1)).len(), 0, "one is on its way");
    let effects = machine.step([Input::NotProposed(Vec::new())], START + 5 * SECOND - 1, 1);
    assert!(!asks(&effects) && proposed(&effects).len() == 1);
    assert!(asks(&machine.step([Input::NotProposed(Vec::new()), queued(3, 1, 0)], START + 5 * SECOND, 1)));
}
