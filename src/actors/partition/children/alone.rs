//! Children that live for as long as their partition is owned: tenants, and the audit.

use std::sync::Arc;

use ractor::{ActorProcessingErr, ActorRef};

use super::Mailbox;
use crate::actors::audit::{Audit, AuditArgs};
use crate::actors::inbox::Nudge;
use crate::actors::partition::actor::State;
use crate::actors::tenant::{Tenant, TenantArgs};
use crate::domain::address::Address;
use crate::domain::id::TenantId;
use crate::domain::row::{Row, RowId};

impl State {
    pub(in super::super) async fn start_tenant(
        &mut self,
        tenant: TenantId,
        myself: &ActorRef<Nudge>,
    ) -> Result<(), ActorProcessingErr> {
        let Some(Row::Tenant(row)) = self.read(RowId::Tenant(tenant)).await? else {
            return Ok(());
        };
        let inbox = match self.children.mailbox(tenant.into()) {
            Some(Mailbox::Tenant(inbox)) => Arc::clone(inbox),
            _ => Arc::default(),
        };
        self.hands.registry.budget_at(tenant, Arc::clone(&inbox));
        self.children.by_address.entry(tenant.into()).or_default().mailbox = Some(Mailbox::Tenant(Arc::clone(&inbox)));
        let asks = match self.read(RowId::Asks(tenant)).await? {
            Some(Row::Asks(asks)) => asks,
            _ => Box::default(),
        };
        let campaigns = match self.read(RowId::Campaigns(tenant)).await? {
            Some(Row::Campaigns(campaigns)) => campaigns,
            _ => Box::default(),
        };
        let (wheel, hands) = (Arc::clone(&self.wheel), self.hands.clone());
        let args = TenantArgs { tenant, row, asks, campaigns, partition: self.number, inbox, wheel, hands };
        match myself.spawn_linked(None, Tenant, args).await {
            Ok((actor, _)) => self.children.born(tenant.into(), actor),
            Err(error) => self.stillborn(tenant.into(), &error.to_string()),
        }
        Ok(())
    }

    pub(in super::super) async fn start_audit(&mut self, myself: &ActorRef<Nudge>) -> Result<(), ActorProcessingErr> {
        let audit = Address::audit(self.hands.journal.genesis().installation);
        // What it is told from here on stands in the row too, or comes after it.
        let row = match self.read(RowId::Instance(())).await? {
            Some(Row::Instance(row)) => row,
            _ => Box::default(),
        };
        let inbox = match self.children.mailbox(audit) {
            Some(Mailbox::Audit(inbox)) => Arc::clone(inbox),
            _ => Arc::default(),
        };
        self.children.by_address.entry(audit).or_default().mailbox = Some(Mailbox::Audit(Arc::clone(&inbox)));
        let args = AuditArgs { partition: self.number, row, inbox, hands: self.hands.clone() };
        match myself.spawn_linked(None, Audit, args).await {
            Ok((actor, _)) => self.children.born(audit, actor),
            Err(error) => self.stillborn(audit, &error.to_string()),
        }
        Ok(())
    }
}
