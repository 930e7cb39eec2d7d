//! Messages set aside: those to a person for whom enough wait in the ring already.
//!
//! Without it ten thousand messages to one person would fill the ring, and everybody else on the number would wait for
//! that person's pace. Only place and id are kept; the rest is in the outbox and its rows, and is read when the person's
//! lane has room again. What follows for the same person is set aside too, so their order holds.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};

use crate::domain::event::{ByPriority, Priority};
use crate::domain::id::{KeyId, MessageId};
use crate::domain::record::Position;

/// Messages to one person in the ring: a sixteenth of the default one, and more than a pair's pace asks for in a minute.
pub const LANE_MAX: usize = 16;

/// Messages set aside by one session: some 50 bytes each and as much again in the session's marks, 6 MiB. Beyond it the
/// ring takes them, and others wait.
const ASIDE_MAX: usize = 65_536;

/// People looked at in one turn.
const PEOPLE: usize = 64;

/// A message that was set aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    /// For whom.
    pub contact: KeyId,
    /// The place of its acceptance.
    pub at: Position,
    /// Which.
    pub message: MessageId,
    /// In which ring it takes a place.
    pub priority: Priority,
}

/// What a session has set aside.
#[derive(Debug, Default)]
pub struct Aside {
    waiting: BTreeMap<(KeyId, Position), (MessageId, Priority)>,
    /// After whom the next turn goes on looking.
    after: Option<KeyId>,
}

const LAST: Position = Position(u64::MAX);

impl Aside {
    /// Whether nothing is set aside.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Sets a message aside if its person has enough in the ring (`taken`) or has others set aside. Says whether it did.
    pub fn take(&mut self, waits: Waits, taken: usize) -> bool {
        let own = (waits.contact, Position(0))..=(waits.contact, LAST);
        let behind = self.waiting.range(own).next().is_some();
        if (taken < LANE_MAX && !behind) || self.waiting.len() >= ASIDE_MAX {
            return false;
        }
        self.put_back(waits);
        true
    }

    /// It cannot be looked at just now.
    pub fn put_back(&mut self, waits: Waits) {
        self.waiting.insert((waits.contact, waits.at), (waits.message, waits.priority));
    }

    /// Whose turn it is, of those with less than half of their places taken: the next messages of each, in order, as many
    /// of each priority as there is room for.
    pub fn due(&mut self, mut rooms: ByPriority<usize>, taken: impl Fn(KeyId) -> usize) -> Vec<Waits> {
        let mut due: Vec<Waits> = Vec::new();
        for _ in 0..PEOPLE {
            let from = self.after.map_or(Unbounded, |after| Excluded((after, LAST)));
            let Some((contact, _)) = self.waiting.range((from, Unbounded)).next().map(|(key, _)| *key) else {
                self.after = None;
                break;
            };
            if rooms == [0; 3] {
                break;
            }
            self.after = Some(contact);
            let places = LANE_MAX - taken(contact).min(LANE_MAX);
            if places > LANE_MAX / 2 {
                self.lead_out(contact, places, &mut rooms, &mut due);
            }
        }
        due
    }

    /// In order: what has no room holds up what comes after it for the same person.
    fn lead_out(&mut self, contact: KeyId, places: usize, rooms: &mut ByPriority<usize>, due: &mut Vec<Waits>) {
        for _ in 0..places {
            let next = self.waiting.range((contact, Position(0))..=(contact, LAST)).next();
            let Some((key, (message, priority))) = next.map(|(key, known)| (*key, *known)) else {
                return;
            };
            let room = &mut rooms[priority.index()];
            if *room == 0 {
                return;
            }
            *room -= 1;
            self.waiting.remove(&key);
            due.push(Waits { contact, at: key.1, message, priority });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(person: u8, at: u64) -> Waits {
        let mut id = [0; 16];
        id[..8].copy_from_slice(&at.to_be_bytes());
        Waits { contact: KeyId([person; 16]), at: Position(at), message: MessageId(id), priority: Priority::Bulk }
    }

    #[test]
    fn who_has_enough_in_the_ring_waits_in_order_and_nobody_else_does() {
        let mut aside = Aside::default();
        assert!(!aside.take(waits(1, 1), LANE_MAX - 1));
        for at in (2..40).rev() {
            assert!(aside.take(waits(1, at), LANE_MAX));
        }
        assert!(aside.take(waits(1, 40), 0), "behind its own");
        assert!(!aside.take(waits(2, 41), 0));
        assert_eq!(aside.due([256; 3], |_| LANE_MAX / 2), []);
        let due = aside.due([256; 3], |_| 2);
        assert_eq!(due, (2..2 + LANE_MAX as u64 - 2).map(|at| waits(1, at)).collect::<Vec<_>>());
        let mut rest = 0;
        while !aside.is_empty() {
            rest += aside.due([256; 3], |_| 0).len();
        }
        assert_eq!(due.len() + rest, 39);
    }

    #[test]
    fn shown_twice_is_kept_once_and_everybody_has_a_turn() {
        let mut aside = Aside::default();
        for person in 0..200_u8 {
            assert!(aside.take(waits(person, 7), LANE_MAX));
            assert!(aside.take(waits(person, 7), LANE_MAX));
        }
        assert_eq!(aside.due([0; 3], |_| 0), []);
        let turns: usize = (0..5).map(|_| aside.due([0, 0, 50], |_| 0).len()).sum();
        assert_eq!(turns, 200);
        assert!(aside.is_empty());
    }

    #[test]
    fn what_could_not_be_looked_at_keeps_its_place() {
        let mut aside = Aside::default();
        for at in 1..4 {
            assert!(aside.take(waits(1, at), LANE_MAX));
        }
        let due = aside.due([0, 0, 2], |_| 0);
        due.into_iter().for_each(|waits| aside.put_back(waits));
        assert_eq!(aside.due([256; 3], |_| 0).iter().map(|waits| waits.at.0).collect::<Vec<_>>(), [1, 2, 3]);
    }
}
