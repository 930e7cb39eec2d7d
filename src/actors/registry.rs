//! The registry: which actor of this process answers for which tenant, and who wants to hear of a tenant's feed.
//!
//! It saves time, never correctness: a tenant that is not here is asked again, a feed that nobody was told of is swept.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};

use super::endpoint::EndpointBox;
use super::session::SessionBox;
use crate::domain::event::AttemptRef;
use crate::domain::id::{EndpointId, SessionId, TenantId};
use crate::domain::routing;

/// How long rows of another node's partition are believed to follow after they were seen to: so late a word that was recorded and
/// not applied is heeded, and so often a second a node asks how far each partition goes that its messages depend on.
const BELIEVED: Duration = Duration::from_secs(1);

/// A session's question to its tenant's budget.
pub struct Ask {
    /// Who asks: its later question replaces an earlier one.
    pub session: SessionId,
    /// How many it would like, at most.
    pub wanted: u32,
    /// Where the grant goes: how many, for how long. Two nodes' clocks need not agree on a time.
    pub grant: Box<dyn FnOnce(u32, crate::domain::record::Micros) + Send>,
}

impl std::fmt::Debug for Ask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ask").field("wanted", &self.wanted).finish_non_exhaustive()
    }
}

/// Where a tenant's budget takes questions.
pub type Asks = Arc<super::inbox::Inbox<super::tenant::TenantMail>>;

/// The bells of a tenant's feeds: who is told when one grows.
type Bells = HashMap<EndpointId, Arc<EndpointBox>>;

/// The process's index of actors.
#[derive(Default)]
pub struct Registry {
    budgets: RwLock<HashMap<TenantId, Asks>>,
    bells: RwLock<HashMap<TenantId, Bells>>,
    running: RwLock<HashSet<AttemptRef>>,
    boxes: RwLock<HashMap<SessionId, Arc<SessionBox>>>,
    /// What sessions share beside a tenant.
    pub shares: super::session::shared::Shares,
    /// What is stopped.
    pub stops: super::stops::Stops,
    /// Since when events wait to be signed for.
    pub unsealed: super::audit::unsealed::Unsealed,
    /// What is asked of portfolios.
    pub portfolios: super::portfolio::Portfolios,
    /// When the rows of a partition were seen to be up to date, steady time.
    current: RwLock<HashMap<u16, Duration>>,
    /// Who looks at another node's partition: one at a time, for all who want to know.
    looks: Mutex<HashMap<u16, Arc<tokio::sync::Mutex<()>>>>,
    /// Partitions that this process owns.
    owned: RwLock<HashSet<u16>>,
    /// Other nodes own partitions too.
    shared: AtomicBool,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("running", &self.running.read().len()).finish_non_exhaustive()
    }
}

impl Registry {
    /// A tenant's budget takes questions here from now on.
    pub fn budget_at(&self, tenant: TenantId, asks: Asks) {
        self.budgets.write().insert(tenant, asks);
    }

    /// It lives in this process no more.
    pub fn budget_left(&self, tenant: TenantId, asks: &Asks) {
        let mut budgets = self.budgets.write();
        if budgets.get(&tenant).is_some_and(|known| Arc::ptr_eq(known, asks)) {
            budgets.remove(&tenant);
        }
    }

    /// Other nodes own partitions too, or may have.
    pub fn share(&self) {
        self.shared.store(true, Ordering::Relaxed);
    }

    /// Whether they do. Where not, an earlier owner is dead.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.shared.load(Ordering::Relaxed)
    }

    /// This process owns a partition, or no more: then what was seen of its rows says nothing of what comes.
    pub fn set_owned(&self, partition: u16, owned: bool) {
        if owned {
            self.owned.write().insert(partition);
        } else {
            self.owned.write().remove(&partition);
            self.current.write().remove(&partition);
        }
    }

    /// Whether this process owns a partition, as far as it has read.
    #[must_use]
    pub fn owns(&self, partition: u16) -> bool {
        self.owned.read().contains(&partition)
    }

    /// How many partitions this process owns.
    #[must_use]
    pub fn owned(&self) -> usize {
        self.owned.read().len()
    }

    /// Asks a tenant's budget. Nobody there: the caller asks again after its patience.
    pub fn ask(&self, tenant: TenantId, ask: Ask) {
        let asks = self.budgets.read().get(&tenant).cloned();
        if let Some(asks) = asks {
            asks.push(super::tenant::TenantMail::Ask(ask));
        }
    }

    /// Tells an endpoint in this box whenever one of the tenant's feeds grows in this process. The box of an earlier life of
    /// its partition rings no more.
    pub fn listen(&self, tenant: TenantId, endpoint: EndpointId, who: Arc<EndpointBox>) {
        self.bells.write().entry(tenant).or_default().insert(endpoint, who);
    }

    /// Whoever has this box lives in this process no more.
    pub fn listen_no_more(&self, who: &Arc<EndpointBox>) {
        let mut bells = self.bells.write();
        for bells in bells.values_mut() {
            bells.retain(|_, bell| !Arc::ptr_eq(bell, who));
        }
        bells.retain(|_, bells| !bells.is_empty());
    }

    /// The tenant's feed of this partition grew.
    pub fn ring(&self, tenant: TenantId, partition: u16) {
        if let Some(bells) = self.bells.read().get(&tenant) {
            for bell in bells.values() {
                bell.grew(partition);
            }
        }
    }

    /// A session's box: the same one for every life of its actor and of its partition.
    pub fn session_box(&self, session: SessionId) -> Arc<SessionBox> {
        Arc::clone(self.boxes.write().entry(session).or_default())
    }

    /// Puts a session's box away, if it is this one and nothing is under way there. Whoever reads it is over from there on, and
    /// a call that such a one begins all the same is awaited in the box that is here by then.
    pub fn forget_box(&self, session: SessionId, mailbox: &Arc<SessionBox>) {
        let mut boxes = self.boxes.write();
        if boxes.get(&session).is_some_and(|known| Arc::ptr_eq(known, mailbox)) && mailbox.retire() {
            boxes.remove(&session);
        }
    }

    /// A call of a session begins, as its actor knows the box: its end is handed in where the next life looks for it.
    #[must_use]
    pub fn begin_call(&self, session: SessionId, known: &Arc<SessionBox>) -> Arc<SessionBox> {
        let mut mailbox = Arc::clone(known);
        // A box that is put away is here no more, so each round looks at another one.
        while !mailbox.begin_call() {
            mailbox = self.session_box(session);
        }
        mailbox
    }

    /// Sessions of a partition, as of `count` of them, that have something under way in this process.
    #[must_use]
    pub fn under_way_in(&self, partition: u16, count: u16) -> Vec<SessionId> {
        let boxes = self.boxes.read();
        let is_there = |session: SessionId| routing::partition(&session.into(), count) == partition;
        let found = boxes.iter().filter(|(session, mailbox)| is_there(**session) && !mailbox.is_quiet());
        found.map(|(session, _)| *session).collect()
    }

    /// The rows of a partition showed what its journal held at this time, steady, or later.
    pub fn set_current(&self, partition: u16, at: Duration) {
        self.current.write().insert(partition, at);
    }

    /// Whether the rows of a partition follow its journal: before they were seen to, they may be those of long ago, as while they
    /// are rebuilt. Who owns it follows at once; of another node's it is believed for a moment, for nobody may own it by now.
    #[must_use]
    pub fn is_current(&self, partition: u16, now: Duration) -> bool {
        let seen = self.current.read().get(&partition).copied();
        seen.is_some_and(|seen| self.owns(partition) || now.saturating_sub(seen) < BELIEVED)
    }

    /// Whose turn it is to look whether another node's partition follows.
    #[must_use]
    pub fn look(&self, partition: u16) -> Arc<tokio::sync::Mutex<()>> {
        Arc::clone(self.looks.lock().entry(partition).or_default())
    }

    /// A task of this process is making this attempt.
    pub fn begin(&self, of: AttemptRef) {
        self.running.write().insert(of);
    }

    /// It has its answer.
    pub fn end(&self, of: AttemptRef) {
        self.running.write().remove(&of);
    }

    /// Whether a task of this process is making this attempt.
    #[must_use]
    pub fn is_running(&self, of: AttemptRef) -> bool {
        self.running.read().contains(&of)
    }

    /// Whether no attempt is under way and every outcome is in the journal.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.running.read().is_empty() && self.boxes.read().values().all(|mailbox| mailbox.unrecorded().is_empty())
    }

    /// Attempts this process is making.
    #[must_use]
    pub fn running(&self) -> usize {
        self.running.read().len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_begins_after_its_box_was_put_away_is_awaited_where_the_next_life_looks() {
        let (registry, session) = (Registry::default(), SessionId([3; 16]));
        let old = registry.session_box(session);
        // A life of the partition puts it away, and a session of it is in the middle of its turn.
        registry.forget_box(session, &old);
        let where_it_ends = registry.begin_call(session, &old);
        let next = registry.session_box(session);
        assert!(Arc::ptr_eq(&where_it_ends, &next) && !next.is_quiet());
        assert_eq!(registry.under_way_in(0, 1), [session]);
        registry.forget_box(session, &next);
        assert!(Arc::ptr_eq(&registry.session_box(session), &next), "something is under way");
        next.end_call();
        registry.forget_box(session, &old);
        assert!(Arc::ptr_eq(&registry.session_box(session), &next), "another box of the session");
        registry.forget_box(session, &next);
        assert!(!Arc::ptr_eq(&registry.session_box(session), &next));
    }

    #[test]
    fn an_endpoint_has_one_bell_however_often_its_partition_lived() {
        let (registry, tenant) = (Registry::default(), TenantId([1; 16]));
        let boxes = [(); 3].map(|()| Arc::new(EndpointBox::default()));
        for mailbox in &boxes {
            registry.listen(tenant, EndpointId([2; 16]), Arc::clone(mailbox));
        }
        assert_eq!(registry.bells.read()[&tenant].len(), 1);
        assert_eq!([0, 1, 2].map(|n| Arc::strong_count(&boxes[n])), [1, 1, 2], "the last one is kept");
    }
}
