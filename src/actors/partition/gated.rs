//! Letting messages out when an operator's gate is opened: those that waited for it, in their order, a page at a time. Those
//! of a campaign that is over are called off in the same way.
//!
//! The gates' row says which open gates still hold some back, so a new life goes on where the last one ended; it is asked
//! after each batch that is applied, and by the sweep. A release is an event whose id derives from the message and the
//! closing; a second one changes nothing. What waits costs a row in the index of its closing and no memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Notice;
use super::actor::{Phase, State};
use crate::domain::draft::Draft;
use crate::domain::event::{Event, MessageCancelledV1, MessageReleasedV1};
use crate::domain::gate::{GatesRow, WayOut};
use crate::domain::id::{EventId, MessageId, SessionId, TenantId, derive};
use crate::domain::record::{Micros, Principal, Record};
use crate::domain::row::{Row, RowId};
use crate::journal::Appended;
use crate::store::rows::GatedPlace;
use crate::store::{Commit, StoreError, rows as stored};

/// Messages that are looked at, and let out, at once: as many as of the due index.
const PAGE: usize = 256;

/// How soon the index of a closing is read from its start again if its end was reached and some still wait there.
const AGAIN: Micros = 5_000_000;

/// How far the index of one closing is read.
#[derive(Debug, Default)]
pub(super) struct LettingOut {
    /// Which closing.
    closing: Option<EventId>,
    /// Everybody up to here was let out, or does not wait any more.
    read: Option<GatedPlace>,
    /// The end of the page whose releases are on their way.
    page: Option<GatedPlace>,
    /// When the end was reached.
    ended: Option<Micros>,
    /// Closings whose indexes are in use.
    in_use: BTreeSet<EventId>,
}

impl LettingOut {
    /// Begins with this closing, unless it is the one at hand.
    fn turn_to(&mut self, closing: EventId) {
        if self.closing != Some(closing) {
            (self.closing, self.read, self.ended) = (Some(closing), None, None);
        }
    }

    /// A page's releases were recorded, or not.
    fn recorded(&mut self, recorded: bool) {
        let page = self.page.take();
        if recorded {
            self.read = page;
        }
    }

    /// There is nothing behind what was read. What is let out is applied in a moment; and what came meanwhile is read on
    /// from here. Only if somebody waits for long all the same it begins anew.
    fn end(&mut self, now: Micros) {
        if now - *self.ended.get_or_insert(now) >= AGAIN {
            (self.read, self.ended) = (None, None);
        }
    }
}

impl State {
    /// The gates as applied.
    pub(super) fn gates(&self) -> Arc<GatesRow> {
        Arc::new(self.rows.gates(self.number).cloned().unwrap_or_default())
    }

    /// Lets out who waits behind an open gate: a page at once, the next one when this one is recorded.
    pub(super) async fn let_out(&mut self) -> Result<(), StoreError> {
        if !matches!(self.phase, Phase::Owning(_)) || self.letting_out.page.is_some() {
            return Ok(());
        }
        self.drop_indexes().await?;
        let Some((closing, way)) = self.rows.gates(self.number).and_then(|gates| gates.draining().next()) else {
            return Ok(());
        };
        self.letting_out.turn_to(closing);
        // What is applied and not committed is not in the index yet.
        self.commit().await?;
        let now = self.hands.clock.wall();
        let (store, read) = (Arc::clone(&self.hands.store), self.letting_out.read);
        let page = stored::gated(store.as_ref(), self.number, closing, read, PAGE).await?;
        let Some(last) = page.last().copied() else {
            self.letting_out.end(now);
            return Ok(());
        };
        self.letting_out.ended = None;
        self.letting_out.page = Some(last);
        let records = self.ways_out((closing, way), &page, now).await?;
        self.propose_ways_out(records);
        Ok(())
    }

    /// A page is recorded, or is proposed again by the sweep.
    pub(super) async fn let_out_further(&mut self, recorded: bool) -> Result<(), StoreError> {
        self.letting_out.recorded(recorded);
        if recorded { self.let_out().await } else { Ok(()) }
    }

    async fn ways_out(
        &self,
        (closing, way): (EventId, WayOut),
        page: &[GatedPlace],
        now: Micros,
    ) -> Result<Vec<Record>, StoreError> {
        let ids: Vec<RowId> = page.iter().map(|(_, message)| RowId::Message(*message)).collect();
        let found = stored::get_many(self.hands.store.as_ref(), &ids).await?;
        let waiting = page.iter().zip(found).filter_map(|((_, message), row)| match row {
            Some(Row::Message(row)) if row.waits_since() == Some(closing) => {
                let round = row.round;
                let accepted = row.accepted?;
                let (id, event) = way_out(way, *message, closing, round);
                self.written_way_out((id, &event), *message, closing, (accepted.session, accepted.tenant), now)
            }
            _ => None,
        });
        Ok(waiting.collect())
    }

    fn written_way_out(
        &self,
        (id, event): (EventId, &Event),
        message: MessageId,
        closing: EventId,
        (session, tenant): (SessionId, TenantId),
        now: Micros,
    ) -> Option<Record> {
        let draft = Draft::new(id, session, event, Principal::Node(self.hands.node), now).cause(closing);
        let record = draft.tenant(tenant).subject(message).record();
        record.inspect_err(|error| tracing::error!(%error, %message, "a release cannot be written")).ok()
    }

    fn propose_ways_out(&self, records: Vec<Record>) {
        let notices = Arc::clone(&self.notices);
        if records.is_empty() {
            return notices.push(Notice::LetOut(true));
        }
        let appending = self.hands.journal.append(self.number, records);
        crate::runtime::spawn("let out", async move {
            notices.push(Notice::LetOut(matches!(appending.await, Appended::Durable { .. })));
        });
    }

    /// The index of each closing that is over and holds nobody back any more goes. One that a death leaves behind is never
    /// read again.
    async fn drop_indexes(&mut self) -> Result<(), StoreError> {
        let known = self.rows.gates(self.number);
        if known.is_none() && self.letting_out.in_use.is_empty() {
            return Ok(());
        }
        let in_use = known.map(GatesRow::closings).unwrap_or_default();
        let before = std::mem::replace(&mut self.letting_out.in_use, in_use);
        let over: Vec<EventId> = before.difference(&self.letting_out.in_use).copied().collect();
        if over.is_empty() {
            return Ok(());
        }
        self.commit().await?;
        let Some(through) = self.applied else {
            return Ok(());
        };
        let drops = over.into_iter().map(|closing| stored::drop_gated(self.number, closing)).collect();
        self.hands.store.commit(Commit { partition: self.number, through, puts: Vec::new(), drops }).await
    }
}

/// What ends a message's wait for a gate, and the id it has however often it is said.
fn way_out(way: WayOut, message: MessageId, closing: EventId, round: u16) -> (EventId, Event) {
    match way {
        WayOut::LetOut => {
            let id = EventId(derive("waybill way out", &[&message.0, &closing.0]));
            (id, MessageReleasedV1 { message, closing: Some(closing) }.into())
        }
        WayOut::CalledOff => {
            let id = EventId(derive("waybill called off", &[&message.0, &closing.0]));
            (id, MessageCancelledV1 { message, round: Some(round).filter(|round| *round > 0) }.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::Position;

    const HERE: GatedPlace = (Position(9), MessageId([1; 16]));

    #[test]
    fn what_was_not_recorded_is_let_out_again_and_what_was_is_passed_by() {
        let mut letting_out = LettingOut { page: Some(HERE), ..LettingOut::default() };
        letting_out.recorded(false);
        assert_eq!((letting_out.read, letting_out.page), (None, None));
        letting_out.page = Some(HERE);
        letting_out.recorded(true);
        assert_eq!(letting_out.read, Some(HERE));
    }

    #[test]
    fn the_index_is_read_from_its_start_again_only_if_somebody_waits_for_long() {
        let mut letting_out = LettingOut { read: Some(HERE), ..LettingOut::default() };
        letting_out.end(100);
        letting_out.end(100 + AGAIN - 1);
        assert_eq!(letting_out.read, Some(HERE));
        letting_out.end(100 + AGAIN);
        assert_eq!(letting_out.read, None);
    }

    #[test]
    fn another_closing_is_read_from_its_start() {
        let mut letting_out = LettingOut { closing: Some(EventId([1; 16])), read: Some(HERE), ..LettingOut::default() };
        letting_out.turn_to(EventId([1; 16]));
        assert_eq!(letting_out.read, Some(HERE));
        letting_out.turn_to(EventId([2; 16]));
        assert_eq!((letting_out.closing, letting_out.read), (Some(EventId([2; 16])), None));
    }
}
