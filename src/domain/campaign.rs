//! The campaign machine: a named batch of a tenant, whose messages are accepted like any others and stand behind its gate.
//!
//! `draft → running ⇄ paused`, and over: `cancelled` from any of the three, `finished` from running, once nothing is left.
//! Loading is no state of its own, for nobody can say when an audience is complete but who loads it: that is what starting
//! says. Lines are taken in `draft` and `paused`, so that what is loaded and what leaves never mix.

use serde::{Deserialize, Serialize};

use super::event::CampaignStep;

/// Where a campaign is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CampaignState {
    /// Lines may be loaded; nothing leaves.
    Draft,
    /// Its messages leave.
    Running,
    /// Somebody stopped it for a while.
    Paused,
    /// Called off.
    Cancelled,
    /// Nothing was left.
    Finished,
}

impl CampaignState {
    /// The word for it, as the API writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Cancelled => "cancelled",
            Self::Finished => "finished",
        }
    }

    /// Whether nothing becomes of it any more.
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::Cancelled | Self::Finished)
    }

    /// Whether lines may be loaded.
    #[must_use]
    pub fn takes_lines(self) -> bool {
        matches!(self, Self::Draft | Self::Paused)
    }

    /// Where this step leads from here; `None` where it leads nowhere.
    #[must_use]
    pub fn after(self, step: CampaignStep) -> Option<Self> {
        match (self, step) {
            (Self::Draft, CampaignStep::Start) | (Self::Paused, CampaignStep::Resume) => Some(Self::Running),
            (Self::Running, CampaignStep::Pause) => Some(Self::Paused),
            (Self::Running, CampaignStep::Finish) => Some(Self::Finished),
            (Self::Draft | Self::Running | Self::Paused, CampaignStep::Cancel) => Some(Self::Cancelled),
            _ => None,
        }
    }

    /// Whether a step is what brought it here, so that asking for it again asks for nothing.
    #[must_use]
    pub fn is_after(self, step: CampaignStep) -> bool {
        match step {
            CampaignStep::Start | CampaignStep::Resume => self == Self::Running,
            CampaignStep::Pause => self == Self::Paused,
            CampaignStep::Cancel => self == Self::Cancelled,
            CampaignStep::Finish => self == Self::Finished,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [CampaignState; 5] = [
        CampaignState::Draft,
        CampaignState::Running,
        CampaignState::Paused,
        CampaignState::Cancelled,
        CampaignState::Finished,
    ];
    const STEPS: [CampaignStep; 5] =
        [CampaignStep::Start, CampaignStep::Pause, CampaignStep::Resume, CampaignStep::Cancel, CampaignStep::Finish];

    #[test]
    fn each_step_leads_where_it_says_and_nowhere_else() {
        let table = STATES.map(|state| STEPS.map(|step| state.after(step).map_or("-", CampaignState::word)));
        assert_eq!(
            table,
            [
                ["running", "-", "-", "cancelled", "-"],
                ["-", "paused", "-", "cancelled", "finished"],
                ["-", "-", "running", "cancelled", "-"],
                ["-"; 5],
                ["-"; 5],
            ]
        );
        for (state, step) in STATES.into_iter().flat_map(|state| STEPS.map(|step| (state, step))) {
            assert!(state.after(step).is_none_or(|after| after.is_after(step) && !state.is_over()));
        }
        assert_eq!(STATES.map(CampaignState::takes_lines), [true, false, true, false, false]);
    }
}
