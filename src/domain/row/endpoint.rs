//! Rows of endpoints.

use serde::{Deserialize, Serialize};

use super::super::event::{CursorV1, EndpointDeclaredV1, FailingV1};
use super::super::id::TenantId;
use super::super::record::{Micros, Position};
use super::Controls;

/// An endpoint: declaration, cursors, what failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndpointRow {
    /// Position of the declaration in force.
    pub declared_at: Position,
    /// Folded to here.
    pub through: Position,
    /// Whose it is.
    pub tenant: TenantId,
    /// Slug.
    pub name: String,
    /// Where to post.
    pub url: String,
    /// Which notifications; empty means all.
    pub events: Vec<String>,
    /// Read from events of this time on; `None` from the beginning.
    pub since: Option<Micros>,
    /// How far each feed is settled.
    pub cursors: Vec<CursorV1>,
    /// Notifications still to be tried again, bounded by [`super::endpoint::MAX_FAILING`].
    pub failing: Vec<FailingV1>,
    /// Notifications given up.
    pub given_up: u64,
    /// Notifications taken.
    pub delivered: u64,
    /// Only failures since then.
    pub failing_since: Option<Micros>,
    /// Why it is told nothing.
    pub disabled: Option<String>,
    /// Control events taken.
    pub controls: Controls,
}

impl EndpointRow {
    /// The row of a declaration, keeping what is not declared.
    #[must_use]
    pub fn declared(facts: &EndpointDeclaredV1, at: Position, before: Option<Self>) -> Self {
        let fresh = Self {
            declared_at: at,
            through: at,
            tenant: facts.tenant,
            name: facts.name.clone(),
            url: facts.url.clone(),
            events: facts.events.clone(),
            since: facts.since,
            cursors: Vec::new(),
            failing: Vec::new(),
            given_up: 0,
            delivered: 0,
            failing_since: None,
            disabled: None,
            controls: Controls::default(),
        };
        match before {
            None => fresh,
            Some(row) => Self {
                cursors: row.cursors,
                failing: row.failing,
                given_up: row.given_up,
                delivered: row.delivered,
                failing_since: row.failing_since,
                disabled: row.disabled,
                controls: row.controls,
                since: row.since,
                ..fresh
            },
        }
    }
}
