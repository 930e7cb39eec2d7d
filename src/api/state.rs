//! What every handler is given: the three seams, clock, chance, health, settings, and the caches of this room.

use std::ops::Range;
use std::sync::Arc;

use super::auth::{KeyCache, OperatorKey};
use super::backlog::Backlogs;
use super::directory::{Directory, Session};
use super::quota::Quotas;
use super::shares::Shares;
use crate::config::Settings;
use crate::domain::address::Address;
use crate::domain::id::NodeId;
use crate::domain::routing;
use crate::journal::Journal;
use crate::runtime::{Clock, Entropy, Health};
use crate::store::Store;
use crate::vault::Vault;

/// Bulk requests at once. Each holds at most 4 MiB of lines, so 32 hold 128 MiB.
const MAX_BULKS: usize = 32;

/// Bulk requests of one tenant: a quarter, for one may be open for days.
const TENANT_BULKS: usize = MAX_BULKS / 4;

/// Callers that wait for a position at once (see `store/applied.rs`), and those of one tenant.
pub(super) const MAX_WAITS: usize = 256;
const TENANT_WAITS: usize = MAX_WAITS / 4;

/// What the node hands in.
pub struct Parts {
    /// The truth.
    pub journal: Arc<dyn Journal>,
    /// Rows.
    pub store: Arc<dyn Store>,
    /// Keys and secrets.
    pub vault: Arc<dyn Vault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// The latch.
    pub health: Arc<Health>,
    /// Settings.
    pub settings: Arc<Settings>,
    /// This process.
    pub node: NodeId,
    /// Who may call the routes of the instance.
    pub operator: OperatorKey,
}

/// The state of the API. Shared behind an `Arc`.
pub struct App {
    /// The truth.
    pub journal: Arc<dyn Journal>,
    /// Rows.
    pub store: Arc<dyn Store>,
    /// Keys and secrets.
    pub vault: Arc<dyn Vault>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// The latch.
    pub health: Arc<Health>,
    /// Settings.
    pub settings: Arc<Settings>,
    /// This process.
    pub node: NodeId,
    /// Who may call the routes of the instance.
    pub operator: OperatorKey,
    /// Names of tenants, sessions, endpoints and keys.
    pub directory: Directory,
    /// Keys that were verified lately.
    pub keys: KeyCache,
    /// What each tenant may still hand in.
    pub quotas: Quotas,
    /// How many messages of each tenant wait.
    pub backlogs: Backlogs,
    /// One place for each request that was let in; `server.max_in_flight` of them, of which one tenant may hold three
    /// quarters.
    pub in_flight: Arc<Shares>,
    /// One place for each bulk request.
    pub bulks: Arc<Shares>,
    /// The one long queue that is walked through at once: a campaign that is planned, a session that is rebound.
    pub walks: Arc<Shares>,
    /// One place for each caller that waits for a position.
    pub waits: Arc<Shares>,
    /// Partitions of the journal, from its genesis.
    pub partitions: u16,
}

impl App {
    /// The state over these parts, with empty caches.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let in_flight = usize::try_from(parts.settings.server.max_in_flight).unwrap_or(1);
        Self {
            keys: KeyCache::new(parts.settings.auth.key_cache),
            partitions: parts.journal.genesis().count,
            journal: parts.journal,
            store: parts.store,
            vault: parts.vault,
            clock: parts.clock,
            entropy: parts.entropy,
            health: parts.health,
            settings: parts.settings,
            node: parts.node,
            operator: parts.operator,
            directory: Directory::default(),
            quotas: Quotas::default(),
            backlogs: Backlogs::default(),
            in_flight: Shares::new(in_flight, in_flight - in_flight / 4),
            bulks: Shares::new(MAX_BULKS, TENANT_BULKS),
            walks: Shares::new(1, 1),
            waits: Shares::new(MAX_WAITS, TENANT_WAITS),
        }
    }

    /// Where a session's messages are, or those of all.
    #[must_use]
    pub fn partitions_of(&self, session: Option<&Session>) -> Range<u16> {
        session.map_or(0..self.partitions, |session| session.partition..session.partition + 1)
    }

    /// The partition of a mailbox.
    #[must_use]
    pub fn partition_of(&self, address: impl Into<Address>) -> u16 {
        routing::partition(&address.into(), self.partitions)
    }
}
