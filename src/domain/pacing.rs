//! Pacing: how many a second, decided over all buckets at once, with time handed in.
//!
//! Quotas are `governor`'s; the cells are our own, because theirs cannot be saved: one cell is one instant, the
//! *theoretical arrival time* of the generic cell rate algorithm. A fresh cell allows a burst; a spent one allows the
//! sustained rate only. After a restart all cells of a sender start spent, so a restart, or a step of the wall clock,
//! never gives more than one burst.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;

use super::id::KeyId;
use super::record::Micros;

/// One bucket's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell(Micros);

/// What a quota comes down to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Microseconds between two at the sustained rate.
    interval: Micros,
    /// How far ahead of it a burst may run, in microseconds.
    tolerance: Micros,
}

impl From<Quota> for Rate {
    fn from(quota: Quota) -> Self {
        let interval = micros(quota.replenish_interval());
        Self { interval, tolerance: interval.saturating_mul(Micros::from(quota.burst_size().get()) - 1) }
    }
}

fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}

impl Rate {
    /// When the next one may go: now, or later.
    #[must_use]
    pub fn earliest(&self, cell: Cell, now: Micros) -> Micros {
        now.max(self.clamped(cell, now) - self.tolerance)
    }

    /// Lets one go.
    #[must_use]
    pub fn take(&self, cell: Cell, now: Micros) -> Cell {
        Cell(self.clamped(cell, now) + self.interval)
    }

    /// A cell without any burst left.
    #[must_use]
    pub fn spent(&self, now: Micros) -> Cell {
        Cell(now + self.tolerance)
    }

    /// A clock that stepped back costs at most one full refill, and one that stepped ahead gives at most one burst.
    fn clamped(&self, cell: Cell, now: Micros) -> Micros {
        cell.0.clamp(now, now.saturating_add(self.tolerance).saturating_add(self.interval))
    }
}

/// What is kept back of a provider's burst: attempts are counted when they are proposed and by the provider when they
/// arrive, and in between some overtake others by as much as a sync, a look at the journal and a call differ.
const MARGIN: Duration = Duration::from_millis(200);

/// A provider's quota as it can be kept: the same rate, with less of a burst. At most half of it is kept back, since
/// without any burst a moment of lateness is a moment lost.
#[must_use]
pub fn with_margin(quota: Quota) -> Quota {
    let burst = quota.burst_size().get();
    let interval = quota.replenish_interval().as_micros().max(1);
    let margin = u32::try_from(MARGIN.as_micros().div_ceil(interval)).unwrap_or(u32::MAX);
    let kept = NonZeroU32::new(burst - margin.min(burst / 2)).unwrap_or(NonZeroU32::MIN);
    quota.allow_burst(kept)
}

/// Which bucket holds something back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// The sender's own rate: nothing of it may go before the instant.
    Number(Micros),
    /// The pair of sender and this recipient: others may go.
    Pair(Micros),
}

/// The buckets of one sender: its own, and one for each recipient it wrote to lately.
#[derive(Debug)]
pub struct Pacer {
    number: Rate,
    number_cell: Cell,
    pair: Rate,
    pairs: HashMap<KeyId, Cell>,
    /// What an unremembered pair's cell is: spent for a while after a restart, long past otherwise.
    pair_floor: Cell,
}

/// Pairs remembered, 40 bytes each (2.6 MB a sender at most). Beyond it the cells that allow a full burst again are
/// forgotten; if none does, the sender waits rather than forget one that is spent.
const MAX_PAIRS: usize = 65_536;

impl Pacer {
    /// Buckets of a sender. `rested` is true only for one that was never active before.
    #[must_use]
    pub fn new(number: Quota, pair: Quota, now: Micros, rested: bool) -> Self {
        let (number, pair) = (Rate::from(number), Rate::from(pair));
        let (number_cell, pair_floor) =
            if rested { (Cell::default(), Cell::default()) } else { (number.spent(now), pair.spent(now)) };
        Self { number, number_cell, pair, pairs: HashMap::new(), pair_floor }
    }

    /// The number's rate is another one from now on; what was taken counts on.
    pub fn pace(&mut self, number: Quota) {
        self.number = Rate::from(number);
    }

    /// Takes one from every bucket, or from none and says which holds it back.
    ///
    /// # Errors
    /// The bucket, and when it lets go.
    pub fn take(&mut self, contact: KeyId, now: Micros) -> Result<(), Held> {
        let at = self.number.earliest(self.number_cell, now);
        if at > now {
            return Err(Held::Number(at));
        }
        let cell = self.pairs.get(&contact).copied().unwrap_or(self.pair_floor);
        let at = self.pair.earliest(cell, now);
        if at > now {
            return Err(Held::Pair(at));
        }
        if self.pairs.len() >= MAX_PAIRS && !self.pairs.contains_key(&contact) && !self.forget(now) {
            return Err(Held::Number(now + self.pair.interval));
        }
        self.number_cell = self.number.take(self.number_cell, now);
        self.pairs.insert(contact, self.pair.take(cell, now));
        Ok(())
    }

    fn forget(&mut self, now: Micros) -> bool {
        let floor = self.pair_floor;
        self.pairs.retain(|_, cell| cell.0 > now && *cell != floor);
        self.pairs.len() < MAX_PAIRS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Micros = 1_000_000;

    fn quota(interval_ms: u64, burst: u32) -> Quota {
        Quota::with_period(Duration::from_millis(interval_ms)).unwrap().allow_burst(NonZeroU32::new(burst).unwrap())
    }

    fn pacer(rested: bool) -> Pacer {
        Pacer::new(quota(100, 3), quota(6_000, 2), 0, rested)
    }

    #[test]
    fn a_part_of_a_burst_is_kept_back_and_none_of_the_rate() {
        for (interval_ms, burst, kept) in [(6_000, 45, 44), (10, 45, 25), (100, 3, 2), (100, 1, 1), (1, 1_000, 800)] {
            let with = with_margin(quota(interval_ms, burst));
            assert_eq!(with.burst_size().get(), kept, "{burst} at {interval_ms} ms");
            assert_eq!(with.replenish_interval(), quota(interval_ms, burst).replenish_interval());
        }
    }

    #[test]
    fn a_rested_sender_gets_its_burst_and_then_the_rate() {
        let mut pacer = pacer(true);
        let to = |n: u8| KeyId([n; 16]);
        for n in 0..3 {
            assert_eq!(pacer.take(to(n), 0), Ok(()));
        }
        assert_eq!(pacer.take(to(9), 0), Err(Held::Number(100_000)));
        assert_eq!(pacer.take(to(9), 100_000), Ok(()));
    }

    #[test]
    fn a_pair_holds_back_itself_only() {
        let mut pacer = pacer(true);
        let (a, b) = (KeyId([1; 16]), KeyId([2; 16]));
        assert!(pacer.take(a, 0).is_ok() && pacer.take(a, 0).is_ok());
        assert_eq!(pacer.take(a, 0), Err(Held::Pair(6 * SECOND)));
        assert_eq!(pacer.take(b, 0), Ok(()));
    }

    #[test]
    fn a_restart_gives_no_second_burst() {
        let mut pacer = pacer(false);
        let to = KeyId([1; 16]);
        assert_eq!(pacer.take(to, 0), Ok(()));
        assert_eq!(pacer.take(KeyId([2; 16]), 0), Err(Held::Number(100_000)));
        assert_eq!(pacer.take(to, SECOND), Err(Held::Pair(6 * SECOND)));
    }

    #[test]
    fn a_clock_step_costs_at_most_one_refill_and_gives_at_most_one_burst() {
        let rate = Rate::from(quota(1_000, 5));
        let far = Cell(3_600 * SECOND);
        assert!(rate.earliest(far, 0) <= SECOND);
        let mut cell = Cell(0);
        let mut sent = 0;
        while rate.earliest(cell, 3_600 * SECOND) == 3_600 * SECOND {
            cell = rate.take(cell, 3_600 * SECOND);
            sent += 1;
        }
        assert_eq!(sent, 5);
    }

    #[test]
    fn over_a_minute_the_rate_is_met_exactly() {
        let rate = Rate::from(quota(12, 80));
        let (mut cell, mut sent, mut now) = (rate.spent(0), 0, 0);
        while now < 60 * SECOND {
            now = rate.earliest(cell, now);
            cell = rate.take(cell, now);
            sent += 1;
        }
        assert!((4_999..=5_001).contains(&sent), "{sent}");
    }
}
