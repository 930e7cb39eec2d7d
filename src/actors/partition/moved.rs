//! Taking messages in where they moved to. The due index holds who left, in that order, until it is durable that they have
//! come; so a death in between is made good by the next life, and what is to one person comes in its order.
//!
//! What is proposed derives from the move, and a second copy changes nothing. Somebody who called a moved message off spoke
//! to the mailbox that it had left: the word follows it.

use super::actor::State;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, MessageAcceptedV1, MessageCancelledV1, MessageMovedBackV1, MessageMovedInV1};
use crate::domain::id::{EventId, MessageId, SessionId};
use crate::domain::record::{Micros, Principal, Record};
use crate::domain::routing;
use crate::domain::row::{Accepted, Handover, MessageRow, Row, RowId};
use crate::journal::{Appending, Journal};
use crate::store::{StoreError, rows as stored};

/// A record for another partition.
pub(super) type Abroad = (u16, Record);

/// Hands records to the partitions that they are for, in their order.
pub(super) fn submit(journal: &dyn Journal, mut records: Vec<Abroad>) -> Vec<Appending> {
    records.sort_by_key(|(partition, _)| *partition);
    let mut appending = Vec::new();
    while let Some(partition) = records.first().map(|(partition, _)| *partition) {
        let own = records.partition_point(|(other, _)| *other == partition);
        let batch = records.drain(..own).map(|(_, record)| record).collect();
        appending.push(journal.append(partition, batch));
    }
    appending
}

impl State {
    /// What is missing where these messages went.
    pub(super) async fn arrivals(
        &self,
        moved: Vec<(MessageId, Box<MessageRow>)>,
        now: Micros,
    ) -> Result<Vec<Abroad>, StoreError> {
        if moved.is_empty() {
            return Ok(Vec::new());
        }
        self.hands.trip("move:arrive");
        let legs: Vec<RowId> = moved.iter().flat_map(|(_, row)| row.moved).map(|to| RowId::Message(to.leg)).collect();
        let found = stored::get_many(self.hands.store.as_ref(), &legs).await?;
        let mut records = Vec::new();
        for ((message, row), there) in moved.iter().zip(found) {
            let (Some(accepted), Some(handover)) = (&row.accepted, row.moved) else { continue };
            let there = there.and_then(|there| if let Row::Message(there) = there { Some(there) } else { None });
            let writing = Writing { state: self, message: *message, accepted, handover, now };
            if let Some(event) = writing.arrival(there.as_deref()) {
                records.extend(writing.written(event));
            }
            if row.cancelled.is_some() && there.is_none_or(|there| there.cancelled.is_none()) {
                let event = Event::from(MessageCancelledV1 { message: handover.leg, round: None });
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
    accepted: &'a Accepted,
    handover: Handover,
    now: Micros,
}

impl Writing<'_> {
    /// What brings it where it goes, unless it is there.
    fn arrival(&self, there: Option<&MessageRow>) -> Option<(EventId, Event)> {
        let (message, Handover { leg, event, .. }) = (self.message, self.handover);
        if let Some(from) = self.accepted.leg.as_ref().filter(|from| from.from == leg) {
            let waits =
                there.and_then(|there| there.moved).is_some_and(|out| (out.leg, out.number) == (message, from.number));
            let facts = MessageMovedBackV1 { message: leg, leg: message, number: from.number };
            return waits.then(|| (EventId::caused_by(event, "moved back"), facts.into()));
        }
        let absent = there.is_none();
        absent.then(|| (EventId::caused_by(event, "moved in"), self.leg().into()))
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
        }
    }

    fn written(&self, (id, event): (EventId, Event)) -> Option<Abroad> {
        let to: SessionId = self.handover.to;
        let partition = routing::partition(&to.into(), self.state.hands.journal.genesis().count);
        let by = Principal::Node(self.state.hands.node);
        let draft = Draft::new(id, to, &event, by, self.now).cause(self.handover.event);
        let record = draft.tenant(self.accepted.tenant).subject(self.handover.leg).record();
        let record =
            record.inspect_err(|error| tracing::error!(%error, message = %self.message, "a move cannot be written"));
        record.ok().map(|record| (partition, record))
    }
}
