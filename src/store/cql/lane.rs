//! A partition's lane: one commit at a time, the mark as far as it is known, and whether a commit goes on that nobody waits for.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use super::open::Turn;
use crate::domain::record::Position;

/// So long a mark is known that this process moved. Nobody else commits the partition as long as it owns it; should it lose
/// it, readers here are behind by this much at most.
const FRESH: Duration = Duration::from_secs(1);

/// All lanes, made when they are asked for.
#[derive(Debug, Default)]
pub struct Lanes(Mutex<HashMap<u16, Arc<Lane>>>);

impl Lanes {
    /// The lane of a partition.
    pub fn of(&self, partition: u16) -> Arc<Lane> {
        Arc::clone(self.0.lock().entry(partition).or_default())
    }

    /// Every lane there is.
    pub fn all(&self) -> Vec<Arc<Lane>> {
        self.0.lock().values().cloned().collect()
    }
}

/// One lane.
#[derive(Debug, Default)]
pub struct Lane {
    /// Held by the commit that is under way.
    pub busy: Arc<tokio::sync::Mutex<()>>,
    known: Mutex<Known>,
    orphaned: AtomicBool,
    turn: AtomicI64,
    /// Turns that were written down in part and waited for in vain: one for each process.
    void: Mutex<Vec<Turn>>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Known {
    /// Whether the mark was ever read or written.
    seen: bool,
    mark: Option<Position>,
    /// When it was moved by this process.
    moved: Option<Duration>,
}

impl Lane {
    /// The mark, if this process has just moved it.
    pub fn fresh(&self, now: Duration) -> Option<Position> {
        let known = *self.known.lock();
        known.moved.filter(|at| now.saturating_sub(*at) < FRESH).and(known.mark)
    }

    /// The highest mark that was seen; the outer `None` when none was ever looked for.
    pub fn highest(&self) -> Option<Option<Position>> {
        let known = *self.known.lock();
        known.seen.then_some(known.mark)
    }

    /// The mark was read.
    pub fn saw(&self, mark: Option<Position>) {
        let mut known = self.known.lock();
        let moved = known.moved.filter(|_| mark <= known.mark);
        *known = Known { seen: true, mark: known.mark.max(mark), moved };
    }

    /// Whether a commit as far as this moves the mark, as far as it is known.
    pub fn is_moved_by(&self, through: Position) -> bool {
        self.known.lock().mark < Some(through)
    }

    /// The mark was moved there by this process. One that was only written again, with hints, says nothing of who owns the
    /// partition: its owner may have moved it meanwhile.
    pub fn moved(&self, mark: Position, now: Duration) {
        let mut known = self.known.lock();
        let beyond = known.mark > Some(mark);
        *known = Known { seen: true, mark: known.mark.max(Some(mark)), moved: (!beyond).then_some(now) };
    }

    /// The turn of the next commit of this process. Positions would not do: a smaller commit may follow one that was cut short.
    pub fn next_turn(&self) -> i64 {
        self.turn.fetch_add(1, Ordering::AcqRel) + 1
    }

    /// Whether this turn was waited for in vain.
    pub fn is_void(&self, turn: Turn) -> bool {
        self.void.lock().contains(&turn)
    }

    /// This turn was waited for in vain. Whoever writes it may still live, so it may be finished after all.
    pub fn void(&self, turn: Turn) {
        let mut void = self.void.lock();
        void.retain(|known| known.writer != turn.writer);
        void.push(turn);
    }

    /// Whether a commit was let alone: its rows are seen in part until it has ended. Forgets it.
    pub fn take_orphaned(&self) -> bool {
        self.orphaned.swap(false, Ordering::AcqRel)
    }

    /// A commit is let alone.
    pub fn orphan(&self) {
        self.orphaned.store(true, Ordering::Release);
    }
}

/// Somebody who waits for a commit; if they go away before it has ended, the lane knows.
pub struct Awaited {
    lane: Arc<Lane>,
    answered: bool,
}

impl Awaited {
    /// Waits.
    pub fn new(lane: Arc<Lane>) -> Self {
        Self { lane, answered: false }
    }

    /// It has ended.
    pub fn answered(mut self) {
        self.answered = true;
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        if !self.answered {
            self.lane.orphan();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_known_for_a_second_after_it_was_moved_here() {
        let (lane, at) = (Lane::default(), Duration::from_secs(100));
        assert_eq!((lane.fresh(at), lane.highest()), (None, None));
        lane.saw(Some(Position(7)));
        assert_eq!((lane.fresh(at), lane.highest()), (None, Some(Some(Position(7)))));
        lane.moved(Position(9), at);
        lane.saw(Some(Position(8)));
        assert_eq!(lane.fresh(at + Duration::from_millis(999)), Some(Position(9)));
        assert_eq!((lane.fresh(at + FRESH), lane.highest()), (None, Some(Some(Position(9)))));
        assert!(!lane.is_moved_by(Position(9)) && lane.is_moved_by(Position(10)));
    }

    #[test]
    fn a_mark_beyond_which_somebody_else_was_seen_is_asked_for() {
        let (lane, at) = (Lane::default(), Duration::from_secs(100));
        lane.saw(Some(Position(12)));
        lane.moved(Position(9), at);
        assert_eq!((lane.fresh(at), lane.highest()), (None, Some(Some(Position(12)))));
    }

    #[test]
    fn who_goes_away_before_the_answer_leaves_an_orphan() {
        let lane = Arc::new(Lane::default());
        Awaited::new(Arc::clone(&lane)).answered();
        assert!(!lane.take_orphaned());
        drop(Awaited::new(Arc::clone(&lane)));
        assert!(lane.take_orphaned() && !lane.take_orphaned());
    }
}
