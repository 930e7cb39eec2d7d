//! Messages that wait for a time, because they were scheduled or told to wait for long: in each sweep, those whose time has
//! come are released into the outbox. What waits for an operator's gate stands here too, for the time at which it expires.
//!
//! A release is an event, and only what the journal released is queued: so a schedule survives everything that an
//! acceptance survives. It is proposed as often as need be; its id derives from the message and its next attempt,
//! and a second one changes nothing. What waits costs a row in the due index and no memory.

use std::sync::Arc;

use super::Notice;
use super::actor::{Phase, State};
use crate::domain::draft::Draft;
use crate::domain::event::{Event, MessageExpiredV1, MessageReleasedV1};
use crate::domain::id::{EventId, MessageId, SessionId, TenantId, derive};
use crate::domain::record::{Micros, Position, Principal, Record};
use crate::domain::row::{MessageRow, Row, RowId};
use crate::journal::Appended;
use crate::store::rows::DuePlace as Place;
use crate::store::{DropBelow, StoreError, rows as stored};

/// Messages that are looked at, and released, at once: 256 rows read, 40 KB appended with one sync. A page follows the
/// other without waiting for a sweep, so 100,000 messages of one minute are some 400 syncs.
pub(super) const PAGE: usize = 256;

/// How far behind the reading the index is dropped. An acceptance is written to it at most so much after its time.
const DROP_LAG: Micros = 600 * 1_000_000;

/// What is dropped at once.
const DROP_STEP: Micros = 600 * 1_000_000;

/// How far the due index is read.
#[derive(Debug)]
pub(super) struct Schedule {
    /// Everything up to here was released or called off.
    read: Place,
    /// The end of the page whose releases are on their way.
    page: Option<Place>,
    /// When the next row is due, as far as is known.
    next: Micros,
    /// The last release that was recorded.
    released: Option<Position>,
    /// Everything before this is dropped.
    dropped: Micros,
}

/// Before every place.
pub(super) const START: Place = (0, Position(0), MessageId([0; 16]));

impl Default for Schedule {
    fn default() -> Self {
        Self { read: START, page: None, next: 0, released: None, dropped: 0 }
    }
}

impl Schedule {
    /// A row was written, perhaps before what was already read.
    pub(super) fn note(&mut self, at: Micros) {
        let before = (at.saturating_sub(1), Position(u64::MAX), MessageId([u8::MAX; 16]));
        self.read = self.read.min(before);
        self.page = self.page.map(|page| page.min(before));
        self.next = self.next.min(at);
    }

    /// A page's releases were recorded, up to there; `None` when they were not.
    pub(super) fn recorded(&mut self, recorded: Option<Position>) {
        let page = self.page.take();
        match (page, recorded) {
            (Some(page), Some(last)) => (self.read, self.released) = (page, self.released.max(Some(last))),
            _ => self.next = 0,
        }
    }

    fn is_due(&self, now: Micros) -> bool {
        self.page.is_none() && self.next <= now
    }

    /// What may be dropped by now, if it is worth it.
    fn droppable(&self, applied: Option<Position>) -> Option<Micros> {
        let before = self.read.0.saturating_sub(DROP_LAG);
        (self.released <= applied && before - self.dropped >= DROP_STEP).then_some(before)
    }
}

impl State {
    /// Releases what is due: a page at once, the next one when this one is recorded.
    pub(super) async fn release_due(&mut self) -> Result<(), StoreError> {
        let now = self.hands.clock.wall();
        if !matches!(self.phase, Phase::Owning(_)) || !self.schedule.is_due(now) {
            return Ok(());
        }
        // What is applied and not committed is not in the index yet.
        self.commit().await?;
        while self.schedule.is_due(now) {
            let found = stored::due(self.store.as_ref(), self.number, Some(self.schedule.read), PAGE).await?;
            self.schedule.next = found.iter().map(|(at, ..)| *at).find(|at| *at > now).unwrap_or(Micros::MAX);
            let page: Vec<Place> = found.iter().copied().take_while(|(at, ..)| *at <= now).collect();
            let Some(last) = page.last().copied() else {
                break;
            };
            // A full page says nothing of what comes after it.
            if found.len() == PAGE && page.len() == PAGE {
                self.schedule.next = now;
            }
            let records = self.releases(&page, now).await?;
            if records.is_empty() {
                // Nothing but what was released before, as after a rebuild: others have their turn in between.
                self.schedule.read = last;
                self.notices.push(Notice::Due);
                break;
            }
            self.schedule.page = Some(last);
            self.propose_releases(records);
        }
        Ok(())
    }

    async fn releases(&self, page: &[Place], now: Micros) -> Result<Vec<Record>, StoreError> {
        let ids: Vec<RowId> = page.iter().map(|(.., message)| RowId::Message(*message)).collect();
        let found = stored::get_many(self.store.as_ref(), &ids).await?;
        let mut released = Vec::new();
        for ((.., message), row) in page.iter().zip(found) {
            let Some(Row::Message(row)) = row else { continue };
            // Behind an operator's gate it waits for no other time than that of its end.
            if row.waits_since().is_some() {
                released.extend(self.expiry(*message, &row, now));
            } else if row.waits_until().is_some_and(|until| until <= now) {
                // A row of an earlier wait says nothing of a later one, which has a row of its own.
                let attempt = row.next_attempt();
                let whose = row.accepted.as_ref().map(|accepted| (accepted.session, accepted.tenant));
                released.extend(whose.and_then(|whose| self.release(*message, attempt, whose, now)));
            }
        }
        Ok(released)
    }

    fn expiry(&self, message: MessageId, row: &MessageRow, now: Micros) -> Option<Record> {
        let accepted = row.accepted.as_ref().filter(|accepted| accepted.expires_at <= now)?;
        let (id, facts) = MessageExpiredV1::named(message, row.round);
        self.written(id, &Event::from(facts), message, (accepted.session, accepted.tenant), now)
    }

    fn written(
        &self,
        id: EventId,
        event: &Event,
        message: MessageId,
        (session, tenant): (SessionId, TenantId),
        now: Micros,
    ) -> Option<Record> {
        let draft = Draft::new(id, session, event, Principal::Node(self.hands.node), now);
        let record = draft.tenant(tenant).subject(message).record();
        record.inspect_err(|error| tracing::error!(%error, %message, "what is due cannot be written")).ok()
    }

    pub(super) fn release(
        &self,
        message: MessageId,
        attempt: u16,
        whose: (SessionId, TenantId),
        now: Micros,
    ) -> Option<Record> {
        let id = EventId(derive("waybill release", &[&message.0, &attempt.to_be_bytes()]));
        let facts = MessageReleasedV1 { message, closing: None, attempt: Some(attempt) };
        self.written(id, &Event::from(facts), message, whose, now)
    }

    fn propose_releases(&self, records: Vec<Record>) {
        let appending = self.hands.journal.append(self.number, records);
        let notices = Arc::clone(&self.notices);
        crate::runtime::spawn("release", async move {
            let recorded = match appending.await {
                Appended::Durable { last, .. } => Some(last),
                Appended::Refused(_) | Appended::Doubtful => None,
            };
            notices.push(Notice::Released(recorded));
        });
    }

    /// Drops what lies far behind.
    pub(super) async fn drop_due(&mut self) -> Result<(), StoreError> {
        let Some(through) = self.applied else {
            return Ok(());
        };
        let due = self.schedule.droppable(self.applied);
        let mut drops: Vec<DropBelow> = due.map(|before| stored::drop_due(self.number, before)).into_iter().collect();
        let come = self.arrivals.take_drops().into_iter();
        drops.extend(come.map(|(to, before)| stored::drop_moved(self.number, to, before)));
        if drops.is_empty() {
            return Ok(());
        }
        if self.write(through, Vec::new(), drops).await? {
            self.schedule.dropped = due.unwrap_or(self.schedule.dropped);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn place(at: Micros, n: u8) -> Place {
        (at, Position(0), MessageId([n; 16]))
    }

    #[test]
    fn a_row_written_behind_the_reading_is_read_all_the_same() {
        let mut schedule = Schedule { read: place(100, 1), next: Micros::MAX, ..Schedule::default() };
        schedule.page = Some(place(200, 1));
        schedule.note(150);
        assert!(!schedule.is_due(1_000), "a page is on its way");
        schedule.recorded(Some(Position(7)));
        assert!(schedule.read < place(150, 0) && schedule.is_due(150), "{schedule:?}");
        schedule.note(50);
        assert!(schedule.read < place(50, 0), "{schedule:?}");
    }

    #[test]
    fn what_was_not_recorded_is_read_again() {
        let mut schedule = Schedule { page: Some(place(200, 1)), next: Micros::MAX, ..Schedule::default() };
        schedule.recorded(None);
        assert_eq!(schedule.read, place(0, 0));
        assert!(schedule.is_due(0));
    }

    #[test]
    fn nothing_is_dropped_before_its_release_is_applied() {
        let far = DROP_LAG + DROP_STEP;
        let schedule = Schedule { read: place(far, 1), released: Some(Position(9)), ..Schedule::default() };
        assert_eq!(schedule.droppable(Some(Position(8))), None);
        assert_eq!(schedule.droppable(Some(Position(9))), Some(DROP_STEP));
        let near = Schedule { read: place(far - 1, 1), ..Schedule::default() };
        assert_eq!(near.droppable(Some(Position(9))), None);
    }
}
