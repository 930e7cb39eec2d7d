//! The pool's outbox, page by page, to its members.
//!
//! A pass goes through urgent messages before all others. What came back from a member that was left goes before what was
//! never handed on: all of it was accepted before. A page's moves are read back before the next page is looked at, so who was
//! given a session a moment ago keeps it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use super::actor::State;
use crate::actors::partition::Notice;
use crate::domain::event::{Event, MessageExpiredV1, MessageMovedOutV1, Priority};
use crate::domain::id::{KeyId, MessageId, SessionId};
use crate::domain::message::State as Standing;
use crate::domain::pool::{Ability, Member, Probe, choose};
use crate::domain::record::{Position, Record};
use crate::domain::routing;
use crate::domain::row::{MessageRow, Row, RowId, StickyId, StickyRow};
use crate::store::{StoreError, rows};

/// Messages that are looked at at once.
const PAGE: usize = 256;

/// How soon what stays here is looked at again.
const LOOK: Duration = Duration::from_secs(1);

/// The same while the pool is stopped, and may hold a million.
const REST: Duration = Duration::from_secs(30);

/// The last pass from the first message that is here.
#[derive(Debug)]
pub(super) struct Whole {
    at: Duration,
    able: Vec<Ability>,
    pass: Pass,
}

fn abilities(members: &[Member]) -> Vec<Ability> {
    members.iter().map(|member| member.ability).collect()
}

/// What a pass is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pass {
    /// What came back.
    Returned,
    /// Everything.
    All,
    /// Nothing but what has expired.
    Expired,
}

impl State {
    /// Hands on what is here.
    pub(super) async fn route(&mut self) -> Result<(), StoreError> {
        self.go_through(Pass::All, LOOK).await
    }

    /// Hands nothing on; what has no time left ends.
    pub(super) async fn expire(&mut self) -> Result<(), StoreError> {
        self.go_through(Pass::Expired, REST).await
    }

    /// What stays here is looked at now and then, and whenever a member's ability changes: it goes before what is new to the
    /// same people, who wait for it as long as that is so.
    async fn go_through(&mut self, pass: Pass, again: Duration) -> Result<(), StoreError> {
        let Some(seen) = self.args.hands.store.applied(self.args.partition).await? else {
            return Ok(());
        };
        let (at, able) = (self.args.hands.clock.steady(), abilities(&self.members));
        let same = |last: &Whole| (last.pass, &last.able) == (pass, &able) && at.saturating_sub(last.at) < again;
        // Taken: until it is done, the next one is whole too.
        let last = self.whole.take().filter(same);
        let from = if last.is_some() { self.fresh } else { self.low };
        if pass == Pass::All && self.returned {
            let Some(left) = self.pass(Pass::Returned, from).await? else {
                return Ok(());
            };
            // What was asked to come back may be on its way.
            self.returned = left.is_some() || self.is_leaving() || last.is_some();
        }
        let Some(left) = self.pass(pass, from).await? else {
            return Ok(());
        };
        if pass == Pass::All {
            self.unsure.clear();
        }
        let kept = if self.low < from { Some(self.low) } else { left };
        self.whole = Some(last.unwrap_or(Whole { at, able, pass }));
        self.fresh = seen.next().max(self.fresh);
        self.low = kept.unwrap_or(self.fresh);
        Priority::ALL.into_iter().for_each(|priority| self.args.mailbox.pulled(self.life, priority, seen));
        // Never none: a pool with nothing here may have messages at its members, and lives for their sake.
        self.args.notices.push(Notice::Low { session: self.args.pool, low: Some(self.low), seen });
        Ok(())
    }

    /// Goes through the outbox; says where the first message stands that this pass was for and that is still here. `None`: it
    /// was broken off, because moves could not be recorded.
    async fn pass(&mut self, pass: Pass, begin: Position) -> Result<Option<Option<Position>>, StoreError> {
        let (pool, store) = (self.args.pool, Arc::clone(&self.args.hands.store));
        let Some(through) = store.applied(self.args.partition).await? else {
            return Ok(None);
        };
        let mut first: Option<Position> = None;
        for priority in Priority::ALL {
            let mut from = begin;
            while from <= through {
                let page = rows::outbox(store.as_ref(), (pool, priority), from, through, PAGE).await?;
                let Some(last) = page.last().map(|(position, _)| *position) else {
                    break;
                };
                let Some(left) = self.page(pass, &page).await? else {
                    return Ok(None);
                };
                first = first.into_iter().chain(left).min();
                from = last.next();
            }
        }
        Ok(Some(first))
    }

    /// One page of it, with the same answer.
    async fn page(
        &mut self,
        pass: Pass,
        page: &[(Position, MessageId)],
    ) -> Result<Option<Option<Position>>, StoreError> {
        let waiting = self.waiting(pass, page).await?;
        let mut own = self.own(&waiting).await?;
        let (now, mut first, mut records) = (self.args.hands.clock.wall(), None, Vec::new());
        let mut chosen = Vec::new();
        for (position, message, row) in waiting {
            let Some(accepted) = &row.accepted else { continue };
            if accepted.expires_at <= now {
                records.extend(self.expired(message, &row));
                continue;
            }
            let sticky = own.get(&accepted.contact).copied();
            let to = if pass == Pass::Expired { None } else { self.whose(accepted.contact, sticky) };
            let Some(to) = to else {
                first = first.or(Some(position));
                continue;
            };
            own.insert(accepted.contact, to);
            chosen.push((accepted.contact, to));
            records.extend(self.handed_on(message, &row, accepted.contact, to));
        }
        self.args.hands.trip("pool:route");
        if records.is_empty() {
            return Ok(Some(first));
        }
        // What does not show may still appear: the same people are given the same session until it is known.
        if self.record(self.args.partition, records).await?.is_none() {
            self.unsure.extend(chosen);
            return Ok(None);
        }
        Ok(Some(first))
    }

    /// The session for a message to this person, who was written to from `sticky` last; `None`: it waits.
    fn whose(&mut self, contact: KeyId, sticky: Option<SessionId>) -> Option<SessionId> {
        let sticky = self.unsure.get(&contact).copied().or(sticky);
        let left = |session| self.members.iter().any(|it| it.session == session && it.ability == Ability::Left);
        let keeps = |session| self.leavings.get(&session).is_some_and(|it| it.keeps(contact));
        if sticky.is_some_and(|own| left(own) && keeps(own)) {
            return None;
        }
        let to = choose(&self.members, &mut self.turns, sticky)?;
        let steady = self.steady();
        if let Some(member) = self.members.iter_mut().find(|it| it.session == to && it.probe == Probe::Open) {
            member.probe = Probe::UnderWay;
            self.watch.probed(to, steady);
            self.leavings.entry(to).or_default().probed(contact);
        }
        Some(to)
    }

    /// Those of a page that are still here.
    async fn waiting(
        &self,
        pass: Pass,
        page: &[(Position, MessageId)],
    ) -> Result<Vec<(Position, MessageId, Box<MessageRow>)>, StoreError> {
        let ids: Vec<RowId> = page.iter().map(|(_, message)| RowId::Message(*message)).collect();
        let found = rows::get_many(self.args.hands.store.as_ref(), &ids).await?;
        let here = page.iter().zip(found).filter_map(|((position, message), row)| match row {
            // Another place of it in the outbox is past.
            Some(Row::Message(row)) if row.may_move() && row.entered() == Some(*position) => {
                (pass != Pass::Returned || !row.legs.is_empty()).then_some((*position, *message, row))
            }
            _ => None,
        });
        Ok(here.collect())
    }

    /// From which session each of these people was written to last.
    async fn own(
        &self,
        waiting: &[(Position, MessageId, Box<MessageRow>)],
    ) -> Result<HashMap<KeyId, SessionId>, StoreError> {
        let people = waiting.iter().filter_map(|(.., row)| row.accepted.as_ref().map(|accepted| accepted.contact));
        let people: Vec<KeyId> = people.collect();
        let pool = self.args.pool;
        let ids: Vec<RowId> =
            people.iter().map(|contact| RowId::Sticky(StickyId { pool, contact: *contact })).collect();
        let found = rows::get_many(self.args.hands.store.as_ref(), &ids).await?;
        let known = people.into_iter().zip(found).filter_map(|(contact, row)| match row {
            Some(Row::Sticky(StickyRow { session })) => Some((contact, session)),
            _ => None,
        });
        Ok(known.collect())
    }

    fn handed_on(&mut self, message: MessageId, row: &MessageRow, contact: KeyId, to: SessionId) -> Option<Record> {
        let number = row.moves.saturating_add(1);
        let there = routing::partition(&to.into(), self.args.hands.journal.genesis().count);
        let facts = MessageMovedOutV1 {
            session: self.args.pool,
            message,
            number,
            to,
            leg: message.leg(number, to, there),
            person: Some(contact),
            reason: None,
        };
        self.move_out(row.accepted.as_ref()?.tenant, facts)
    }

    fn expired(&self, message: MessageId, row: &MessageRow) -> Option<Record> {
        debug_assert_eq!(row.state(), Standing::Queued, "only who waits has no time left");
        let (id, facts) = MessageExpiredV1::named(message, row.round);
        let tenant = row.accepted.as_ref()?.tenant;
        self.written(id, self.args.pool, message, tenant, &Event::from(facts), self.args.hands.clock.wall())
    }
}
