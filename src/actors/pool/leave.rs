//! Fetching back what waits at a member that cannot send for too long.
//!
//! The member's outbox is read as its session reads it, from its low mark; each of the pool's messages in it that may move is
//! asked to come back, by an event in that session's own mailbox, where its intents stand: so it is either sent there or
//! comes back, and never both. What is under way, or may have been sent, stays; what is to the same person behind a strict
//! one of these, or behind an attempt that is open, waits for it.

use super::actor::State;
use crate::domain::event::{MessageMovedOutV1, Priority};
use crate::domain::id::{MessageId, SessionId};
use crate::domain::pool::{Ability, Taking};
use crate::domain::record::{Position, Record};
use crate::domain::routing;
use crate::domain::row::{Row, RowId};
use crate::store::{StoreError, rows};

/// Messages that are looked at at once.
const PAGE: usize = 256;

impl State {
    /// Goes through the members that are left, or are about to be.
    pub(super) async fn leave(&mut self) -> Result<(), StoreError> {
        let failing = |ability| matches!(ability, Ability::Leaving | Ability::Left);
        let members: Vec<SessionId> =
            self.members.iter().filter(|member| failing(member.ability)).map(|member| member.session).collect();
        for member in members {
            let busy = self.fetch(member).await?;
            self.watch.fetched(member, !busy, self.args.hands.clock.wall());
        }
        Ok(())
    }

    /// Fetches back what waits at one member. Says whether there was something, or may be in a moment.
    async fn fetch(&mut self, member: SessionId) -> Result<bool, StoreError> {
        let there = routing::partition(&member.into(), self.args.hands.journal.genesis().count);
        let store = std::sync::Arc::clone(&self.args.hands.store);
        let (Some(through), low) =
            (store.applied(there).await?, rows::open_session(store.as_ref(), there, member).await?)
        else {
            return Ok(true);
        };
        let (mut taking, mut some) = (Taking::default(), false);
        for priority in Priority::ALL {
            let mut from = low.unwrap_or(through.next());
            while from <= through {
                let page = rows::outbox(store.as_ref(), (member, priority), from, through, PAGE).await?;
                let Some(last) = page.last().map(|(position, _)| *position) else {
                    break;
                };
                let records = self.coming_back(member, &page, &mut taking).await?;
                some |= !records.is_empty();
                self.args.hands.trip("pool:leave");
                if !self.record(there, records).await? {
                    return Ok(true);
                }
                from = last.next();
            }
        }
        self.returned = true;
        Ok(some || taking.under_way)
    }

    async fn coming_back(
        &mut self,
        member: SessionId,
        page: &[(Position, MessageId)],
        taking: &mut Taking,
    ) -> Result<Vec<Record>, StoreError> {
        let ids: Vec<RowId> = page.iter().map(|(_, message)| RowId::Message(*message)).collect();
        let found = rows::get_many(self.args.hands.store.as_ref(), &ids).await?;
        let mut records = Vec::new();
        for ((position, message), row) in page.iter().zip(found) {
            let Some(Row::Message(row)) = row else { continue };
            let Some(accepted) = &row.accepted else { continue };
            let Some(leg) = accepted.leg.as_ref().filter(|leg| leg.sender == self.args.pool) else { continue };
            if !taking.may_go(&row, *position) {
                continue;
            }
            let facts = MessageMovedOutV1 {
                session: member,
                message: *message,
                number: row.moves.saturating_add(1),
                to: self.args.pool,
                leg: leg.from,
                person: None,
                reason: None,
            };
            records.extend(self.move_out(accepted.tenant, facts));
        }
        Ok(records)
    }
}
