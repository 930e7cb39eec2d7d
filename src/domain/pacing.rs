//! Pacing: how many a second, decided over all buckets at once, with time handed in.
//!
//! Quotas are `governor`'s; the cells are our own, because theirs cannot be saved: one cell is one instant, the
//! *theoretical arrival time* of the generic cell rate algorithm. A fresh cell allows a burst; a spent one allows the
//! sustained rate only. After a restart all cells of a sender start spent, so a restart never gives a burst. A wall clock
//! that is set moves the cells with it ([`Pacer::stepped`]); should nobody notice, it gives or costs at most one.
//!
//! The number's rate is the declared one, or the lower one that the provider's refusals taught ([`learned`]). What the
//! number receives counts against it too, as it does at Meta.

pub mod learned;

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;

use super::id::KeyId;
use super::record::Micros;
use learned::{Learned, Paced};

/// How far what was received at once may run ahead of the rate: so long it may keep everything else waiting.
const AHEAD: Micros = 200_000;

/// One bucket's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cell(Micros);

impl Cell {
    /// The same memory once the wall clock was set by so much.
    #[must_use]
    pub fn stepped(self, by: Micros) -> Self {
        Self(self.0.saturating_add(by))
    }
}

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

    /// A clock that stepped back costs at most one full refill and what may run ahead, and one that stepped ahead gives at
    /// most one burst.
    fn clamped(&self, cell: Cell, now: Micros) -> Micros {
        let ahead = self.tolerance.saturating_add(self.interval.max(AHEAD));
        cell.0.clamp(now, now.saturating_add(ahead))
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

/// So many a second, and a burst, as declarations write them: none of either counts as one.
#[must_use]
pub fn quota(rate: u32, burst: u32) -> Quota {
    let number = |n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
    Quota::per_second(number(rate)).allow_burst(number(burst))
}

/// One in so long, and a burst: of the pair of sender and recipient, as it can be kept.
#[must_use]
pub fn pair(interval: Duration, burst: u32) -> Quota {
    let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
    // Only an interval of nothing is no period; configuration allows none.
    let quota = Quota::with_period(interval).unwrap_or_else(|| Quota::per_second(burst));
    with_margin(quota.allow_burst(burst))
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
    declared: Quota,
    learned: Learned,
    number: Rate,
    number_cell: Cell,
    /// What was received counts up to nine tenths of the number's rate: whoever writes to it must not silence it.
    received: Cell,
    pair: Rate,
    pairs: HashMap<KeyId, Cell>,
    /// What an unremembered pair's cell is: spent for a while after a restart, long past otherwise.
    pair_floor: Cell,
}

/// The rate of a quota, rounded.
fn per_second(quota: Quota) -> u32 {
    let nanos = quota.replenish_interval().as_nanos().max(1);
    u32::try_from((1_000_000_000 + nanos / 2) / nanos).unwrap_or(u32::MAX)
}

/// Pairs remembered, 40 bytes each (2.6 MB a sender at most). Beyond it the cells that allow a full burst again are
/// forgotten; if none does, the sender waits rather than forget one that is spent.
const MAX_PAIRS: usize = 65_536;

impl Pacer {
    /// Buckets of a sender. `rested` is true only for one that was never active before.
    #[must_use]
    pub fn new(declared: Quota, pair: Quota, now: Micros, rested: bool) -> Self {
        let (number, pair) = (Rate::from(declared), Rate::from(pair));
        let (number_cell, pair_floor) =
            if rested { (Cell::default(), Cell::default()) } else { (number.spent(now), pair.spent(now)) };
        let (learned, received) = (Learned::new(per_second(declared)), Cell::default());
        Self { declared, learned, number, number_cell, received, pair, pairs: HashMap::new(), pair_floor }
    }

    /// The number's declared rate is another one from now on; what was taken counts on, and what was learned.
    pub fn pace(&mut self, declared: Quota) {
        self.declared = declared;
        self.learned.declare(per_second(declared));
        self.fit();
    }

    /// Begins with the rate that the row knows.
    pub fn begin(&mut self, row: Option<Paced>, now: Micros) {
        self.learned.begin(row, now);
        self.fit();
    }

    /// The row says so of the rate by now.
    pub fn row_says(&mut self, row: Option<Paced>) {
        self.learned.row_says(row);
    }

    /// The provider refused an attempt because of the number's rate.
    pub fn refused(&mut self, started: Micros, now: Micros, code: i32) {
        self.learned.refused(started, now, code);
        self.fit();
    }

    /// Raises a lowered rate if it is time to.
    pub fn rise(&mut self, now: Micros) {
        if self.learned.rise(now) {
            self.fit();
        }
    }

    /// What is to be told of the rate.
    pub fn tell(&mut self, now: Micros) -> Option<Paced> {
        self.learned.tell(now)
    }

    /// When there is something to do about the rate.
    #[must_use]
    pub fn next(&self, now: Micros) -> Option<Micros> {
        self.learned.next(now)
    }

    /// The number received so many messages: each takes one of its cells.
    pub fn receive(&mut self, count: u32, now: Micros) {
        let number = self.number;
        let share = Rate { interval: number.interval * 10 / 9, tolerance: AHEAD };
        for _ in 0..count {
            if share.earliest(self.received, now) > now {
                return;
            }
            self.received = share.take(self.received, now);
            self.number_cell = number.take(self.number_cell, now);
        }
    }

    /// A lowered rate has next to no burst: what was learned is a rate, and after a pause a burst would exceed it. Nor is a
    /// larger burst given with a new rate: it is earned by resting.
    fn fit(&mut self) {
        let lowered = self.learned.lowered().map(|rate| {
            let burst = (rate / 10).clamp(1, self.declared.burst_size().get());
            let [rate, burst] = [rate, burst].map(|n| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN));
            Quota::per_second(rate).allow_burst(burst)
        });
        let before = std::mem::replace(&mut self.number, Rate::from(lowered.unwrap_or(self.declared)));
        let more = self.number.tolerance.saturating_sub(before.tolerance).max(0);
        self.number_cell = Cell(self.number_cell.0.saturating_add(more));
    }

    /// The wall clock was set by so much: what was taken lies as far back as before.
    pub fn stepped(&mut self, by: Micros) {
        let cells = [&mut self.number_cell, &mut self.received, &mut self.pair_floor];
        for cell in cells.into_iter().chain(self.pairs.values_mut()) {
            *cell = cell.stepped(by);
        }
        self.learned.stepped(by);
    }

    /// Takes one from every bucket, or from none and says which holds it back.
    ///
    /// # Errors
    /// The bucket, and when it lets go.
    pub fn take(&mut self, contact: KeyId, now: Micros) -> Result<(), Held> {
        let at = self.number.earliest(self.number_cell, now);
        if at > now {
            self.learned.spent();
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
mod tests;
