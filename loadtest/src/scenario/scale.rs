//! A shorter run of the same scenario. What was made shorter says so in its result.

use super::check::Wrong;
use super::file::{PhaseSpec, Scenario, StreamSpec, TenantSpec};

/// A count is never scaled below this (or below itself): a percentile of fewer messages is not measured.
const LEAST: u64 = 100;

/// How much shorter.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Scale {
    /// Counts, seconds of phases and scaled sessions times this.
    pub scale: Option<f64>,
    /// The largest count becomes this, the others in proportion.
    pub count: Option<u64>,
}

impl Scale {
    /// Whether this is the whole run.
    #[must_use]
    pub fn is_full(self) -> bool {
        self.count.is_none() && self.scale.is_none_or(|scale| scale >= 1.0)
    }

    /// The scenario at this scale.
    ///
    /// # Errors
    /// [`Wrong`] when there is nothing it could scale.
    pub fn apply(self, mut scenario: Scenario) -> Result<Scenario, Wrong> {
        let factor = self.scale.unwrap_or(1.0);
        if !(factor > 0.0 && factor <= 1.0) {
            return Err(Wrong::one("the scale must be above 0 and at most 1"));
        }
        let most = scenario.streams.iter().filter_map(|stream| stream.count).max();
        let counted = match (self.count, most) {
            (None, _) => factor,
            (Some(count), Some(most)) if count > 0 => ratio(count, most),
            (Some(_), Some(_)) => return Err(Wrong::one("the count must be at least 1")),
            (Some(_), None) => return Err(Wrong::one("no stream of this scenario is counted; use a scale")),
        };
        scenario.streams.iter_mut().for_each(|stream| shorten_stream(stream, counted));
        scenario.phases.iter_mut().for_each(|phase: &mut PhaseSpec| phase.seconds = phase.seconds.map(|s| s * factor));
        scenario.tenants.iter_mut().filter(|tenant| tenant.scaled).for_each(|tenant| shorten_tenant(tenant, factor));
        Ok(scenario)
    }
}

fn shorten_stream(stream: &mut StreamSpec, factor: f64) {
    stream.count = stream.count.map(|count| times(count, factor).max(count.min(LEAST)));
}

fn shorten_tenant(tenant: &mut TenantSpec, factor: f64) {
    tenant.sessions = usize::try_from(times(tenant.sessions as u64, factor).max(1)).unwrap_or(tenant.sessions);
}

#[allow(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn ratio(count: u64, of: u64) -> f64 {
    count as f64 / of.max(1) as f64
}

#[allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts far below 2^53, and a factor above 0"
)]
fn times(count: u64, factor: f64) -> u64 {
    (count as f64 * factor).round() as u64
}
