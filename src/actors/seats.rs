//! Seats: which partitions are wanted here, live here, and were lost to another node.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use ractor::ActorId;

use super::inbox::Inbox;
use super::ownership::Wanted;
use super::partition::{Notice, Wish};
use crate::domain::record::Position;

/// All of them.
#[derive(Debug, Default)]
pub struct Seats {
    wanted: Wanted,
    living: HashMap<u16, Arc<Inbox<Notice>>>,
    /// Who lives where: said by themselves, before anybody can hear of their end.
    lives: HashMap<ActorId, u16>,
    /// How far the journals of those went that were held when they were wanted last.
    since: HashMap<u16, Position>,
    /// Lost since they were wanted, each to the claim that stands there: not to be claimed again before they are wanted anew.
    lost: BTreeMap<u16, Position>,
    vacancies: HashMap<u16, u32>,
    /// Owned since they were wanted: whoever lives there later does not claim them a second time.
    won: BTreeSet<u16>,
    /// Owned, wanted or not: whoever dies there lives again.
    held: BTreeSet<u16>,
}

/// A seat that is taken.
#[derive(Debug)]
pub struct Seat {
    /// Where who lives there reads.
    pub notices: Arc<Inbox<Notice>>,
    /// How often nobody took it since it was wanted last.
    pub vacancies: u32,
    /// Whether it is wanted here: who died may live again where it is not.
    pub wish: Wish,
}

impl Seats {
    /// A proposal. Says who lives here and is to hear of it. An old one changes nothing.
    pub fn follow(&mut self, wanted: &Wanted) -> Vec<(u16, Arc<Inbox<Notice>>)> {
        if wanted.number < self.wanted.number {
            return Vec::new();
        }
        if wanted.number > self.wanted.number {
            self.lost.clear();
            self.since.clear();
            self.won.clear();
            self.vacancies.clear();
        }
        self.wanted.clone_from(wanted);
        self.living.iter().map(|(number, notices)| (*number, Arc::clone(notices))).collect()
    }

    /// Those of the last proposal that this node may still hold, by an older one.
    pub fn held_and_wanted(&self) -> Vec<u16> {
        let held = |number: &u16| self.living.contains_key(number) || self.held.contains(number);
        self.wanted.partitions.iter().copied().filter(held).collect()
    }

    /// The journal of one that is wanted by this proposal went so far then. Whoever claimed it before did so before it was wanted
    /// here, however late that is read: it may be claimed again.
    pub fn wanted_since(&mut self, number: u16, proposal: u64, end: Position) {
        if proposal == self.wanted.number {
            // A proposal that is heard twice is as old as it was.
            let since = self.since.entry(number).or_insert(end);
            *since = end.min(*since);
            if let Some(at) = self.lost.remove(&number) {
                self.lost(number, at);
            }
        }
    }

    /// Takes a seat, if it is wanted or was owned when its last one died, is free, and was not lost. Where the node stops nobody
    /// lives again.
    pub fn take(&mut self, number: u16) -> Option<Seat> {
        let wish = self.wanted.wish(number);
        let is_to_live = wish == Wish::Here || (wish == Wish::Elsewhere && self.held.contains(&number));
        if !is_to_live || self.living.contains_key(&number) || self.lost.contains_key(&number) {
            return None;
        }
        let notices: Arc<Inbox<Notice>> = Arc::default();
        self.living.insert(number, Arc::clone(&notices));
        Some(Seat { notices, vacancies: self.vacancies.get(&number).copied().unwrap_or_default(), wish })
    }

    /// Somebody who took this seat begins to live there.
    pub fn lives(&mut self, number: u16, life: ActorId) {
        self.lives.insert(life, number);
    }

    /// A life ended of its own accord. Says where.
    pub fn given_up(&mut self, life: ActorId) -> Option<u16> {
        let number = self.died(life)?;
        self.held.remove(&number);
        Some(number)
    }

    /// A life ended. Says where.
    pub fn died(&mut self, life: ActorId) -> Option<u16> {
        let number = self.lives.remove(&life)?;
        self.living.remove(&number);
        Some(number)
    }

    /// Who took this seat never lived there.
    pub fn left(&mut self, number: u16) {
        self.lives.retain(|_, at| *at != number);
        self.living.remove(&number);
    }

    /// This node has it.
    pub fn won(&mut self, number: u16) {
        self.won.insert(number);
        self.held.insert(number);
    }

    /// Whether this node had it, since it was wanted last or when its last one died.
    #[must_use]
    pub fn had(&self, number: u16) -> bool {
        self.won.contains(&number) || self.held.contains(&number)
    }

    /// Another node has it, by the claim that stands there.
    pub fn lost(&mut self, number: u16, at: Position) {
        self.held.remove(&number);
        if self.since.get(&number).is_some_and(|end| at < *end) {
            self.won.remove(&number);
        } else {
            self.lost.insert(number, at);
        }
    }

    /// Where the claim stands by which it was lost, since it was wanted.
    #[must_use]
    pub fn lost_at(&self, number: u16) -> Option<Position> {
        self.lost.get(&number).copied()
    }

    /// Nobody has taken what was lost by this claim. Says nothing of a later one.
    pub fn vacant_since(&mut self, number: u16, at: Position) {
        if self.lost_at(number) == Some(at) {
            self.vacant(number);
        }
    }

    /// Whether it is to be claimed here as soon as who lives there is gone.
    #[must_use]
    pub fn is_next(&self, number: u16) -> bool {
        self.wanted.wish(number) == Wish::Here && !self.lost.contains_key(&number)
    }

    /// Nobody has it after all. Each time it is waited longer: two slow nodes must not take it from each other for ever.
    pub fn vacant(&mut self, number: u16) {
        self.lost.remove(&number);
        self.won.remove(&number);
        *self.vacancies.entry(number).or_default() += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(number: u64, partitions: &[u16]) -> Wanted {
        Wanted { number, partitions: Arc::new(partitions.iter().copied().collect()) }
    }

    #[test]
    fn what_was_lost_is_taken_again_by_a_later_proposal_alone() {
        let mut seats = Seats::default();
        assert!(seats.follow(&wanted(1, &[1, 2])).is_empty());
        assert!(seats.take(1).is_some() && seats.take(1).is_none() && seats.take(3).is_none());
        seats.lost(1, Position(5));
        seats.left(1);
        seats.follow(&wanted(1, &[1, 2]));
        assert!(seats.take(1).is_none(), "the same proposal again");
        seats.follow(&wanted(2, &[1]));
        assert!(seats.take(1).is_some() && seats.take(2).is_none());
        assert_eq!(seats.follow(&wanted(3, &[])).len(), 1, "it hears that it is not wanted");
        seats.follow(&wanted(2, &[2]));
        assert!(seats.take(2).is_none(), "an old proposal");
    }

    #[test]
    fn what_is_owned_lives_again_after_a_death_and_not_after_it_was_given_up() {
        let mut seats = Seats::default();
        seats.follow(&wanted(1, &[1, 2, 3]));
        for number in 1..=3 {
            assert!(seats.take(number).is_some());
            seats.won(number);
        }
        seats.follow(&wanted(2, &[]));
        seats.left(1);
        seats.lives(2, ActorId::Local(2));
        assert_eq!(seats.given_up(ActorId::Local(2)), Some(2));
        seats.lost(3, Position(5));
        seats.left(3);
        assert_eq!([1, 2, 3].map(|number| seats.take(number).is_some()), [true, false, false]);
    }

    #[test]
    fn what_nobody_took_is_taken_again_and_waited_for_longer() {
        let mut seats = Seats::default();
        seats.follow(&wanted(1, &[1]));
        for vacancies in 0..3 {
            assert_eq!(seats.take(1).expect("it is free").vacancies, vacancies);
            seats.lost(1, Position(5));
            seats.vacant(1);
            seats.left(1);
        }
        seats.follow(&wanted(2, &[1]));
        assert_eq!(seats.take(1).expect("it is free").vacancies, 0);
    }

    #[test]
    fn a_claim_that_stood_before_it_was_wanted_does_not_keep_it_however_late_it_is_read() {
        for late in [false, true] {
            let mut seats = Seats::default();
            seats.follow(&wanted(1, &[1, 2]));
            assert!([1, 2].iter().all(|number| seats.take(*number).is_some()));
            seats.won(1);
            seats.won(2);
            seats.follow(&wanted(2, &[1]));
            assert_eq!(seats.held_and_wanted(), [1]);
            seats.wanted_since(1, 1, Position(9));
            if late {
                seats.lost(1, Position(7));
                seats.wanted_since(1, 2, Position(8));
            } else {
                seats.wanted_since(1, 2, Position(8));
                seats.lost(1, Position(7));
            }
            seats.wanted_since(1, 2, Position(20));
            assert!(seats.is_next(1));
            seats.lives(1, ActorId::Local(1));
            seats.given_up(ActorId::Local(1));
            assert!(!seats.had(1) && seats.take(1).is_some(), "it is claimed anew");
            seats.won(1);
            seats.lost(1, Position(8));
            seats.lives(1, ActorId::Local(2));
            seats.given_up(ActorId::Local(2));
            assert!(!seats.is_next(1) && seats.take(1).is_none(), "once");
        }
    }

    #[test]
    fn who_lives_again_where_it_is_not_wanted_knows_it_and_that_it_was_held() {
        let mut seats = Seats::default();
        seats.follow(&wanted(1, &[1]));
        assert_eq!(seats.take(1).expect("it is wanted").wish, Wish::Here);
        seats.won(1);
        seats.follow(&wanted(2, &[]));
        seats.left(1);
        assert_eq!(seats.take(1).expect("it was held").wish, Wish::Elsewhere);
        assert!(seats.had(1), "it does not claim it a second time");
        seats.left(1);
        seats.follow(&wanted(u64::MAX, &[]));
        assert!(seats.take(1).is_none(), "the node stops");
    }
}
