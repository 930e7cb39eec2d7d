//! The hands that every actor works with, and the settings they share. `node` chooses them; actors know the seams only.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use governor::Quota;

use super::egress::Egress;
use super::registry::Registry;
use crate::channel::Channel;
use crate::domain::consent::Gates;
use crate::domain::event::Category;
use crate::domain::id::NodeId;
use crate::domain::record::Micros;
use crate::domain::session::SessionLimits;
use crate::journal::Journal;
use crate::runtime::{BoxFuture, Clock, Entropy, Health};
use crate::store::Store;
use crate::vault::Vault;
use crate::webhook::{Deliver, Delivered, Post, Schedule};

/// The webhook hand as a trait object, so that a test hands in a scripted endpoint.
pub trait Delivers: Send + Sync + 'static {
    /// Posts one notification.
    fn deliver(&self, post: Post) -> BoxFuture<'_, Delivered>;
}

impl<D: Deliver + Send + Sync + 'static> Delivers for D {
    fn deliver(&self, post: Post) -> BoxFuture<'_, Delivered> {
        Box::pin(Deliver::deliver(self, post))
    }
}

/// What a test injects: called with the name of each place in the loops, it may panic there.
pub type Fault = Arc<dyn Fn(&'static str) + Send + Sync>;

/// What an actor may be slowed, stopped or bounded by.
#[derive(Debug, Clone)]
pub struct Limits {
    /// The session machine's.
    pub session: SessionLimits,
    /// What is asked for before a message may leave, where its tenant declares nothing else.
    pub gates: Gates,
    /// An intent's life from its proposal.
    pub intent_deadline: Duration,
    /// How long an unknown outcome waits for a callback.
    pub unknown_after: Micros,
    /// One message to one person each so long, with the burst.
    pub pair: Quota,
    /// A member of a pool that cannot send for so long is left.
    pub failover_after: Micros,
    /// An actor without work is put away after so long.
    pub idle: Micros,
    /// Delays between tries of one notification.
    pub schedule: Schedule,
    /// Notifications in flight to one endpoint.
    pub endpoint_concurrency: usize,
    /// Notifications read from the feeds at once.
    pub endpoint_batch: usize,
    /// Only failures for so long: the endpoint is told nothing more.
    pub disable_after: Micros,
    /// Customers are told of a checkpoint so often.
    pub publish_every: Micros,
    /// Restarts of one actor within the window before it rests for the longest backoff.
    pub restart_budget: u32,
    /// That window.
    pub restart_window: Duration,
    /// First and longest wait before a restart.
    pub restart_backoff: (Duration, Duration),
}

/// Everything an actor needs from below.
#[derive(Clone)]
pub struct Hands {
    /// The truth.
    pub journal: Arc<dyn Journal>,
    /// The rows.
    pub store: Arc<dyn Store>,
    /// Keys and secrets.
    pub vault: Arc<dyn Vault>,
    /// Channels by the name sessions declare.
    pub channels: Arc<HashMap<String, Arc<dyn Channel>>>,
    /// What test sessions and test keys speak to instead.
    pub test_channel: Arc<dyn Channel>,
    /// Customers' endpoints.
    pub webhooks: Arc<dyn Delivers>,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Chance.
    pub entropy: Arc<dyn Entropy>,
    /// May we go on?
    pub health: Arc<Health>,
    /// Who answers for what in this process.
    pub registry: Arc<Registry>,
    /// This process.
    pub node: NodeId,
    /// Bounds.
    pub limits: Arc<Limits>,
    /// Attempts in flight over all sessions: each is an unknown after a crash.
    pub windows: Arc<Egress>,
    /// Faults, in tests.
    pub fault: Option<Fault>,
}

impl Hands {
    /// A place where a test may make the actor die.
    pub fn trip(&self, place: &'static str) {
        if let Some(fault) = &self.fault {
            fault(place);
        }
    }

    /// The time until which an outcome of this category stays unknown before its policy decides.
    #[must_use]
    pub fn unknown_due(&self, category: Category, since: Micros, expires_at: Micros) -> Micros {
        match category {
            Category::Authentication => expires_at,
            _ => since + self.limits.unknown_after,
        }
    }
}
