//! What takes messages in where they moved to. What is proposed derives from the move, and a second copy changes nothing.
//! Somebody who called a moved message off spoke to the mailbox that it had left: the word follows it.

use super::actor::State;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, MessageAcceptedV1, MessageCancelledV1, MessageMovedBackV1, MessageMovedInV1};
use crate::domain::id::{EventId, MessageId, SessionId};
use crate::domain::message::Arrival;
use crate::domain::record::{Micros, Principal, Record};
use crate::domain::row::{Accepted, Handover, MessageRow, Row, RowId};
use crate::store::{StoreError, rows as stored};

impl State {
    /// What is missing in the partition where these messages went.
    pub(super) async fn missing(
        &self,
        to: u16,
        moved: Vec<(MessageId, Box<MessageRow>)>,
    ) -> Result<Vec<Record>, StoreError> {
        if moved.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.hands.clock.wall();
        self.hands.trip("move:arrive");
        let legs: Vec<RowId> = moved.iter().flat_map(|(_, row)| row.moved).map(|to| RowId::Message(to.leg)).collect();
        debug_assert!(
            moved.iter().flat_map(|(_, row)| row.moved).all(|moved| moved.leg.partition() == to),
            "another line's"
        );
        let found = stored::get_many(self.store.as_ref(), &legs).await?;
        let mut records = Vec::new();
        for ((message, row), there) in moved.iter().zip(found) {
            let (Some(accepted), Some(handover)) = (&row.accepted, row.moved) else { continue };
            let there = if let Some(Row::Message(there)) = &there { Some(&**there) } else { None };
            let writing = Writing { state: self, message: *message, row, accepted, handover, now };
            if let Some(event) = writing.arrival(there) {
                records.extend(writing.written(event));
            }
            if row.cancelled.is_some() && there.is_none_or(|there| there.cancelled.is_none()) {
                let round = Some(row.round_there(*message, there)).filter(|round| *round > 0);
                let event = Event::from(MessageCancelledV1 { message: handover.leg, round });
                records.extend(writing.written((EventId::caused_by(handover.event, "called off"), event)));
            }
        }
        Ok(records)
    }
}

/// One message that moved.
struct Writing<'a> {
    state: &'a State,
    message: MessageId,
    row: &'a MessageRow,
    accepted: &'a Accepted,
    handover: Handover,
    now: Micros,
}

impl Writing<'_> {
    /// What brings it where it goes, unless it is there.
    fn arrival(&self, there: Option<&MessageRow>) -> Option<(EventId, Event)> {
        let Handover { leg, event, .. } = self.handover;
        match self.row.arrival(self.message, there)? {
            Arrival::New => Some((EventId::caused_by(event, "moved in"), self.leg().into())),
            Arrival::Return => {
                let number = self.accepted.leg.as_ref()?.number;
                let facts = MessageMovedBackV1 { message: leg, leg: self.message, number };
                Some((EventId::caused_by(event, "moved back"), facts.into()))
            }
        }
    }

    fn leg(&self) -> MessageMovedInV1 {
        let (accepted, handover) = (self.accepted, self.handover);
        let (partition, position) = accepted.content(self.message);
        MessageMovedInV1 {
            accepted: MessageAcceptedV1 {
                message: handover.leg,
                session: handover.to,
                contact: accepted.contact,
                category: accepted.category,
                priority: accepted.priority,
                unknown: accepted.unknown,
                expires_at: accepted.expires_at,
                nonce: accepted.nonce,
                idempotency: None,
                template: accepted.template.clone(),
                consent: None,
                policy: None,
                test: accepted.test,
                ordered: accepted.ordered,
                // Its time has come, or it would not have left.
                send_at: None,
                country: accepted.country,
                campaign: accepted.campaign,
            },
            origin: accepted.origin(self.message),
            from: self.message,
            sender: accepted.session,
            number: handover.number,
            partition,
            position,
            event: accepted.event,
            at: accepted.fact.at,
            depth: accepted.leg.as_ref().map_or(0, |leg| leg.depth).saturating_add(1),
            round: Some(self.row.round).filter(|round| *round > 0),
        }
    }

    fn written(&self, (id, event): (EventId, Event)) -> Option<Record> {
        let to: SessionId = self.handover.to;
        let by = Principal::Node(self.state.hands.node);
        let draft = Draft::new(id, to, &event, by, self.now).cause(self.handover.event);
        let record = draft.tenant(self.accepted.tenant).subject(self.handover.leg).record();
        let record =
            record.inspect_err(|error| tracing::error!(%error, message = %self.message, "a move cannot be written"));
        record.ok()
    }
}
