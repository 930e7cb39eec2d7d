//! Whom an event concerns: notes of applied events become mail of the actors that live here.

use std::collections::BTreeSet;

use ractor::{ActorProcessingErr, ActorRef};

use super::actor::{Phase, State};
use super::apply::Told;
use crate::actors::endpoint::EndpointMail;
use crate::actors::inbox::Nudge;
use crate::actors::lease;
use crate::actors::session::SessionMail;
use crate::actors::session::standing::{MessageRef, Tenure, standing};
use crate::actors::tenant::TenantMail;
use crate::domain::address::{Address, AddressKind};
use crate::domain::gate::GatesRow;
use crate::domain::id::{EventId, MessageId, SessionId, TenantId};
use crate::domain::projection::{AuditNote, Note};
use crate::domain::record::Position;
use crate::domain::row::{Row, RowId};
use crate::domain::session::Standing;
use crate::store::{StoreError, rows as stored};

impl State {
    /// Tells everybody, and nudges each once; whoever reads the store is told with the commit.
    pub(super) async fn dispatch(
        &mut self,
        told: Vec<Told>,
        tenure: Tenure,
        myself: &ActorRef<Nudge>,
    ) -> Result<(), ActorProcessingErr> {
        let (mut sessions, mut moved) = (BTreeSet::new(), false);
        for Told { position, event, note } in told {
            match note {
                Note::Queued { session, message } => {
                    if self.offer(position, session, message, tenure).await? {
                        sessions.insert(session);
                    }
                }
                Note::MessageChanged { session, message } => {
                    let (now, reference) = self.standing(message, tenure).await?;
                    if now == Standing::Settled && !self.children.lives(session.into()) {
                        continue;
                    }
                    let mailbox = self.children.session_box(&self.hands, session);
                    mailbox.inbox.put(SessionMail::Standing(message, now, reference));
                    sessions.insert(session);
                }
                Note::Intents { session, judged, .. } => {
                    self.children.session_box(&self.hands, session).inbox.put(SessionMail::Judged(event, judged));
                    sessions.insert(session);
                }
                Note::SessionStarted { session, incarnation } => {
                    self.children.session_box(&self.hands, session).inbox.put(SessionMail::Started(event, incarnation));
                    sessions.insert(session);
                }
                note @ (Note::SessionChanged(session) | Note::SessionReleased(session) | Note::Received(session)) => {
                    if self.tell_session(session, &note).await? {
                        sessions.insert(session);
                    }
                }
                Note::FeedGrew(tenant) => _ = self.pending.grown.insert(tenant),
                Note::TenantChanged(tenant) => {
                    self.tell_tenant(tenant, RowId::Tenant(tenant), myself).await?;
                }
                Note::EndpointChanged(endpoint) => {
                    self.ensure(endpoint.into(), myself).await?;
                    if let Some(Row::Endpoint(row)) = self.read(RowId::Endpoint(endpoint)).await? {
                        self.children.tell_endpoint(endpoint, EndpointMail::Row(Box::new(row)));
                    }
                }
                Note::GatesChanged => self.children.tell_sessions(&self.gates()),
                Note::GatesAsked(tenant) => self.tell_tenant(tenant, RowId::Asks(tenant), myself).await?,
                Note::CampaignsChanged(tenant) => self.tell_tenant(tenant, RowId::Campaigns(tenant), myself).await?,
                Note::PortfolioRaised(_) => self.hands.registry.portfolios.raise(),
                Note::MovedOut => moved = true,
                Note::ErasuresChanged => self.erasing.changed(),
                Note::Audit(note) => self.tell_audit(note, myself).await?,
                note @ (Note::LeaseAsked { .. } | Note::LeaseGranted { .. }) => {
                    sessions.extend(self.tell_of_lease(event, &note, myself).await?);
                }
                Note::Claimed { .. } | Note::ContactChanged(_) => {}
            }
        }
        for session in sessions {
            self.ensure(session.into(), myself).await?;
            self.children.session_box(&self.hands, session).inbox.nudge();
        }
        if moved {
            self.arrive().await?;
        }
        self.forget_next().await?;
        Ok(())
    }

    /// A session and its tenant live on two nodes. Says which session has mail.
    async fn tell_of_lease(
        &mut self,
        event: EventId,
        note: &Note,
        myself: &ActorRef<Nudge>,
    ) -> Result<Option<SessionId>, ActorProcessingErr> {
        match *note {
            Note::LeaseAsked { tenant, session, wanted } => {
                self.ensure(tenant.into(), myself).await?;
                let ask = lease::asked(&self.hands, event, (session, wanted));
                self.children.tell_tenant(tenant, TenantMail::Ask(ask));
                Ok(None)
            }
            Note::LeaseGranted { session, amount, lasts } if self.children.lives(session.into()) => {
                let mailbox = self.children.session_box(&self.hands, session);
                mailbox.inbox.put(SessionMail::Lent(event, amount, lasts));
                Ok(Some(session))
            }
            _ => Ok(None),
        }
    }

    async fn tell_audit(&mut self, note: AuditNote, myself: &ActorRef<Nudge>) -> Result<(), ActorProcessingErr> {
        let audit = Address::audit(self.hands.journal.genesis().installation);
        self.ensure(audit, myself).await?;
        self.children.tell_audit(audit, note);
        Ok(())
    }

    /// What a tenant's actor hears of itself: a row of its own changed.
    async fn tell_tenant(
        &mut self,
        tenant: TenantId,
        row: RowId,
        myself: &ActorRef<Nudge>,
    ) -> Result<(), ActorProcessingErr> {
        self.ensure(tenant.into(), myself).await?;
        let mail = match self.read(row).await? {
            Some(Row::Tenant(row)) => TenantMail::Row(row),
            Some(Row::Asks(row)) => TenantMail::Asks(row),
            Some(Row::Campaigns(row)) => TenantMail::Campaigns(row),
            _ => return Ok(()),
        };
        self.children.tell_tenant(tenant, mail);
        Ok(())
    }

    /// What a session's actor hears of itself, if it lives. Says whether there is something for it to do.
    async fn tell_session(&mut self, session: SessionId, note: &Note) -> Result<bool, StoreError> {
        if !self.children.lives(session.into()) {
            return Ok(false);
        }
        let mailbox = self.children.session_box(&self.hands, session);
        match note {
            Note::SessionReleased(_) => mailbox.inbox.put(SessionMail::Released),
            // One that rests begins without a burst, whatever it received.
            Note::Received(_) => {
                mailbox.receive();
                return Ok(false);
            }
            _ => match self.read(RowId::Session(session)).await? {
                Some(Row::Session(row)) => mailbox.inbox.put(SessionMail::Row(Box::new(row))),
                _ => return Ok(false),
            },
        }
        Ok(true)
    }

    /// A message entered the outbox at this position: says whether its session has mail now. What its ring does not take
    /// is found in the outbox, once that is committed.
    async fn offer(
        &mut self,
        position: Position,
        session: SessionId,
        message: MessageId,
        tenure: Tenure,
    ) -> Result<bool, StoreError> {
        let (now, reference) = self.standing(message, tenure).await?;
        let ring = self.hands.limits.session.ring;
        let mailbox = self.children.session_box(&self.hands, session);
        let mail = || SessionMail::Standing(message, now, reference);
        let Standing::Queued(queued) = now else {
            // Called off, or under way, in the same batch: it takes nobody's place.
            mailbox.inbox.put(mail());
            return Ok(true);
        };
        let taken = mailbox.offer(position, ring, queued.priority, mail);
        if !taken {
            self.pending.cold.insert(session);
        }
        Ok(taken)
    }

    /// A session asked to see a row again.
    pub(super) async fn look(&mut self, session: SessionId, message: MessageId) -> Result<(), StoreError> {
        let Phase::Owning(tenure) = self.phase else {
            return Ok(());
        };
        let (now, reference) = self.standing(message, tenure).await?;
        let mailbox = self.children.session_box(&self.hands, session);
        mailbox.inbox.push(SessionMail::Standing(message, now, reference));
        Ok(())
    }

    /// Each second: every nudge has a sweep, and whoever has work is alive.
    pub(super) async fn sweep(&mut self, myself: &ActorRef<Nudge>) -> Result<(), ActorProcessingErr> {
        self.end_overtaken();
        if !matches!(self.phase, Phase::Owning(_)) {
            return Ok(());
        }
        for address in self.children.waiting() {
            self.ensure(address, myself).await?;
        }
        self.children.sweep();
        self.commit().await?;
        self.release_due().await?;
        self.arrive().await?;
        self.release_early().await?;
        self.let_out().await?;
        self.forget_next().await?;
        self.drop_due().await?;
        self.sweep_sealing().await?;
        if !self.lows.is_empty() || self.arrivals.has_marks() {
            self.write_lows().await?;
        }
        Ok(())
    }

    /// Where a message stands, as applied.
    async fn standing(&self, id: MessageId, tenure: Tenure) -> Result<(Standing, Option<MessageRef>), StoreError> {
        let nothing = (Standing::Settled, None);
        let (key, open) = (RowId::Message(id), GatesRow::default());
        let gates = self.rows.gates(self.number).unwrap_or(&open);
        if self.rows.knows(&key) {
            return Ok(self.rows.message(id).map_or(nothing, |row| standing(id, row, tenure, &self.hands, gates)));
        }
        Ok(match stored::get(self.store.as_ref(), &key).await? {
            Some(Row::Message(row)) => standing(id, &row, tenure, &self.hands, gates),
            _ => nothing,
        })
    }

    /// A row as applied: from memory if it is at hand, and what is not committed is.
    pub(super) async fn read(&self, id: RowId) -> Result<Option<Row>, StoreError> {
        if self.rows.knows(&id) {
            return Ok(self.rows.get(&id).cloned());
        }
        stored::get(self.store.as_ref(), &id).await
    }

    /// Starts the actor of an address unless it lives.
    pub(super) async fn ensure(
        &mut self,
        address: Address,
        myself: &ActorRef<Nudge>,
    ) -> Result<(), ActorProcessingErr> {
        let Phase::Owning(tenure) = self.phase else {
            return Ok(());
        };
        if self.children.lives(address) || self.children.rests(address) {
            return Ok(());
        }
        match address.kind {
            AddressKind::Session => self.start_session(SessionId(address.id), tenure, myself).await,
            AddressKind::Endpoint => self.start_endpoint(crate::domain::id::EndpointId(address.id), myself).await,
            AddressKind::Tenant => self.start_tenant(TenantId(address.id), myself).await,
            AddressKind::Audit => self.start_audit(myself).await,
            _ => Ok(()),
        }
    }
}
