//! Rows of the partition itself, of tenants and of API keys.

use governor::Quota;
use serde::{Deserialize, Serialize};

use super::super::consent::OwnGates;
use super::super::event::{ApiKeyIssuedV1, Role, TenantDeclaredV1};
use super::super::id::{EventId, InstallationId, NodeId, TenantId};
use super::super::pacing::quota;
use super::super::quiet::QuietHours;
use super::super::record::{Micros, Position};
use super::Waiting;

/// The last control events that a row has taken, so that a copy of one at a later position is not taken again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Controls(Vec<EventId>);

/// Control events remembered on a row, 16 bytes each. A copy lands at most one producer timeout late; nobody declares or
/// suspends the same thing sixteen times within it.
const MAX_CONTROLS: usize = 16;

impl Controls {
    /// Whether this event was not taken yet.
    #[must_use]
    pub fn is_new(&self, event: EventId) -> bool {
        !self.0.contains(&event)
    }

    /// The last one.
    #[must_use]
    pub fn last(&self) -> Option<EventId> {
        self.0.last().copied()
    }

    /// Remembers that it was taken.
    pub fn remember(&mut self, event: EventId) {
        if self.0.len() == MAX_CONTROLS {
            self.0.remove(0);
        }
        self.0.push(event);
    }
}

/// A partition: whose it is and what it may contain.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionRow {
    /// From the genesis.
    pub installation: Option<InstallationId>,
    /// The last valid claim: its position is the epoch.
    pub claim: Option<Position>,
    /// Who holds it.
    pub node: Option<NodeId>,
    /// Events of newer versions allowed so far.
    pub feature: u16,
    /// Its messages that are not settled.
    pub waiting: Waiting,
    /// Attempts that were open when another node claimed it, while there are any.
    pub older: Option<Older>,
}

/// Attempts of a partition's earlier owner. It may be frozen right before its calls, and hears nothing of what is stopped since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Older {
    /// How many are open.
    pub open: u64,
    /// When another node claimed the partition: no intent is valid that was proposed later.
    pub since: Micros,
    /// That claim. Attempts under it, and under later ones of the same node's lives, are none of the earlier owner's.
    pub claim: Position,
}

/// So far two nodes' clocks may be apart.
const CLOCKS: Micros = 5_000_000;

impl PartitionRow {
    /// Whether an earlier owner may still make calls here that it was about to make: none of them leaves after its deadline.
    #[must_use]
    pub fn may_be_sent_elsewhere(&self, now: Micros, deadline: Micros) -> bool {
        self.older.is_some_and(|older| now < older.since.saturating_add(deadline).saturating_add(CLOCKS))
    }
}

/// A tenant as declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantRow {
    /// Folded to here.
    pub through: Position,
    /// Slug.
    pub name: String,
    /// For people.
    pub display_name: String,
    /// Messages a second.
    pub per_second: u32,
    /// At once after a rest.
    pub burst: u32,
    /// Which gates it has otherwise than its installation.
    pub gates: OwnGates,
    /// When its marketing leaves people alone.
    pub quiet_hours: Option<QuietHours>,
    /// How many of its messages may wait; None: as the installation has it.
    pub queue_max: Option<u32>,
    /// Control events taken.
    pub controls: Controls,
}

impl TenantRow {
    /// What its sessions share.
    #[must_use]
    pub fn quota(&self) -> Quota {
        quota(self.per_second, self.burst)
    }

    /// The row of a declaration at a position.
    #[must_use]
    pub fn declared(facts: &TenantDeclaredV1, at: Position) -> Self {
        Self {
            through: at,
            name: facts.name.clone(),
            display_name: facts.display_name.clone(),
            per_second: facts.per_second,
            burst: facts.burst,
            gates: OwnGates { require_opt_in: facts.require_opt_in, require_window: facts.require_window },
            quiet_hours: facts.quiet_hours.clone(),
            queue_max: facts.queue_max,
            controls: Controls::default(),
        }
    }
}

/// An API key as issued.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeyRow {
    /// Whose it is.
    pub tenant: TenantId,
    /// Slug.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Test keys never reach the provider.
    pub test: bool,
    /// SHA-256 of the key text.
    pub hash: [u8; 32],
    /// When it was revoked.
    pub revoked_at: Option<Micros>,
}

impl ApiKeyRow {
    /// The row of a key as issued.
    #[must_use]
    pub fn issued(facts: &ApiKeyIssuedV1) -> Self {
        Self {
            tenant: facts.tenant,
            name: facts.name.clone(),
            role: facts.role,
            test: facts.test,
            hash: facts.hash,
            revoked_at: None,
        }
    }
}
