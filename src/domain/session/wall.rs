//! The wall: how long a sender waits after it was refused as a whole, or reached nobody, and how it tries again.
//!
//! Each wall that is met after the wait for the last one is over doubles the wait, so a provider that is away for an hour
//! costs some attempts and not one every second. One attempt leaves after a wait; the next ones follow once it is through.

use super::super::record::Micros;

const SECOND: Micros = 1_000_000;

/// The longest wait after refusals, unless the provider asks for a longer one.
const REFUSED_MAX: Micros = 300 * SECOND;

/// The longest wait while nobody is reached: as late as traffic begins again when the network is back.
const UNREACHED_MAX: Micros = 30 * SECOND;

/// A sender's walls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wall {
    until: Micros,
    hits: u32,
}

impl Wall {
    /// Nothing leaves before this; 0 or past: it may.
    #[must_use]
    pub fn until(&self) -> Micros {
        self.until
    }

    /// Whether the wait is over and nothing has been through since: one attempt shows.
    #[must_use]
    pub fn is_probed(&self) -> bool {
        self.hits > 0
    }

    /// A wait that the row knows of: one attempt shows whether it is over. An older one gives way to a later one.
    pub fn learn(&mut self, until: Micros) {
        self.until = self.until.max(until);
        self.hits = self.hits.max(1);
    }

    /// The provider refused the sender, to be left alone until `asked`; or (`asked` is `now`) nobody was reached, which
    /// once is no wall. Answers of attempts that left before the wall was known do not raise it. What comes back is a
    /// new wait, to be recorded.
    pub fn hit(&mut self, now: Micros, asked: Micros) -> Option<Micros> {
        let until = if self.until > now {
            asked
        } else {
            self.hits = (self.hits + 1).min(20);
            let longest = if asked > now { REFUSED_MAX } else { UNREACHED_MAX };
            let doubled = if self.hits == 1 { 0 } else { (SECOND << (self.hits - 2)).min(longest) };
            asked.max(now + doubled)
        };
        let worth = until > now && until >= self.until + SECOND;
        worth.then(|| {
            self.until = until;
            until
        })
    }

    /// The wall clock was set by so much.
    pub fn stepped(&mut self, by: Micros) {
        self.until = self.until.saturating_add(by);
    }

    /// An attempt was through: the wall is gone.
    pub fn passed(&mut self) {
        self.hits = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_met_again_doubles_the_wait_up_to_a_bound() {
        let (mut wall, mut now, mut waits) = (Wall::default(), 1_000 * SECOND, Vec::new());
        for _ in 0..14 {
            let until = wall.hit(now, now + SECOND).expect("a wait");
            waits.push((until - now) / SECOND);
            now = until;
        }
        assert_eq!(waits[..6], [1, 1, 2, 4, 8, 16]);
        assert_eq!(waits[13], 300);
    }

    #[test]
    fn answers_of_one_wave_are_one_wall() {
        let (mut wall, now) = (Wall::default(), 1_000 * SECOND);
        assert!(wall.hit(now, now + SECOND).is_some());
        for late in 1..32 {
            assert_eq!(wall.hit(now + late, now + late + SECOND), None);
        }
        assert_eq!(wall.hit(now + 40, now + 60 * SECOND), Some(now + 60 * SECOND), "a longer wait is news");
    }

    #[test]
    fn once_unreached_is_no_wall_and_through_is_through() {
        let (mut wall, now) = (Wall::default(), 1_000 * SECOND);
        assert_eq!(wall.hit(now, now), None);
        assert!(wall.is_probed());
        assert_eq!(wall.hit(now + 1, now + 1), Some(now + 1 + SECOND));
        wall.passed();
        assert!(!wall.is_probed());
        let mut now = now + 2 * SECOND;
        for _ in 0..12 {
            now = wall.hit(now, now).unwrap_or(now);
        }
        assert_eq!(wall.hit(now, now), Some(now + 30 * SECOND));
    }
}
