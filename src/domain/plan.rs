//! A plan: how messages that wait would leave, in virtual time, by the pacing that really decides.
//!
//! The same [`Pacer`], with a clock that jumps to the next instant at which something may go. It knows of one sender and of
//! what is handed in, and goes on the assumption that nothing else is sent meanwhile and that the provider takes
//! everything: so it says how long it takes at least. Some 0.1 µs and 36 bytes a message, 24 more for one that waits for
//! its recipient.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use governor::Quota;

use super::id::KeyId;
use super::pacing::learned::Paced;
use super::pacing::{Cell, Held, Pacer, Rate};
use super::record::Micros;

/// Messages of one plan: 36 MB, at worst 60.
pub const MOST: usize = 1_000_000;

/// Pauses below this do not end a time in which a limit binds.
const GAP: Micros = 60_000_000;

/// What binds for less is not told.
const SHORT: Micros = 1_000_000;

/// Times that are kept of each limit: a month of nights, and some. Beyond it the last one is prolonged.
const TIMES: usize = 64;

/// One message that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// Whom it is for.
    pub contact: KeyId,
    /// Not sent after this.
    pub expires_at: Micros,
    /// Where its recipient may be, by whoever knows about zones.
    pub zone: u16,
}

/// Under which limits, and from when.
#[derive(Debug, Clone, Copy)]
pub struct Scene {
    /// When the first may leave.
    pub begins: Micros,
    /// The sender's rate, as it is kept.
    pub number: Quota,
    /// What the provider's refusals taught of it.
    pub paced: Option<Paced>,
    /// The rate to one person.
    pub pair: Quota,
    /// The tenant's rate.
    pub tenant: Quota,
    /// The sender was never active.
    pub rested: bool,
}

/// What kept messages from leaving earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// The sender's rate.
    Number,
    /// The rate to one person: nobody else was left.
    Pair,
    /// The tenant's rate.
    Tenant,
    /// Everybody who was left had quiet hours.
    QuietHours,
}

impl Limit {
    /// The word for it, as the API writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Pair => "pair",
            Self::Tenant => "tenant",
            Self::QuietHours => "quiet_hours",
        }
    }
}

/// A time in which a limit binds, without long pauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// Which.
    pub limit: Limit,
    /// Since when.
    pub from: Micros,
    /// Until when.
    pub until: Micros,
}

/// What would become of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Sent.
    pub sent: u64,
    /// Out of time before their turn.
    pub expired: u64,
    /// Waited for the end of quiet hours, sent or not.
    pub quiet_held: u64,
    /// Waited because their recipient had one just before.
    pub pair_held: u64,
    /// When the last one leaves, or the first could have.
    pub ends_at: Micros,
    /// Which limits bind when, by their beginning.
    pub binding: Vec<Binding>,
}

/// Lets them leave in their order. `quiet` says until when a zone is quiet, if it is.
#[must_use]
pub fn plan(scene: Scene, people: &[Person], quiet: impl FnMut(u16, Micros) -> Option<Micros>) -> Plan {
    let mut pacer = Pacer::new(scene.number, scene.pair, scene.begins, scene.rested);
    pacer.begin(scene.paced, scene.begins);
    let tenant = Rate::from(scene.tenant);
    let plan = Plan { ends_at: scene.begins, ..Plan::default() };
    let cell = Cell::default();
    Run { people, quiet, pacer, tenant, cell, now: scene.begins, next: 0, later: BinaryHeap::new(), plan }.run()
}

struct Run<'a, Q> {
    people: &'a [Person],
    quiet: Q,
    pacer: Pacer,
    tenant: Rate,
    cell: Cell,
    now: Micros,
    /// The first that was not looked at yet.
    next: usize,
    /// Who may leave later, and why not now.
    later: BinaryHeap<Reverse<(Micros, u32, Limit)>>,
    plan: Plan,
}

impl<Q: FnMut(u16, Micros) -> Option<Micros>> Run<'_, Q> {
    fn run(mut self) -> Plan {
        while let Some(at) = self.whose_turn() {
            self.let_go(at);
        }
        self.plan.binding.retain(|binding| binding.until - binding.from >= SHORT);
        self.plan.binding.sort_by_key(|binding| (binding.from, binding.limit));
        self.plan
    }

    /// Those who waited come first, for they were before the others.
    fn whose_turn(&mut self) -> Option<usize> {
        let due = self.later.peek().map(|Reverse((at, ..))| *at);
        if due.is_none_or(|at| at > self.now) && self.next < self.people.len() {
            self.next += 1;
            return Some(self.next - 1);
        }
        let Reverse((at, who, why)) = self.later.pop()?;
        if at > self.now {
            self.waits(why, at);
        }
        usize::try_from(who).ok()
    }

    fn let_go(&mut self, at: usize) {
        let person = self.people[at];
        loop {
            if person.expires_at <= self.now {
                self.plan.expired += 1;
                return;
            }
            if let Some(until) = (self.quiet)(person.zone, self.now).filter(|until| *until > self.now) {
                self.plan.quiet_held += 1;
                return self.put_off(at, until.min(person.expires_at), Limit::QuietHours);
            }
            let free = self.tenant.earliest(self.cell, self.now);
            if free > self.now {
                self.waits(Limit::Tenant, free);
                continue;
            }
            match self.pacer.take(person.contact, self.now) {
                Ok(()) => break,
                Err(Held::Number(free)) => {
                    self.waits(Limit::Number, free);
                    self.pacer.rise(free);
                }
                Err(Held::Pair(free)) => {
                    self.plan.pair_held += 1;
                    return self.put_off(at, free, Limit::Pair);
                }
            }
        }
        self.cell = self.tenant.take(self.cell, self.now);
        self.plan.sent += 1;
        self.plan.ends_at = self.now;
    }

    fn put_off(&mut self, at: usize, until: Micros, why: Limit) {
        self.later.push(Reverse((until, u32::try_from(at).unwrap_or(u32::MAX), why)));
    }

    /// Time passes, and this is why.
    fn waits(&mut self, limit: Limit, until: Micros) {
        let from = std::mem::replace(&mut self.now, until);
        let own = || self.plan.binding.iter().filter(|binding| binding.limit == limit).count();
        let full = own() >= TIMES;
        let last = self.plan.binding.iter_mut().rev().find(|binding| binding.limit == limit);
        match last {
            Some(last) if full || from - last.until <= GAP => last.until = until,
            _ => self.plan.binding.push(Binding { limit, from, until }),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;

    const SECOND: Micros = 1_000_000;
    const HOUR: Micros = 3_600 * SECOND;

    fn rate(per_second: u32) -> Quota {
        Quota::per_second(NonZeroU32::new(per_second).expect("a rate")).allow_burst(NonZeroU32::MIN)
    }

    fn scene(number: u32, tenant: u32) -> Scene {
        Scene { begins: 0, number: rate(number), paced: None, pair: rate(1_000), tenant: rate(tenant), rested: true }
    }

    fn people(count: usize, of: usize) -> Vec<Person> {
        let contact = |n: usize| KeyId(((n % of) as u128 + 1).to_be_bytes());
        (0..count).map(|n| Person { contact: contact(n), expires_at: 100 * HOUR, zone: 0 }).collect()
    }

    fn binds(plan: &Plan) -> Vec<(Limit, Micros, Micros)> {
        plan.binding.iter().map(|one| (one.limit, one.from / SECOND, one.until / SECOND)).collect()
    }

    #[test]
    fn the_slower_rate_says_how_long_it_takes() {
        let found = plan(scene(100, 1_000), &people(10_000, 10_000), |_, _| None);
        assert_eq!((found.sent, found.ends_at / SECOND), (10_000, 99));
        assert_eq!(binds(&found).last(), Some(&(Limit::Number, 0, 99)));
        let found = plan(scene(1_000, 50), &people(1_000, 1_000), |_, _| None);
        assert_eq!((found.ends_at / SECOND, binds(&found)), (19, vec![(Limit::Tenant, 0, 19)]));
    }

    #[test]
    fn a_person_who_gets_many_is_waited_for_last_and_keeps_nobody_else_waiting() {
        let pair = Quota::with_period(std::time::Duration::from_secs(6)).expect("a period");
        let scene = Scene { pair, ..scene(1_000, 1_000) };
        let mut all = people(100, 1);
        all.extend(people(101, 101).into_iter().skip(1));
        let found = plan(scene, &all, |_, _| None);
        assert_eq!((found.sent, found.ends_at / SECOND), (200, 99 * 6));
        assert!(found.pair_held >= 99, "{found:?}");
        let (limit, from, until) = *binds(&found).last().expect("it binds");
        assert!(limit == Limit::Pair && from < 1 && until == 99 * 6, "{:?}", binds(&found));
    }

    #[test]
    fn quiet_hours_are_waited_out_and_who_expires_in_them_is_counted() {
        // Loud from 8 to 21 in one zone, always in the other; it begins at 20:50.
        let quiet = |zone: u16, now: Micros| {
            let hour = now.rem_euclid(24 * HOUR) / HOUR;
            let day = now.div_euclid(24 * HOUR);
            (zone == 0 && !(8..21).contains(&hour)).then(|| (day + i64::from(hour >= 21)) * 24 * HOUR + 8 * HOUR)
        };
        let begins = 20 * HOUR + 50 * 60 * SECOND;
        let scene = Scene { begins, ..scene(1, 1_000) };
        let mut all = people(1_000, 1_000);
        all.iter_mut().skip(900).for_each(|person| person.expires_at = 30 * HOUR);
        all.iter_mut().take(100).for_each(|person| person.zone = 1);
        let found = plan(scene, &all, quiet);
        assert_eq!((found.sent, found.expired, found.quiet_held), (900, 100, 400));
        assert_eq!(found.ends_at / SECOND, (32 * HOUR / SECOND) + 299);
        let night = binds(&found).into_iter().find(|(limit, ..)| *limit == Limit::QuietHours);
        assert_eq!(night, Some((Limit::QuietHours, 21 * 3_600, 32 * 3_600)));
    }

    #[test]
    fn nothing_is_planned_beyond_its_time_and_each_is_counted_once() {
        let mut all = people(500, 500);
        all.iter_mut().for_each(|person| person.expires_at = 10 * SECOND);
        let found = plan(scene(10, 1_000), &all, |_, _| None);
        assert_eq!((found.sent + found.expired, found.sent), (500, 100));
        assert_eq!(plan(scene(10, 10), &[], |_, _| None).ends_at, 0);
    }
}
