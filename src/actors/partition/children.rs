//! What lives in a partition: starting it, finding it, and letting it live again after it died.

mod alone;
mod attended;
mod ended;

use std::collections::HashMap;
use std::sync::Arc;

use ractor::{ActorId, ActorProcessingErr, ActorRef};

use super::Notice;
use super::actor::{Phase, State};
use crate::actors::endpoint::{Endpoint, EndpointArgs, EndpointBox, EndpointMail};
use crate::actors::hands::Hands;
use crate::actors::inbox::{Inbox, Nudge};
use crate::actors::session::standing::Tenure;
use crate::actors::session::{Session, SessionArgs, SessionBox, SessionMail};
use crate::actors::tenant::TenantMail;
use crate::domain::address::{Address, AddressKind};
use crate::domain::gate::GatesRow;
use crate::domain::id::{EndpointId, SessionId, TenantId};
use crate::domain::projection::{AuditNote, FeedRow};
use crate::domain::record::Position;
use crate::domain::routing;
use crate::domain::row::{Row, RowId, SessionRow};
use crate::runtime::restart::{Deaths, RestartLimits};
use crate::store::rows as stored;

/// A child's mail outlives it.
enum Mailbox {
    Session(Arc<SessionBox>),
    Endpoint(Arc<EndpointBox>),
    Tenant(Arc<Inbox<TenantMail>>),
    Audit(Arc<Inbox<AuditNote>>),
}

#[derive(Default)]
struct Child {
    actor: Option<ActorRef<Nudge>>,
    mailbox: Option<Mailbox>,
    deaths: Deaths,
    /// Between a death and the next life.
    resting: bool,
}

/// The children of one partition.
#[derive(Default)]
pub struct Children {
    by_address: HashMap<Address, Child>,
    by_actor: HashMap<ActorId, Address>,
}

impl Children {
    /// Whether an actor lives at this address.
    #[must_use]
    pub fn lives(&self, address: Address) -> bool {
        self.by_address.get(&address).is_some_and(|child| child.actor.is_some())
    }

    /// Whether it died and waits for its next life.
    #[must_use]
    pub fn rests(&self, address: Address) -> bool {
        self.by_address.get(&address).is_some_and(|child| child.resting)
    }

    /// A session's box; it is kept in the registry too, so that answers outlive the partition's actor.
    pub fn session_box(&mut self, hands: &Hands, session: SessionId) -> Arc<SessionBox> {
        let child = self.by_address.entry(session.into()).or_default();
        if let Some(Mailbox::Session(mailbox)) = &child.mailbox {
            return Arc::clone(mailbox);
        }
        let mailbox = hands.registry.session_box(session);
        mailbox.adopt();
        child.mailbox = Some(Mailbox::Session(Arc::clone(&mailbox)));
        mailbox
    }

    /// Tells an endpoint, if it lives.
    pub fn tell_endpoint(&self, endpoint: EndpointId, mail: EndpointMail) {
        if let Some(Mailbox::Endpoint(mailbox)) = self.mailbox(endpoint.into()) {
            mailbox.inbox.push(mail);
        }
    }

    /// Tells a tenant, if it lives.
    pub fn tell_tenant(&self, tenant: TenantId, mail: TenantMail) {
        if let Some(Mailbox::Tenant(inbox)) = self.mailbox(tenant.into()) {
            inbox.push(mail);
        }
    }

    /// Tells the audit, if it lives.
    pub fn tell_audit(&self, audit: Address, note: AuditNote) {
        if let Some(Mailbox::Audit(inbox)) = self.mailbox(audit) {
            inbox.push(note);
        }
    }

    /// Tells every session that has a box: its next life reads on there.
    pub fn tell_sessions(&self, gates: &Arc<GatesRow>) {
        for child in self.by_address.values() {
            if let Some(Mailbox::Session(mailbox)) = &child.mailbox {
                mailbox.inbox.push(SessionMail::Gates(Arc::clone(gates)));
            }
        }
    }

    fn mailbox(&self, address: Address) -> Option<&Mailbox> {
        self.by_address.get(&address)?.mailbox.as_ref()
    }

    /// Sessions that have a box but no life: somebody may have pushed while the last one ended.
    #[must_use]
    pub fn waiting(&self) -> Vec<Address> {
        let idle = |child: &Child| child.actor.is_none() && !child.resting && child.has_mail();
        self.by_address.iter().filter(|(_, child)| idle(child)).map(|(address, _)| *address).collect()
    }

    /// Nudges everybody with a tick.
    pub fn sweep(&self) {
        for child in self.by_address.values().filter(|child| child.actor.is_some()) {
            match &child.mailbox {
                Some(Mailbox::Session(mailbox)) => mailbox.inbox.push(SessionMail::Tick),
                Some(Mailbox::Endpoint(mailbox)) => mailbox.inbox.push(EndpointMail::Tick),
                Some(Mailbox::Tenant(inbox)) => inbox.nudge(),
                Some(Mailbox::Audit(inbox)) => inbox.nudge(),
                None => {}
            }
        }
    }

    pub(super) fn born(&mut self, address: Address, actor: ActorRef<Nudge>) {
        self.by_actor.insert(actor.get_id(), address);
        let child = self.by_address.entry(address).or_default();
        child.actor = Some(actor);
        child.resting = false;
    }
}

impl Child {
    fn has_mail(&self) -> bool {
        match &self.mailbox {
            Some(Mailbox::Session(mailbox)) => mailbox.has_work(),
            _ => false,
        }
    }
}

impl State {
    /// The partition is ours: whatever has work comes to life.
    pub(super) async fn start_living(&mut self, myself: &ActorRef<Nudge>) -> Result<(), ActorProcessingErr> {
        let Phase::Owning(tenure) = self.phase else {
            return Ok(());
        };
        tracing::debug!(partition = self.number, epoch = tenure.epoch.0, "owned");
        self.hands.registry.stops.set_gates(self.number, self.gates());
        self.learn_stops().await?;
        self.hands.registry.stops.set_lost(self.number, false);
        self.hands.registry.set_owned(self.number, true);
        self.seats.lock().won(self.number);
        self.hands.trip("partition:begins");
        let store = Arc::clone(&self.store);
        for kind in ["tenant", "endpoint"] {
            let mut after = None;
            loop {
                let page = stored::names(store.as_ref(), kind, self.number, after.as_ref(), 1_000).await?;
                for named in &page {
                    let kind = if kind == "tenant" { AddressKind::Tenant } else { AddressKind::Endpoint };
                    self.ensure(Address { kind, id: named.id }, myself).await?;
                }
                after = page.last().cloned();
                if after.is_none() {
                    break;
                }
            }
        }
        self.begin_sealing().await?;
        let genesis = self.hands.journal.genesis();
        let audit = Address::audit(genesis.installation);
        if routing::partition(&audit, genesis.count) == self.number {
            self.ensure(audit, myself).await?;
        }
        let through = self.applied.unwrap_or_default();
        let open = stored::open_sessions(store.as_ref(), self.number).await?;
        self.take_over_lows(&open);
        for (session, low) in open {
            self.children.session_box(&self.hands, session).begin_cold(low, through);
            self.start_session(session, tenure, myself).await?;
        }
        Ok(())
    }

    pub(super) async fn start_session(
        &mut self,
        session: SessionId,
        tenure: Tenure,
        myself: &ActorRef<Nudge>,
    ) -> Result<(), ActorProcessingErr> {
        let Some(Row::Session(row)) = self.read(RowId::Session(session)).await? else {
            tracing::warn!(%session, "a message names a session that is not declared");
            return Ok(());
        };
        if row.is_pool() {
            return self.start_pool(session, row, myself).await;
        }
        self.hands.registry.stops.set_suspended(session, row.suspended.is_some());
        let mailbox = self.children.session_box(&self.hands, session);
        // What an earlier life had in memory is in the outbox; the box's mail alone would miss it.
        if let Some(low) = self.lowest(session).await? {
            mailbox.begin_cold(low, self.reached.unwrap_or_default());
            self.pending.cold.insert(session);
        }
        self.spawn_session((session, row), tenure, None, myself).await;
        Ok(())
    }

    /// A life of a session; `left` says that the partition is left, and whether its claim is lost.
    async fn spawn_session(
        &mut self,
        (session, row): (SessionId, SessionRow),
        tenure: Tenure,
        left: Option<bool>,
        myself: &ActorRef<Nudge>,
    ) {
        let args = SessionArgs {
            session,
            partition: self.number,
            row,
            tenure,
            left,
            mailbox: self.children.session_box(&self.hands, session),
            wheel: Arc::clone(&self.wheel),
            notices: Arc::clone(&self.notices),
            gates: self.gates(),
            hands: self.hands.clone(),
        };
        match myself.spawn_linked(None, Session, args).await {
            Ok((actor, _)) => self.children.born(session.into(), actor),
            Err(error) => self.stillborn(session.into(), &error.to_string()),
        }
    }

    pub(super) async fn lowest(&self, session: SessionId) -> Result<Option<Position>, crate::store::StoreError> {
        if let Some(low) = self.lows.get(&session) {
            return Ok(*low);
        }
        if !self.open.contains_key(&session) {
            return Ok(None);
        }
        let open = stored::open_session(self.store.as_ref(), self.number, session).await?;
        Ok(open.or(Some(Position(0))))
    }

    pub(super) async fn start_endpoint(
        &mut self,
        endpoint: EndpointId,
        myself: &ActorRef<Nudge>,
    ) -> Result<(), ActorProcessingErr> {
        let Some(Row::Endpoint(row)) = self.read(RowId::Endpoint(endpoint)).await? else {
            return Ok(());
        };
        let mailbox = match self.children.mailbox(endpoint.into()) {
            Some(Mailbox::Endpoint(mailbox)) => Arc::clone(mailbox),
            _ => Arc::default(),
        };
        let child = self.children.by_address.entry(endpoint.into()).or_default();
        if child.mailbox.is_none() {
            self.hands.registry.listen(row.tenant, endpoint, Arc::clone(&mailbox));
            child.mailbox = Some(Mailbox::Endpoint(Arc::clone(&mailbox)));
        }
        let args = EndpointArgs {
            endpoint,
            partition: self.number,
            row,
            mailbox,
            wheel: Arc::clone(&self.wheel),
            hands: self.hands.clone(),
        };
        match myself.spawn_linked(None, Endpoint, args).await {
            Ok((actor, _)) => self.children.born(endpoint.into(), actor),
            Err(error) => self.stillborn(endpoint.into(), &error.to_string()),
        }
        Ok(())
    }

    /// A child ended: of its own accord, or it died and may live again after a wait.
    pub(super) fn child_ended(&mut self, who: ActorId, died: Option<String>) {
        let Some(address) = self.children.by_actor.remove(&who) else {
            return;
        };
        if let Some(child) = self.children.by_address.get_mut(&address) {
            child.actor = None;
        }
        match died {
            Some(why) => self.stillborn(address, &why),
            None if address.kind == AddressKind::Session => {
                self.notices.push(Notice::Ended(SessionId(address.id)));
            }
            None => {}
        }
    }

    /// A session ended of its own accord. One that has something under way lives again at once: a life that was over in the
    /// middle of its calls left them to the next one, and in another box nobody would find their answers. While the partition is
    /// left it is [attended](State::attend).
    pub(super) async fn session_ended(
        &mut self,
        session: SessionId,
        myself: &ActorRef<Nudge>,
    ) -> Result<(), ActorProcessingErr> {
        let address = Address::from(session);
        if self.children.lives(address) || !matches!(self.phase, Phase::Owning(_)) {
            return Ok(());
        }
        if self.open.contains_key(&session) || self.children.by_address.get(&address).is_some_and(Child::has_mail) {
            return self.ensure(address, myself).await;
        }
        let mailbox = self.children.by_address.remove(&address).and_then(|child| child.mailbox);
        if let Some(Mailbox::Session(mailbox)) = mailbox {
            self.hands.registry.forget_box(session, &mailbox);
        }
        Ok(())
    }

    pub(super) fn stillborn(&mut self, address: Address, why: &str) {
        let limits = RestartLimits {
            budget: self.hands.limits.restart_budget,
            window: self.hands.limits.restart_window,
            base: self.hands.limits.restart_backoff.0,
            cap: self.hands.limits.restart_backoff.1,
        };
        let child = self.children.by_address.entry(address).or_default();
        let wait = child.deaths.died(self.hands.clock.steady(), self.hands.entropy.number(), &limits);
        child.resting = true;
        tracing::error!(
            ?address,
            why,
            deaths = child.deaths.count(),
            ?wait,
            "an actor died; it lives again after a wait"
        );
        crate::telemetry::restarted(address.kind);
        let notices = Arc::clone(&self.notices);
        crate::runtime::spawn("restart", async move {
            tokio::time::sleep(wait).await;
            notices.push(Notice::Restart(address));
        });
    }

    /// The wait is over.
    pub(super) async fn revive(
        &mut self,
        address: Address,
        myself: &ActorRef<Nudge>,
    ) -> Result<(), ActorProcessingErr> {
        if let Some(child) = self.children.by_address.get_mut(&address) {
            child.resting = false;
        }
        self.ensure(address, myself).await
    }

    /// A session says from where on its outbox is unsettled. What it has not seen yet is unsettled too.
    pub(super) fn note_low(&mut self, session: SessionId, low: Option<Position>, seen: Position) {
        let unseen = self.open.get(&session).is_some_and(|last| *last > seen);
        let low = if unseen { Some(low.map_or(seen.next(), |low| low.min(seen.next()))) } else { low };
        self.lows.insert(session, low);
        match low {
            None => drop(self.open.remove(&session)),
            // A message may be unsettled again that was settled: whoever looks for this session's next life finds it.
            Some(low) => _ = self.open.entry(session).or_insert(low),
        }
    }

    /// Counts what became of a message; not again while what stood in the journal at the start is applied.
    pub(super) fn count(&self, row: &FeedRow) {
        if self.owns() && row.kind.is_outcome() {
            crate::telemetry::became(row.kind, &row.class);
        }
    }

    /// Writes low-water marks that no commit took along.
    pub(super) async fn write_lows(&mut self) -> Result<(), crate::store::StoreError> {
        let Some(through) = self.applied else {
            return Ok(());
        };
        let lows = std::mem::take(&mut self.lows);
        let put = |(session, low)| stored::put_open_session(self.number, session, low, through);
        let marks = self.arrivals.take_marks(self.number, through);
        let puts = lows.into_iter().map(put).chain(marks).collect();
        self.write(through, puts, Vec::new()).await.map(|_| ())
    }
}
