//! How the sender stands with its provider: held, let go, slowed down.

use super::super::super::failure::Bucket;
use super::super::super::hold;
use super::super::super::pacing::learned::Paced;
use super::super::super::record::Micros;
use super::super::super::retry::Hold;
use super::super::Effect;
use super::super::wall::Wall;
use super::Machine;

/// A shorter wait is over before anybody could make something of it: it is kept in memory, and costs no event.
const TOLD: Micros = 5_000_000;

impl Machine {
    /// The sender's declared rate is another one from now on.
    pub fn pace(&mut self, number: governor::Quota) {
        self.pacer.pace(number);
    }

    /// A life begins with the rate that the row knows.
    pub fn begin(&mut self, paced: Option<Paced>, now: Micros) {
        self.pacer.begin(paced, now);
    }

    /// The row says so of the rate by now.
    pub fn row_paces(&mut self, paced: Option<Paced>) {
        self.pacer.row_says(paced);
    }

    pub(super) fn row_holds(&mut self, until: Option<Micros>, now: Micros) {
        self.held = until.map(|until| {
            self.wall.learn(until);
            self.held.unwrap_or(now)
        });
    }

    pub(super) fn released(&mut self, paced: Option<Paced>, now: Micros) {
        self.wall = Wall::default();
        self.held = None;
        self.pacer.begin(paced, now);
    }

    /// Whether the sender belongs to a portfolio.
    pub fn belongs(&mut self, in_portfolio: bool) {
        self.in_portfolio = in_portfolio;
    }

    /// Another sender met a wall that is this one's too. It is told on by nobody, and at its end one attempt shows.
    pub(super) fn shared(&mut self, hold: Hold, now: Micros, effects: &mut Vec<Effect>) {
        let hold = Hold { until: hold.until.min(now.saturating_add(hold::LONGEST)), ..hold };
        if hold.until <= now.max(self.wall.until()) {
            return;
        }
        self.wall.learn(hold.until);
        self.told(hold, now, effects);
    }

    fn told(&mut self, hold: Hold, now: Micros, effects: &mut Vec<Effect>) {
        if hold.until - now >= TOLD {
            self.held = Some(self.held.unwrap_or(now));
            effects.push(Effect::Hold(hold));
        }
    }

    /// The provider refused the sender, or nobody was reached.
    pub(super) fn refused(&mut self, hold: Hold, began: Micros, now: Micros, effects: &mut Vec<Effect>) {
        // What answers people goes on: only who would begin a conversation waits, with everybody of the portfolio.
        if hold.bucket == Some(Bucket::Portfolio) && self.in_portfolio {
            effects.push(Effect::Share(hold));
            return;
        }
        // One message after a silence is not too fast: what refuses that one is no rate.
        if hold.is_of_rate(now) && !self.wall.is_probed() {
            self.pacer.refused(began, now, hold.code);
        }
        let Some(until) = self.wall.hit(now, hold.until) else {
            return;
        };
        let hold = Hold { until, ..hold };
        if matches!(hold.bucket, Some(Bucket::App | Bucket::Waba)) {
            effects.push(Effect::Share(hold));
        }
        self.told(hold, now, effects);
    }

    /// An attempt was through. What left before the hold says nothing of it.
    pub(super) fn through(&mut self, began: Micros, effects: &mut Vec<Effect>) {
        self.wall.passed();
        if self.held.is_some_and(|since| began > since) {
            self.held = None;
            effects.push(Effect::Release);
        }
    }
}
