//! Letting messages out when an operator's gate is opened: those that waited for it, in their order, a page at a time. Those
//! of a campaign that is over are called off in the same way.
//!
//! The gates' row says which open gates still hold some back, so a new life goes on where the last one ended; it is asked
//! after each batch that is applied, and by the sweep. Each of them has a page on its way, a few at once and in turn: nobody
//! waits for a stranger's gate. A release is an event whose id derives from the message and the
//! closing; a second one changes nothing. What waits costs a row in the index of its closing and no memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Notice;
use super::actor::{Phase, State};
use crate::domain::draft::Draft;
use crate::domain::event::{Event, MessageCancelledV1, MessageReleasedV1};
use crate::domain::gate::{GatesRow, WayOut};
use crate::domain::id::{EventId, MessageId, SessionId, TenantId, derive};
use crate::domain::record::{Micros, Principal, Record};
use crate::domain::row::{Accepted, Row, RowId};
use crate::journal::Appended;
use crate::store::rows::GatedPlace;
use crate::store::{StoreError, rows as stored};

/// Messages that are looked at, and let out, at once: as many as of the due index.
const PAGE: usize = 256;

/// How soon the index of a closing is read from its start again if its end was reached and some still wait there.
const AGAIN: Micros = 5_000_000;

/// Pages on their way at once: with [`PAGE`] a thousand messages, some 200 KB of events.
const AT_ONCE: usize = 4;

/// Closings of which is known how far they were read: 60 bytes each. Beyond it what rests is read from its start again.
const KNOWN_MAX: usize = 512;

/// How far the indexes of closings are read.
#[derive(Debug, Default)]
pub(super) struct LettingOut {
    known: BTreeMap<EventId, Reading>,
    /// Whose turn it was last.
    after: Option<EventId>,
    /// Closings whose indexes are in use.
    in_use: BTreeSet<EventId>,
}

/// How far the index of one closing is read.
#[derive(Debug, Default)]
struct Reading {
    /// Everybody up to here was let out, or does not wait any more.
    read: Option<GatedPlace>,
    /// The end of the page whose releases are on their way.
    page: Option<GatedPlace>,
    /// When the end was reached.
    ended: Option<Micros>,
}

impl Reading {
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

impl LettingOut {
    /// Whose turn it is, of those that hold somebody back and have to no more: as many as may be on their way, after those
    /// whose turn it was last. An index whose end was reached takes nobody's turn, and is looked into beside the others.
    fn turns(&mut self, mut draining: Vec<(EventId, WayOut)>) -> Vec<(EventId, WayOut)> {
        self.known
            .retain(|closing, reading| reading.page.is_some() || draining.iter().any(|(drains, _)| drains == closing));
        if self.known.len() > KNOWN_MAX {
            self.known.retain(|_, reading| reading.page.is_some());
        }
        let under_way = |closing: &EventId| self.known.get(closing).is_some_and(|reading| reading.page.is_some());
        let room = AT_ONCE.saturating_sub(self.known.values().filter(|reading| reading.page.is_some()).count());
        draining.retain(|(closing, _)| !under_way(closing));
        draining.sort_unstable_by_key(|(closing, _)| (Some(*closing) <= self.after, *closing));
        let has_ended = |closing: &EventId| self.known.get(closing).is_some_and(|reading| reading.ended.is_some());
        let (ended, mut turns): (Vec<_>, Vec<_>) = draining.into_iter().partition(|(closing, _)| has_ended(closing));
        turns.truncate(room);
        self.after = turns.last().or(ended.first()).map(|(closing, _)| *closing).or(self.after);
        turns.extend(ended.into_iter().take(AT_ONCE));
        turns
    }
}

impl State {
    /// The gates as applied.
    pub(super) fn gates(&self) -> Arc<GatesRow> {
        Arc::new(self.rows.gates(self.number).cloned().unwrap_or_default())
    }

    /// Lets out who waits behind open gates: a page of each in its turn, the next one when that is recorded.
    pub(super) async fn let_out(&mut self) -> Result<(), StoreError> {
        if !matches!(self.phase, Phase::Owning(_)) {
            return Ok(());
        }
        self.drop_indexes().await?;
        let draining = self.rows.gates(self.number).map(|gates| gates.draining().collect());
        let turns = self.letting_out.turns(draining.unwrap_or_default());
        if turns.is_empty() {
            return Ok(());
        }
        // What is applied and not committed is not in the index yet.
        self.commit().await?;
        for (closing, way) in turns {
            self.let_out_of(closing, way).await?;
        }
        Ok(())
    }

    async fn let_out_of(&mut self, closing: EventId, way: WayOut) -> Result<(), StoreError> {
        let (store, now) = (Arc::clone(&self.store), self.hands.clock.wall());
        let read = self.letting_out.known.entry(closing).or_default().read;
        let page = stored::gated(store.as_ref(), self.number, closing, read, PAGE).await?;
        let reading = self.letting_out.known.entry(closing).or_default();
        let Some(last) = page.last().copied() else {
            reading.end(now);
            return Ok(());
        };
        (reading.ended, reading.page) = (None, Some(last));
        let records = self.ways_out((closing, way), &page, now).await?;
        self.propose_ways_out(closing, records);
        Ok(())
    }

    /// A page is recorded, or is proposed again by the sweep.
    pub(super) async fn let_out_further(&mut self, closing: EventId, recorded: bool) -> Result<(), StoreError> {
        if let Some(reading) = self.letting_out.known.get_mut(&closing) {
            reading.recorded(recorded);
        }
        if recorded { self.let_out().await } else { Ok(()) }
    }

    async fn ways_out(
        &self,
        (closing, way): (EventId, WayOut),
        page: &[GatedPlace],
        now: Micros,
    ) -> Result<Vec<Record>, StoreError> {
        let ids: Vec<RowId> = page.iter().map(|(_, message)| RowId::Message(*message)).collect();
        let found = stored::get_many(self.store.as_ref(), &ids).await?;
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

    /// The end of a message of a cancelled campaign.
    pub(super) fn called_off(
        &self,
        (message, round): (MessageId, u16),
        closing: EventId,
        accepted: &Accepted,
        now: Micros,
    ) -> Option<Record> {
        let (id, event) = way_out(WayOut::CalledOff, message, closing, round);
        self.written_way_out((id, &event), message, closing, (accepted.session, accepted.tenant), now)
    }

    fn propose_ways_out(&self, closing: EventId, records: Vec<Record>) {
        let notices = Arc::clone(&self.notices);
        if records.is_empty() {
            return notices.push(Notice::LetOut(closing, true));
        }
        let appending = self.hands.journal.append(self.number, records);
        crate::runtime::spawn("let out", async move {
            notices.push(Notice::LetOut(closing, matches!(appending.await, Appended::Durable { .. })));
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
        self.write(through, Vec::new(), drops).await.map(|_| ())
    }
}

/// What ends a message's wait for a gate, and the id it has however often it is said.
fn way_out(way: WayOut, message: MessageId, closing: EventId, round: u16) -> (EventId, Event) {
    match way {
        WayOut::LetOut => {
            let id = EventId(derive("waybill way out", &[&message.0, &closing.0]));
            (id, MessageReleasedV1 { message, closing: Some(closing), attempt: None }.into())
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
        let mut reading = Reading { page: Some(HERE), ..Reading::default() };
        reading.recorded(false);
        assert_eq!((reading.read, reading.page), (None, None));
        reading.page = Some(HERE);
        reading.recorded(true);
        assert_eq!(reading.read, Some(HERE));
    }

    #[test]
    fn the_index_is_read_from_its_start_again_only_if_somebody_waits_for_long() {
        let mut reading = Reading { read: Some(HERE), ..Reading::default() };
        reading.end(100);
        reading.end(100 + AGAIN - 1);
        assert_eq!(reading.read, Some(HERE));
        reading.end(100 + AGAIN);
        assert_eq!(reading.read, None);
    }

    fn draining(count: u8) -> Vec<(EventId, WayOut)> {
        (0..count).map(|n| (EventId([n; 16]), WayOut::LetOut)).collect()
    }

    #[test]
    fn everybody_has_a_turn_whoever_does_not_come_to_an_end() {
        let (mut letting_out, mut served) = (LettingOut::default(), BTreeSet::new());
        for _ in 0..4 {
            let turns = letting_out.turns(draining(9));
            assert_eq!(turns.len(), AT_ONCE);
            served.extend(turns.into_iter().map(|(closing, _)| closing));
        }
        assert_eq!(served.len(), 9);
        for n in 0..5 {
            letting_out.known.insert(EventId([n; 16]), Reading { ended: Some(7), ..Reading::default() });
        }
        let turns = letting_out.turns(draining(6));
        assert_eq!(turns[0], (EventId([5; 16]), WayOut::LetOut), "before those that wait for an outbox");
        assert_eq!(turns.len(), 1 + AT_ONCE);
    }

    #[test]
    fn so_many_pages_are_on_their_way_and_none_twice_of_one_closing() {
        let mut letting_out = LettingOut::default();
        for (closing, _) in letting_out.turns(draining(3)) {
            letting_out.known.insert(closing, Reading { page: Some(HERE), ..Reading::default() });
        }
        let next = letting_out.turns(draining(9));
        assert_eq!(next, [(EventId([3; 16]), WayOut::LetOut)]);
        letting_out.known.get_mut(&EventId([1; 16])).expect("known").recorded(true);
        assert_eq!(letting_out.turns(draining(2)), [(EventId([1; 16]), WayOut::LetOut)]);
        letting_out.turns(Vec::new());
        assert_eq!(letting_out.known.len(), 2, "what is over is forgotten, but for pages on their way");
    }
}
