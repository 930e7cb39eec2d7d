//! The rate that a sender turns out to have: lowered when the provider refuses because of it, raised again in steps.
//!
//! A refusal halves the rate. From there it rises once a minute, by a tenth of the declared rate at most, and at first by
//! a small part of its own, so that a step too far costs a few refusals and not a wave of them. A rate that was refused is
//! a ceiling: for a minute, and twice as long each time up to an hour, the way to it is taken in halves; then it is passed
//! to see. A refusal on the way goes back to the last rate that was spent in full for a minute, not to the half of this
//! one: so it is the ceiling that stands for an hour, and not the half of what the provider would take.

use super::super::record::Micros;

const SECOND: Micros = 1_000_000;

/// A rate stands so long before it is raised.
const STEP: Micros = 60 * SECOND;

/// How long a rate that was refused is not tried again: at first, and at most.
const STANDS: (Micros, Micros) = (60 * SECOND, 3_600 * SECOND);

/// The rate is told at most so often: each time is an event.
const TELL_EVERY: Micros = 10 * SECOND;

/// A sender's own rate for now, as events and rows have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paced {
    /// Messages a second.
    pub per_second: u32,
    /// When it is the declared one again, unless more is refused; past once it is.
    pub until: Micros,
    /// The provider's code that lowered it.
    pub code: i32,
}

/// What was learned of one sender's rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learned {
    declared: u32,
    lowered: Option<Lowered>,
    /// The rate as it was told last, and when.
    told: (u32, Micros),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Lowered {
    rate: u32,
    /// The last rate that was spent in full for a step and not refused; 0: none is known.
    floor: u32,
    /// The last rate that was refused, and how long it stands, from when it was met.
    ceiling: u32,
    stands: Micros,
    until: Micros,
    /// When it was lowered last: attempts that began before say nothing of it.
    since: Micros,
    /// When it is raised next.
    next: Micros,
    /// It was spent in full in this step.
    spent: bool,
    /// How often it was raised since it was lowered.
    raised: u8,
    code: i32,
}

impl Learned {
    /// Of a sender with this declared rate, of which nothing was learned.
    #[must_use]
    pub fn new(declared: u32) -> Self {
        let declared = declared.max(1);
        Self { declared, lowered: None, told: (declared, Micros::MIN) }
    }

    /// Begins with what the row knows. A rate that nobody refused until its time was over is forgotten, and a declared one
    /// that is lower stands.
    pub fn begin(&mut self, row: Option<Paced>, now: Micros) {
        self.told = (row.map_or(self.declared, |row| row.per_second), Micros::MIN);
        let row = row.filter(|row| row.until > now && row.per_second < self.declared);
        self.lowered = row.map(|Paced { per_second, code, .. }| Lowered {
            rate: per_second.max(1),
            floor: per_second,
            ceiling: self.declared,
            stands: STANDS.0,
            until: now,
            since: now,
            next: now + STEP,
            spent: false,
            raised: 0,
            code,
        });
    }

    /// The row says so by now; what differs from it is told again.
    pub fn row_says(&mut self, row: Option<Paced>) {
        self.told.0 = row.map_or(self.declared, |row| row.per_second);
    }

    /// The declared rate is another one.
    pub fn declare(&mut self, declared: u32) {
        let declared = declared.max(1);
        if self.told.0 == self.declared {
            self.told.0 = declared;
        }
        let before = std::mem::replace(&mut self.declared, declared);
        self.lowered = self.lowered.filter(|lowered| lowered.rate < declared.min(before));
    }

    /// The lowered rate, if it is.
    #[must_use]
    pub fn lowered(&self) -> Option<u32> {
        self.lowered.map(|lowered| lowered.rate).filter(|rate| *rate < self.declared)
    }

    fn rate(&self) -> u32 {
        self.lowered().unwrap_or(self.declared)
    }

    /// The provider refused an attempt that began at `started` because of the rate.
    pub fn refused(&mut self, started: Micros, now: Micros, code: i32) {
        self.tame(now);
        let next = now + STEP;
        self.lowered = Some(match self.lowered {
            // It left at the rate before: that one was refused already.
            Some(lowered) if started <= lowered.since => return,
            Some(lowered) => Lowered { since: now, next, spent: false, raised: 0, code, ..lowered.again(now) },
            None => Lowered {
                rate: (self.declared / 2).max(1),
                floor: 0,
                ceiling: self.declared,
                stands: STANDS.0,
                until: now + STANDS.0,
                since: now,
                next,
                spent: false,
                raised: 0,
                code,
            },
        });
    }

    /// More wanted to leave than the rate allows: if it is not refused either, that much is known of it.
    pub fn spent(&mut self) {
        if let Some(lowered) = &mut self.lowered {
            lowered.spent = true;
        }
    }

    /// Time has passed: the rate is raised if it is time to. Says whether it is another one now.
    pub fn rise(&mut self, now: Micros) -> bool {
        let before = self.lowered();
        self.tame(now);
        while let Some(lowered) = self.lowered.as_mut().filter(|lowered| lowered.next <= now) {
            lowered.rise(self.declared);
            // The declared rate may be refused again: what is known below it is kept until it has shown itself.
            let shown = lowered.floor >= self.declared || lowered.next > lowered.until + STANDS.1;
            if lowered.rate >= self.declared && shown {
                self.lowered = None;
            }
        }
        self.lowered() != before
    }

    /// The wall clock was set by so much.
    pub fn stepped(&mut self, by: Micros) {
        self.told.1 = self.told.1.saturating_add(by);
        if let Some(lowered) = &mut self.lowered {
            for at in [&mut lowered.until, &mut lowered.since, &mut lowered.next] {
                *at = at.saturating_add(by);
            }
        }
    }

    /// A clock that stepped back must not make a rate stand for ever, nor every refusal an old one.
    fn tame(&mut self, now: Micros) {
        if let Some(lowered) = &mut self.lowered {
            lowered.next = lowered.next.min(now + STEP);
            lowered.until = lowered.until.min(now + STANDS.1);
            lowered.since = lowered.since.min(now);
        }
    }

    /// What is to be told, if that is news and not too soon.
    pub fn tell(&mut self, now: Micros) -> Option<Paced> {
        let rate = self.rate();
        if rate == self.told.0 || now < self.tells_at(now) {
            return None;
        }
        self.told = (rate, now);
        let (until, code) = self.lowered.map_or((now, 0), |lowered| (lowered.back_at(self.declared), lowered.code));
        Some(Paced { per_second: rate, until, code })
    }

    fn tells_at(&self, now: Micros) -> Micros {
        self.told.1.min(now).saturating_add(TELL_EVERY)
    }

    /// When there is something to do: to raise it, or to tell it.
    #[must_use]
    pub fn next(&self, now: Micros) -> Option<Micros> {
        let tells = (self.rate() != self.told.0).then(|| self.tells_at(now));
        self.lowered.map(|lowered| lowered.next).into_iter().chain(tells).min()
    }
}

impl Lowered {
    /// Refused once more.
    fn again(self, now: Micros) -> Self {
        // On the way to a ceiling it comes down; beyond it, or after its time, there is one for longer.
        let (stands, until) = if now >= self.until || self.rate > self.ceiling {
            let stands = (self.stands * 2).min(STANDS.1);
            (stands, now + stands)
        } else {
            (self.stands, self.until)
        };
        let (rate, floor) = match self.floor {
            0 => (self.rate / 2, 0),
            // What was good is good no more: a little less first, and half of it if that is refused too.
            floor if floor >= self.rate => (self.rate - (self.rate / 8).max(1), 0),
            floor => (floor.max(self.rate / 2), floor),
        };
        Self { rate: rate.max(1), floor, ceiling: self.rate, stands, until, ..self }
    }

    fn rise(&mut self, declared: u32) {
        if self.spent {
            self.floor = self.rate;
            if self.rate >= self.ceiling {
                self.stands = STANDS.0;
            }
        }
        self.spent = false;
        self.rate += self.gain(self.next, declared);
        self.raised = self.raised.saturating_add(1);
        self.next += STEP;
    }

    /// A 32nd part of the rate at first, twice that part with each step that was not refused: what is just above may be too
    /// much, and who was long not refused is far below.
    fn gain(&self, at: Micros, declared: u32) -> u32 {
        let most = (declared / 10).min(self.rate >> (5 - self.raised.min(4))).max(1);
        let most = if at < self.until { most.min(self.ceiling.saturating_sub(self.rate) / 2) } else { most };
        most.min(declared.saturating_sub(self.rate))
    }

    /// When it is the declared rate again if nothing more is refused.
    fn back_at(mut self, declared: u32) -> Micros {
        self.next = self.next.max(self.until);
        let mut at = self.next;
        while self.rate < declared {
            (at, self.spent) = (self.next, false);
            self.rise(declared);
        }
        at
    }
}

#[cfg(test)]
mod tests;
