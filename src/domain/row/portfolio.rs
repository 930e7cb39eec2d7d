//! Rows of portfolios, and of the people they admitted.

use serde::{Deserialize, Serialize};

use super::super::event::{PortfolioDeclaredV1, PortfolioHeldV1};
use super::super::hold;
use super::super::id::{BudgetId, KeyId};
use super::super::portfolio::{Admitted, People};
use super::super::record::{Micros, Position};
use super::Controls;

/// A person as one portfolio knows them. Their row stands in the portfolio's partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId {
    /// Which portfolio.
    pub portfolio: BudgetId,
    /// Who.
    pub contact: KeyId,
}

/// When a portfolio admitted a person last: some 40 bytes with its key, for each who was ever written to outside of a
/// window, as there is a contact's row for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonRow {
    /// Then.
    pub admitted: Admitted,
}

/// A portfolio.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortfolioRow {
    /// Position of the declaration in force.
    pub declared_at: Position,
    /// Slug.
    pub name: String,
    /// Unique people in 24 hours; `None`: as many as it likes.
    pub limit: Option<u32>,
    /// How many it admitted when.
    pub people: People,
    /// Held by the provider, if it is.
    pub held: Option<PortfolioHeld>,
    /// Control events taken.
    pub controls: Controls,
}

/// The provider holds a portfolio.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortfolioHeld {
    /// Since when.
    pub since: Micros,
    /// Until when.
    pub until: Micros,
    /// The provider's code.
    pub code: i32,
}

impl PortfolioRow {
    /// The row of a declaration, keeping what is not declared.
    #[must_use]
    pub fn declared(facts: &PortfolioDeclaredV1, at: Position, before: Option<&Self>) -> Self {
        Self {
            declared_at: at,
            name: facts.name.clone(),
            limit: facts.people_per_day,
            people: before.map(|row| row.people.clone()).unwrap_or_default(),
            held: before.and_then(|row| row.held),
            controls: before.map(|row| row.controls.clone()).unwrap_or_default(),
        }
    }

    /// Takes a hold; one that ends earlier than the one that is known changes nothing.
    pub fn hold(&mut self, facts: &PortfolioHeldV1, at: Micros) -> bool {
        let known = self.held(at);
        if known.is_some_and(|held| held.until >= facts.until) {
            return false;
        }
        let since = known.map_or(at, |held| held.since);
        self.held = Some(PortfolioHeld { since, until: facts.until, code: facts.code });
        true
    }

    /// The hold, if there is one at this time, as far as it is believed.
    #[must_use]
    pub fn held(&self, now: Micros) -> Option<PortfolioHeld> {
        let held = self.held.map(|held| PortfolioHeld { until: hold::ends(held.since, held.until, now), ..held });
        held.filter(|held| held.until > now)
    }
}
