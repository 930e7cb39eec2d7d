//! The line before a portfolio that is full: who is told to come again when.
//!
//! At most as many stand in it as become free in one round, each with the time at which a place is free for it; who comes
//! after those has no place in it, is told no more than one round ahead, and is told again then. So nobody is sent weeks
//! ahead behind people who expire meanwhile or whose campaign is cancelled, which the line does not hear of: they leave
//! their places empty for the moments after a turn, then those are anybody's. Whose end comes before its turn is told one
//! of the times before that at which places become free, by chance, and a little after those who are expected: what they
//! leave empty is theirs, and not all of them come at once.
//!
//! It is a hint in the memory of one process. What is lost with it is that somebody may come in vain; a place is only ever
//! given by an event.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::Asker;
use crate::domain::id::KeyId;
use crate::domain::message::PARK_AFTER;
use crate::domain::portfolio::{People, ROUND};
use crate::domain::record::Micros;

/// So long after its turn somebody who waited for it is expected: the sweep is a second, and thousands come at once.
const COMING: Micros = 10_000_000;

/// Times that follow from no hour's end are told in whole seconds, so that they are few.
const SECOND: Micros = 1_000_000;

/// Who was told to come again: some 80 bytes each, and at most as many as a portfolio may write to in a day.
#[derive(Debug, Default)]
pub struct Line {
    turns: HashMap<KeyId, Micros>,
    expected: BTreeMap<Micros, HashSet<KeyId>>,
}

impl Line {
    /// When whoever is turned away now may have a turn: late enough to wait outside of the session's memory.
    pub fn turn(&mut self, asker: Asker, people: &People, limit: u32, now: Micros) -> Micros {
        self.leave(asker.contact);
        self.forget(now);
        let soonest = ((now + PARK_AFTER) / SECOND + 1) * SECOND;
        // Those who come right now take what is free right now, and do not count for what is free later.
        let ahead = u32::try_from(self.turns.len()).unwrap_or(u32::MAX).saturating_sub(self.coming(now));
        match people.turn(limit, ahead, now).map(|at| at.max(soonest)).filter(|at| *at < asker.expires_at) {
            Some(at) => {
                self.turns.insert(asker.contact, at);
                self.expected.entry(at).or_default().insert(asker.contact);
                at
            }
            None if asker.expires_at > now + ROUND + COMING => now + ROUND + COMING,
            None => by_chance(asker, people, soonest, now),
        }
    }

    /// How many were told to come about now.
    pub fn coming(&self, now: Micros) -> u32 {
        let people = self.expected.range(now.saturating_sub(COMING)..=now).map(|(_, people)| people.len());
        u32::try_from(people.sum::<usize>()).unwrap_or(u32::MAX)
    }

    /// Whoever came, and was admitted or is told another time, is waited for no more.
    pub fn leave(&mut self, contact: KeyId) {
        let Some(at) = self.turns.remove(&contact) else {
            return;
        };
        if let Some(people) = self.expected.get_mut(&at) {
            people.remove(&contact);
            if people.is_empty() {
                self.expected.remove(&at);
            }
        }
    }

    fn forget(&mut self, now: Micros) {
        while let Some(past) = self.expected.first_entry().filter(|past| *past.key() < now.saturating_sub(COMING)) {
            for contact in past.remove() {
                self.turns.remove(&contact);
            }
        }
    }
}

/// One of the times before its end at which places become free; its end, if there is none.
fn by_chance(asker: Asker, people: &People, soonest: Micros, now: Micros) -> Micros {
    let after = people.frees(now).map(|at| at.max(soonest) + COMING);
    let times: Vec<Micros> = after.filter(|at| *at < asker.expires_at).collect();
    // A person's id is made of a hash. Drawn anew with each time, or it would be the same one of ever fewer.
    let drawn = asker.contact.0.iter().fold(now.unsigned_abs(), |sum, byte| sum.rotate_left(5) ^ u64::from(*byte));
    let drawn = drawn.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
    let chosen = usize::try_from(drawn).unwrap_or(0).checked_rem(times.len());
    chosen.and_then(|chosen| times.get(chosen).copied()).unwrap_or(asker.expires_at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::portfolio::Hour;

    const HOUR: Micros = 3_600_000_000;
    const NOW: Micros = 1_000 * HOUR;

    /// So many places, all taken.
    fn full(limit: u32) -> People {
        let mut people = People::default();
        for _ in 0..limit {
            assert!(people.admit(None, Some(limit), NOW).is_some());
        }
        people
    }

    fn asker(n: u32, expires_at: Micros) -> Asker {
        let mut contact = [0; 16];
        contact[..4].copy_from_slice(&n.to_be_bytes());
        Asker { contact: KeyId(contact), expires_at, anew: true }
    }

    #[test]
    fn as_many_have_a_turn_as_become_free_and_the_others_come_again_after_a_round() {
        let (people, mut line, free) = (full(2), Line::default(), Hour::of(NOW).counts_until());
        let turns: Vec<Micros> = (0..5).map(|n| line.turn(asker(n, Micros::MAX), &people, 2, NOW)).collect();
        assert_eq!(turns, [free, free, NOW + ROUND + COMING, NOW + ROUND + COMING, NOW + ROUND + COMING]);
        assert_eq!([free - 1, free, free + COMING, free + COMING + 1].map(|at| line.coming(at)), [0, 2, 2, 0]);
        let later = line.turn(asker(9, Micros::MAX), &People::default(), 2, free + COMING + 1);
        assert!(later > free + COMING + PARK_AFTER && line.turns.len() == 1, "what is past is forgotten");
    }

    #[test]
    fn whoever_waits_in_vain_keeps_nobody_from_a_place() {
        let (people, mut line, free) = (full(250), Line::default(), Hour::of(NOW).counts_until());
        // Nine thousand wait, and most of them are called off, which nobody says here.
        for n in 0..9_000 {
            assert!(line.turn(asker(n, NOW + 72 * HOUR), &people, 250, NOW) <= NOW + ROUND + COMING);
        }
        assert_eq!(line.turns.len(), 250);
        // One of a day comes before its end, at a time when places become free, and after those who are expected.
        assert_eq!(line.turn(asker(9_001, NOW + 26 * HOUR), &people, 250, NOW), free + COMING);
        assert_eq!(line.turns.len(), 250, "no place is kept for it");
        // None becomes free before the end of this one.
        assert_eq!(line.turn(asker(9_002, NOW + 24 * HOUR), &people, 250, NOW), NOW + 24 * HOUR);
    }

    #[test]
    fn who_came_is_waited_for_no_more_and_who_comes_anew_then_is_not_sent_a_round_away() {
        let (people, mut line, free) = (full(4), Line::default(), Hour::of(NOW).counts_until());
        for n in 0..4 {
            assert_eq!(line.turn(asker(n, Micros::MAX), &people, 4, NOW), free);
        }
        line.leave(asker(0, 0).contact);
        assert_eq!(line.coming(free), 3);
        let mut one = People::default();
        assert!(one.admit(None, Some(4), free).is_some());
        let away = line.turn(asker(7, Micros::MAX), &one, 4, free + 1);
        assert!(away <= free + PARK_AFTER + 2 * SECOND, "{away}");
        // Told again, it stands in it once.
        line.turn(asker(1, Micros::MAX), &one, 4, free + 1);
        assert_eq!((line.coming(free + 1), line.turns.len()), (2, 4));
    }
}
