//! The learned rate: a table of steps, and a search for limits that nobody told it, in virtual time.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroU32;

use governor::Quota;
use proptest::prelude::*;

use super::super::super::id::KeyId;
use super::super::{Held, Pacer};
use super::*;

const CODE: i32 = 130_429;

/// Raises until then, each minute with all of the rate spent.
fn spend(learned: &mut Learned, from: Micros, minutes: i64) -> Vec<u32> {
    let each = (1..=minutes).map(|minute| {
        learned.spent();
        learned.rise(from + minute * STEP);
        learned.rate()
    });
    each.collect()
}

#[test]
fn a_refusal_halves_it_and_each_minute_raises_it() {
    let mut learned = Learned::new(80);
    learned.refused(1, SECOND, CODE);
    assert_eq!(learned.lowered(), Some(40));
    learned.refused(SECOND, 2 * SECOND, CODE);
    assert_eq!(learned.rate(), 40, "it left before the rate was lowered");
    learned.refused(SECOND + 1, 3 * SECOND, CODE);
    assert_eq!(learned.rate(), 20);
    assert_eq!(spend(&mut learned, 3 * SECOND, 5), [21, 22, 24, 30, 38]);
    assert_eq!(spend(&mut learned, 303 * SECOND, 6), [46, 54, 62, 70, 78, 80]);
    assert_eq!(learned.lowered(), None, "the declared rate, and not above it");
}

#[test]
fn it_never_goes_below_one_a_second() {
    let mut learned = Learned::new(3);
    for at in 1..10 {
        learned.refused(at * SECOND, at * SECOND + 1, CODE);
        assert_eq!(learned.rate(), 1);
    }
    let mut one = Learned::new(1);
    one.refused(1, 2, CODE);
    assert_eq!((one.rate(), one.tell(2)), (1, None));
}

#[test]
fn a_refusal_on_the_way_goes_back_to_what_was_good() {
    let mut learned = Learned::new(80);
    learned.refused(0, 0, CODE);
    assert_eq!(spend(&mut learned, 0, 2), [41, 43]);
    let at = 2 * STEP + SECOND;
    learned.refused(at, at, CODE);
    assert_eq!(learned.rate(), 41, "not 21");
    // While that ceiling stands the way to it is taken in halves, and it is not reached.
    assert_eq!(spend(&mut learned, at, 1), [42]);
    // What was good is good no more: a little less first.
    let mut at = at + STEP + SECOND;
    learned.refused(at, at, CODE);
    assert_eq!(learned.rate(), 41);
    for rate in [36, 18, 9] {
        at += SECOND;
        learned.refused(at, at, CODE);
        assert_eq!(learned.rate(), rate);
    }
}

#[test]
fn a_rate_that_was_not_spent_is_not_known_to_be_good() {
    let mut learned = Learned::new(80);
    learned.refused(0, 0, CODE);
    for minute in 1..=2 {
        learned.rise(minute * STEP);
    }
    assert_eq!(learned.rate(), 43);
    learned.refused(2 * STEP + 1, 2 * STEP + 2, CODE);
    assert_eq!(learned.rate(), 21);
}

#[test]
fn what_is_known_below_the_declared_rate_outlasts_a_visit_there() {
    let mut learned = Learned::new(20);
    learned.refused(0, 0, CODE);
    assert_eq!(spend(&mut learned, 0, 7)[5..], [19, 20]);
    let at = 7 * STEP + SECOND;
    learned.refused(at, at, CODE);
    assert_eq!(learned.rate(), 19, "not 10");
    // It is forgotten once the declared rate was good for a minute.
    assert_eq!(spend(&mut learned, at, 4).last(), Some(&20));
    learned.declare(1_000);
    assert_eq!(learned.lowered(), None, "a sender that may send more does");
}

#[test]
fn each_change_is_told_and_not_more_often_than_every_ten_seconds() {
    let mut learned = Learned::new(80);
    assert_eq!(learned.tell(0), None);
    learned.refused(0, SECOND, CODE);
    let told = learned.tell(SECOND).expect("news");
    assert_eq!((told.per_second, told.code), (40, CODE));
    assert!(told.until > 5 * STEP, "{told:?}");
    learned.refused(2 * SECOND, 3 * SECOND, CODE);
    assert_eq!(learned.tell(3 * SECOND), None);
    assert_eq!(learned.next(3 * SECOND), Some(11 * SECOND));
    assert_eq!(learned.tell(11 * SECOND).map(|told| told.per_second), Some(20));
    assert_eq!(learned.tell(30 * SECOND), None, "no news");
    spend(&mut learned, 3 * SECOND, 20);
    let told = learned.tell(20 * STEP).expect("it is over");
    assert_eq!((told.per_second, told.until), (80, 20 * STEP));
}

#[test]
fn a_restart_begins_with_the_row_and_forgets_what_is_over() {
    let row = Paced { per_second: 20, until: 600 * SECOND, code: CODE };
    let mut learned = Learned::new(80);
    learned.begin(Some(row), SECOND);
    assert_eq!((learned.lowered(), learned.tell(SECOND)), (Some(20), None));
    learned.refused(SECOND, 2 * SECOND, CODE);
    assert_eq!(learned.rate(), 20, "it left in the life before");
    learned.begin(Some(row), 600 * SECOND);
    assert_eq!(learned.lowered(), None);
    assert_eq!(learned.tell(600 * SECOND).map(|told| told.per_second), Some(80), "and says so");
    learned.begin(Some(Paced { per_second: 500, ..row }), SECOND);
    assert_eq!(learned.rate(), 80, "never above the declared rate");
}

#[test]
fn a_row_that_says_otherwise_is_told_again() {
    let mut learned = Learned::new(80);
    learned.row_says(Some(Paced { per_second: 20, until: Micros::MAX, code: CODE }));
    assert_eq!(learned.tell(SECOND).map(|told| told.per_second), Some(80));
    learned.row_says(None);
    assert_eq!(learned.tell(2 * SECOND), None);
    learned.declare(40);
    assert_eq!((learned.rate(), learned.tell(30 * SECOND)), (40, None));
}

#[test]
fn a_clock_that_steps_back_keeps_nothing_lowered_for_ever() {
    let mut learned = Learned::new(80);
    learned.refused(0, 100_000 * STEP, CODE);
    assert!(!learned.rise(0));
    spend(&mut learned, 0, 80);
    assert_eq!(learned.lowered(), None);
}

/// A provider that takes so many a second, and does not say how many.
#[derive(Debug, Clone, Copy)]
enum Counts {
    /// In a bucket that holds so many seconds' worth.
    Bucket(f64),
    /// In each second of its clock.
    Second,
}

struct Provider {
    counts: Counts,
    limit: u32,
    tokens: f64,
    filled: Micros,
    second: (Micros, u32),
}

impl Provider {
    fn new(counts: Counts, limit: u32) -> Self {
        Self { counts, limit, tokens: f64::from(limit), filled: 0, second: (0, 0) }
    }

    fn takes(&mut self, at: Micros) -> bool {
        let rate = f64::from(self.limit);
        match self.counts {
            Counts::Bucket(seconds) => {
                let gained = (at - self.filled) as f64 / SECOND as f64 * rate;
                self.tokens = (self.tokens + gained).min((rate * seconds).max(1.0));
                self.filled = at;
                let takes = self.tokens >= 1.0;
                self.tokens -= f64::from(u8::from(takes));
                takes
            }
            Counts::Second => {
                if self.second.0 != at / SECOND {
                    self.second = (at / SECOND, 0);
                }
                self.second.1 += 1;
                self.second.1 <= self.limit
            }
        }
    }
}

/// What a run saw after it had the time to find out.
#[derive(Debug, Default)]
struct Seen {
    sent: u32,
    refused: u32,
    /// Refusals of the worst minute.
    worst: u32,
    /// Events of the whole run.
    told: u32,
}

/// Minutes that a run counts.
const COUNTED: i64 = 30;

/// A sender that always has more to send, as the machine would have it leave: after a refusal nothing for a second. Counts
/// from `after` minutes on.
fn run(declared: u32, mut provider: Provider, delay: Micros, after: i64) -> Seen {
    let quota = |n: u32| Quota::per_second(NonZeroU32::new(n).expect("not zero"));
    let mut pacer = Pacer::new(quota(declared), quota(1_000_000), 0, true);
    let (mut now, mut wall, end) = (0, 0, (after + COUNTED) * STEP);
    let mut flying: VecDeque<(Micros, bool)> = VecDeque::new();
    let (mut seen, mut minutes) = (Seen::default(), BTreeMap::new());
    while now < end {
        while let Some((began, taken)) = flying.pop_front_if(|(began, _)| *began + delay <= now) {
            if !taken {
                pacer.refused(began, now, CODE);
                wall = wall.max(now + SECOND);
            }
        }
        pacer.rise(now);
        seen.told += u32::from(pacer.tell(now).is_some());
        let leaves = if wall > now { Err(Held::Number(wall)) } else { pacer.take(KeyId([1; 16]), now) };
        if let Err(Held::Number(at) | Held::Pair(at)) = leaves {
            let answer = flying.front().map_or(at, |(began, _)| began + delay);
            let rises = pacer.next(now).unwrap_or(at);
            now = at.min(answer).min(rises).max(now + 1);
            continue;
        }
        let taken = provider.takes(now + delay / 2);
        flying.push_back((now, taken));
        if now >= after * STEP {
            seen.sent += u32::from(taken);
            seen.refused += u32::from(!taken);
            *minutes.entry(now / STEP).or_insert(0_u32) += u32::from(!taken);
        }
    }
    seen.worst = minutes.into_values().max().unwrap_or(0);
    seen
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

    #[test]
    fn an_unknown_limit_is_found_with_few_refusals(
        declared in 20_u32..200,
        share in 12_u32..=95,
        counts in prop_oneof![Just(Counts::Bucket(0.2)), Just(Counts::Bucket(1.0)), Just(Counts::Second)],
        delay in 20_000_i64..300_000,
    ) {
        let limit = (declared * share / 100).max(8);
        let seen = run(declared, Provider::new(counts, limit), delay, 15);
        let most = f64::from(limit) * 60.0 * COUNTED as f64;
        prop_assert!(f64::from(seen.sent) >= 0.8 * most, "{} of {most}: {seen:?}", seen.sent);
        prop_assert!(seen.refused <= 60, "two a minute: {seen:?}");
        // Of a second's count all that a step is too much is refused, once: a tenth of the declared rate at most.
        prop_assert!(seen.worst <= 5 + declared / 10, "{seen:?}");
        prop_assert!(seen.told <= 90, "{seen:?}");
    }
}

#[test]
fn a_limit_above_the_declared_rate_is_never_met() {
    let seen = run(80, Provider::new(Counts::Bucket(1.0), 100), 100_000, 0);
    assert_eq!(seen.refused, 0);
    assert!(seen.sent >= 79 * 60 * 30 && seen.told == 0, "{seen:?}");
}
