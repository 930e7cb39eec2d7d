//! Restart intensity: how soon a dead child may live again. Pure; the supervisor hands in the time.

use std::collections::VecDeque;
use std::time::Duration;

/// The bounds of one supervisor's patience.
#[derive(Debug, Clone, Copy)]
pub struct RestartLimits {
    /// Deaths within the window before a child rests for the longest backoff.
    pub budget: u32,
    /// That window.
    pub window: Duration,
    /// First wait; doubles with each death in the window.
    pub base: Duration,
    /// Longest wait.
    pub cap: Duration,
}

/// One child's deaths.
#[derive(Debug, Default, Clone)]
pub struct Deaths {
    at: VecDeque<Duration>,
}

impl Deaths {
    /// Counts a death at `now` (steady time) and says how long to wait. Jitter comes from `drawn`.
    pub fn died(&mut self, now: Duration, drawn: u64, limits: &RestartLimits) -> Duration {
        self.at.push_back(now);
        while self.at.front().is_some_and(|first| *first + limits.window < now) {
            self.at.pop_front();
        }
        // The budget bounds what is remembered: beyond it all deaths cost the same.
        while self.at.len() > limits.budget as usize + 1 {
            self.at.pop_front();
        }
        let deaths = u32::try_from(self.at.len()).unwrap_or(u32::MAX);
        let wait = if deaths > limits.budget {
            limits.cap
        } else {
            (limits.base * (1 << (deaths - 1).min(16))).min(limits.cap)
        };
        wait.mul_f64(0.75 + 0.5 * (drawn % 1024) as f64 / 1024.0)
    }

    /// Deaths within the window at the last count.
    #[must_use]
    pub fn count(&self) -> usize {
        self.at.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RestartLimits = RestartLimits {
        budget: 3,
        window: Duration::from_secs(60),
        base: Duration::from_millis(100),
        cap: Duration::from_secs(10),
    };

    #[test]
    fn each_death_costs_more_until_the_budget_is_spent_and_a_quiet_window_forgives() {
        let mut deaths = Deaths::default();
        let waits: Vec<_> = (0..5).map(|n| deaths.died(Duration::from_secs(n), 512, &LIMITS).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 10_000, 10_000]);
        assert_eq!(deaths.died(Duration::from_secs(200), 512, &LIMITS).as_millis(), 100);
    }
}
