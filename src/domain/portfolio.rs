//! Portfolios: how many people a business may begin a conversation with in 24 hours.
//!
//! Meta counts unique people who are written to outside of their service windows, in a rolling 24 hours, over all numbers
//! of a business portfolio (Cloud API, "Messaging limits"). Here a person is admitted for the rest of an hour, and counts
//! from then on until 24 hours after the last moment at which the admission lets a message leave. So the count is never
//! below Meta's, and above it for an hour at most; and what is kept is a number for each hour beside an hour for each
//! person. Who is admitted already is admitted again for nothing.

use serde::{Deserialize, Serialize};

use super::record::Micros;

/// What a person is admitted for.
const HOUR: Micros = 3_600_000_000;

/// How long after the end of the hour in which somebody was found admitted a message may still leave: as long as an intent
/// may be acted on (`delivery.intent_deadline`, ten minutes at most), and a minute by which two machines' clocks may differ.
pub const GRACE: Micros = 660_000_000;

/// Meta's window.
const DAY: Micros = 24 * HOUR;

/// After so long everybody who counts now counts no more.
pub const ROUND: Micros = HOUR + GRACE + DAY;

/// The longest limit that may be declared; Meta's highest is 100,000, and above it is none.
pub const MAX_LIMIT: u32 = 10_000_000;

/// People of one question: at 18 bytes each in the journal some 5 KB.
pub const MAX_ASKED: usize = 256;

/// An hour, since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Hour(i64);

impl Hour {
    /// The hour of a time.
    #[must_use]
    pub fn of(at: Micros) -> Self {
        Self(at.div_euclid(HOUR))
    }

    /// Messages to who was found admitted in it leave before this.
    fn leaves_before(self) -> Micros {
        (self.0 + 1).saturating_mul(HOUR).saturating_add(GRACE)
    }

    /// Who was admitted in it counts until then.
    #[must_use]
    pub fn counts_until(self) -> Micros {
        self.leaves_before().saturating_add(DAY)
    }

    fn begins(self) -> Micros {
        self.0.saturating_mul(HOUR)
    }
}

/// When somebody was admitted last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Admitted {
    hour: Hour,
    /// How often later hours had been folded by then ([`People::fold`]).
    folds: u32,
}

/// How many people were admitted last in which hour: at most 27 hours of 12 bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct People {
    /// The latest time it was told. It goes back for none but a clock that was far ahead, or who counts no more for one
    /// question would count for the next.
    now: Micros,
    /// Earliest first.
    hours: Vec<(Hour, u32)>,
    /// How often later hours were folded into an earlier one, and into which the last times.
    folds: u32,
    folded_into: Vec<Hour>,
}

/// A question so far behind the latest one was not late: the clock of the other was ahead.
const AHEAD: Micros = HOUR + GRACE;

/// Folds that are remembered. Who was admitted before so many takes another place, and counts twice for a day.
const FOLDS: usize = 32;

impl People {
    /// How many count at a time.
    #[must_use]
    pub fn counted(&self, now: Micros) -> u32 {
        self.counting(now).fold(0, |sum, (_, people)| sum.saturating_add(*people))
    }

    /// Asks for one person, who was admitted last at `before`. Says when that is now; `None`: there is no room.
    pub fn admit(&mut self, before: Option<Admitted>, limit: Option<u32>, at: Micros) -> Option<Admitted> {
        if at.saturating_add(AHEAD) < self.now {
            self.fold(at);
        }
        self.now = self.now.max(at).max(self.hours.last().map_or(Micros::MIN, |(hour, _)| hour.begins()));
        let now = self.now;
        self.hours.retain(|(hour, _)| hour.counts_until() > now);
        let hour = Hour::of(now);
        let before = before.and_then(|before| self.counted_in(before));
        let known = before.and_then(|before| self.hours.iter().position(|(hour, _)| *hour == before));
        match known {
            Some(known) => {
                self.hours[known].1 -= 1;
                self.hours.retain(|(_, people)| *people > 0);
            }
            None if limit.is_some_and(|limit| self.counted(now) >= limit) => return None,
            None => {}
        }
        match self.hours.last_mut() {
            Some((last, people)) if *last == hour => *people += 1,
            _ => self.hours.push((hour, 1)),
        }
        Some(Admitted { hour, folds: self.folds })
    }

    /// A clock was ahead, and everything after it waits for its time: from here on it is `at`. Who was admitted later counts
    /// as one of this hour, for a day from now on.
    fn fold(&mut self, at: Micros) {
        self.now = at;
        let hour = Hour::of(at);
        let later = self.hours.partition_point(|(other, _)| *other <= hour);
        let people = self.hours.split_off(later).iter().fold(0_u32, |sum, (_, people)| sum.saturating_add(*people));
        if people == 0 {
            return;
        }
        match self.hours.last_mut() {
            Some((last, known)) if *last == hour => *known = known.saturating_add(people),
            _ => self.hours.push((hour, people)),
        }
        self.folds = self.folds.wrapping_add(1);
        self.folded_into.push(hour);
        let forgotten = self.folded_into.len().saturating_sub(FOLDS);
        self.folded_into.drain(..forgotten);
    }

    /// Whether somebody who was admitted then may be written to now, if asked for at `since` or later: what is begun leaves
    /// while they count. An hour that is still far ahead was said by another clock, and lets nobody pass.
    #[must_use]
    pub fn admits(&self, admitted: Admitted, since: Micros, now: Micros) -> bool {
        let hour = self.counted_in(admitted);
        hour.is_some_and(|hour| hour >= Hour::of(since) && hour.begins() <= now.saturating_add(AHEAD))
    }

    /// Whether somebody who was admitted then counts at this time.
    #[must_use]
    pub fn counts(&self, admitted: Admitted, now: Micros) -> bool {
        self.counted_in(admitted).is_some_and(|hour| hour.counts_until() > now)
    }

    /// In which hour somebody counts who was admitted then; `None` if that is forgotten.
    fn counted_in(&self, admitted: Admitted) -> Option<Hour> {
        let since = usize::try_from(self.folds.wrapping_sub(admitted.folds)).ok()?;
        let first = self.folded_into.len().checked_sub(since)?;
        Some(self.folded_into[first..].iter().fold(admitted.hour, |hour, into| hour.min(*into)))
    }

    /// When there is room again; `None`: there is now.
    #[must_use]
    pub fn free_at(&self, limit: u32, now: Micros) -> Option<Micros> {
        // Below a limit that was lowered to nothing there is none before everybody is gone.
        (self.counted(now) >= limit).then(|| self.turn(limit, 0, now).unwrap_or(now + ROUND))
    }

    /// When whoever has `before` others waiting before it may be admitted, if each who becomes free is followed by one of
    /// them; `None`: not before everybody who counts now counts no more, and after that nobody knows.
    #[must_use]
    pub fn turn(&self, limit: u32, before: u32, now: Micros) -> Option<Micros> {
        let mut left = self.counted(now);
        let mut at = now;
        let mut frees = self.counting(now);
        while limit.saturating_sub(left) <= before {
            let (hour, people) = frees.next()?;
            (left, at) = (left.saturating_sub(*people), hour.counts_until());
        }
        Some(at)
    }

    /// The times at which places become free, earliest first.
    pub fn frees(&self, now: Micros) -> impl Iterator<Item = Micros> {
        self.counting(now).map(|(hour, _)| hour.counts_until())
    }

    fn counting(&self, now: Micros) -> impl Iterator<Item = &(Hour, u32)> {
        self.hours.iter().filter(move |(hour, _)| hour.counts_until() > now)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    const START: Micros = 1_000 * HOUR + 17;

    #[test]
    fn as_many_as_may_are_admitted_and_the_next_ones_a_day_later() {
        let mut people = People::default();
        for _ in 0..50 {
            assert!(people.admit(None, Some(50), START).is_some());
        }
        assert_eq!(people.admit(None, Some(50), START), None);
        let free = people.free_at(50, START).expect("it is full");
        assert!((START + DAY + GRACE..=START + ROUND).contains(&free), "{free}");
        assert_eq!(people.admit(None, Some(50), free - 1), None);
        assert_eq!(people.counted(free), 0);
        assert_eq!(people.free_at(50, free), None);
        assert!(people.admit(None, Some(50), free).is_some());
    }

    #[test]
    fn who_is_admitted_is_admitted_again_and_counts_once_for_longer() {
        let mut people = People::default();
        let first = people.admit(None, Some(1), START);
        let again = people.admit(first, Some(1), START + 2 * HOUR).expect("already admitted");
        assert_eq!(people.counted(START + 2 * HOUR), 1);
        assert_eq!(again.hour, Hour::of(START + 2 * HOUR));
        assert_eq!(people.admit(None, Some(1), START + DAY + 2 * HOUR), None, "it counts from the last time on");
    }

    #[test]
    fn a_clock_that_is_behind_frees_nobody_and_forgets_nobody() {
        let mut people = People::default();
        let ahead = people.admit(None, Some(2), START + HOUR).expect("room");
        let hour = people.admit(None, Some(2), START).expect("room");
        assert_eq!(hour, ahead, "one hour for both");
        assert_eq!(people.admit(None, Some(2), START), None);
        assert!(people.admit(Some(hour), Some(2), START).is_some());
        let far = people.admit(None, None, START + 40 * HOUR).expect("no limit");
        assert_eq!(
            people.admit(Some(hour), Some(1), START + 39 * HOUR),
            None,
            "it counts no more, and there is no room"
        );
        assert!(people.admit(Some(far), Some(1), START + 39 * HOUR).is_some());
    }

    #[test]
    fn a_clock_that_was_far_ahead_once_stops_nobody_for_longer_than_a_day() {
        let (mut people, year) = (People::default(), 365 * DAY);
        let early = people.admit(None, Some(3), START).expect("room");
        let ahead = people.admit(None, Some(3), START + 20 * HOUR).expect("room");
        let far = people.admit(None, Some(3), START + 21 * HOUR).expect("room");
        assert!(!people.admits(far, START, START), "nobody is admitted for what is to come");
        // The clocks are right again: all of them still count, and who is known takes no further place.
        assert_eq!(people.admit(None, Some(3), START + HOUR), None);
        assert_eq!(people.counted(START + HOUR), 3);
        let again = people.admit(Some(far), Some(3), START + 2 * HOUR).expect("it has its place");
        assert!(people.admits(again, START + 2 * HOUR, START + 2 * HOUR) && people.counted(START + 2 * HOUR) == 3);
        // Their hours come, and they are admitted in none of them: they count from the fold on.
        assert!(!people.admits(ahead, START + 20 * HOUR, START + 20 * HOUR) && people.counts(ahead, START + 20 * HOUR));
        // Each of them counts for a day from the fold on, or from when it was asked for since.
        let folded = Hour::of(START + HOUR).counts_until();
        assert_eq!(people.counted(folded - 1), 2);
        assert_eq!(people.counted(folded), 1);
        assert!(
            people.admit(Some(ahead), Some(3), folded).is_some()
                && people.admit(Some(early), Some(3), folded).is_some()
        );
        // A year ahead: who is asked for then is asked for again now.
        let mut people = People::default();
        let far = people.admit(None, Some(2), START + year).expect("room");
        for _ in 0..40 {
            assert!(people.admit(None, Some(2), START).is_some() || people.counted(START) == 2);
        }
        assert!(people.admit(Some(far), Some(2), START).is_some_and(|it| people.admits(it, START, START)));
    }

    #[test]
    fn what_is_found_admitted_in_its_hour_leaves_while_it_is_counted() {
        let mut people = People::default();
        let admitted = people.admit(None, Some(1), START).expect("room");
        let ends = Hour::of(START).leaves_before() - GRACE;
        assert_eq!([START, ends - 1, ends].map(|now| people.admits(admitted, now, now)), [true, true, false]);
        assert!(people.admits(admitted, START, ends + 1), "asked for before the hour was over");
        // Found admitted in the last moment, and written to as late as may be.
        let longest = 600_000_000;
        assert!(people.counts(admitted, ends - 1 + longest + DAY));
    }

    #[test]
    fn a_lowered_limit_admits_nobody_new_until_enough_are_gone() {
        let mut people = People::default();
        for n in 0..4 {
            assert!(people.admit(None, Some(4), START + n * HOUR).is_some());
        }
        let free = people.free_at(2, START + 4 * HOUR).expect("full");
        assert_eq!(free, Hour::of(START + 2 * HOUR).counts_until(), "three of four have to go");
    }

    #[test]
    fn those_who_wait_are_given_the_places_of_those_who_go() {
        let mut people = People::default();
        for at in [START, START, START + HOUR] {
            assert!(people.admit(None, Some(3), at).is_some());
        }
        let now = START + 2 * HOUR;
        let ends = [Hour::of(START).counts_until(), Hour::of(START + HOUR).counts_until()];
        let turns: Vec<Option<Micros>> = (0..4).map(|before| people.turn(3, before, now)).collect();
        assert_eq!(turns, [Some(ends[0]), Some(ends[0]), Some(ends[1]), None]);
        assert_eq!(people.frees(now).collect::<Vec<_>>(), ends);
        assert_eq!(People::default().turn(3, 0, now), Some(now));
    }

    /// What Meta may see at the worst: who is admitted is written to at once, and at the last moment.
    #[derive(Default)]
    struct Naive {
        sent: Vec<(Micros, u8)>,
    }

    impl Naive {
        fn most_in_a_day(&self) -> usize {
            let within = |end: Micros| {
                let day = self.sent.iter().filter(|(at, _)| (end - DAY..=end).contains(at));
                day.map(|(_, person)| *person).collect::<BTreeSet<u8>>().len()
            };
            self.sent.iter().map(|(at, _)| within(*at)).max().unwrap_or(0)
        }
    }

    proptest! {
        #[test]
        fn never_more_people_in_any_day_than_the_limit_and_never_a_place_left_empty_for_long(
            limit in 1_u32..6,
            steps in prop::collection::vec((0_u8..12, 0_i64..9), 1..120),
        ) {
            let (mut people, mut naive) = (People::default(), Naive::default());
            let mut rows: BTreeMap<u8, Admitted> = BTreeMap::new();
            let mut now = START;
            for (person, wait) in steps {
                // From nothing to nine hours, unevenly.
                now += wait * wait * HOUR / 9 + wait;
                let recent = rows.iter().filter(|(other, it)| **other != person && it.hour.counts_until() > now).count();
                let known = rows.get(&person).copied();
                match people.admit(known, Some(limit), now) {
                    Some(admitted) => {
                        rows.insert(person, admitted);
                        naive.sent.extend([(now, person), (admitted.hour.leaves_before() - 1, person)]);
                    }
                    None => prop_assert!(recent >= limit as usize, "refused with {recent} of {limit}"),
                }
                let counted = rows.values().filter(|it| it.hour.counts_until() > now).count();
                prop_assert_eq!(people.counted(now) as usize, counted);
                prop_assert!(people.hours.len() <= 27, "{:?}", people);
            }
            prop_assert!(naive.most_in_a_day() <= limit as usize);
        }
    }
}
