//! Leases between nodes: a session whose tenant lives on another one asks in the tenant's mailbox, and is lent to in its own.
//!
//! Nothing of it is retried: a question without an answer is asked again by the session, and a grant that comes after that
//! answers no question any more. What was lent and never heard of is lent in vain, and the budget is the smaller for it,
//! never the larger.

use super::hands::Hands;
use super::registry::Ask;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, LeaseAskedV1, LeaseGrantedV1};
use crate::domain::id::{EventId, SessionId, TenantId};
use crate::domain::record::Principal;
use crate::domain::routing;

/// Asks, unless the tenant is to be found in this process. Says which grant answers it.
pub fn ask(hands: &Hands, tenant: TenantId, session: SessionId, wanted: u32) -> Option<EventId> {
    let home = routing::partition(&tenant.into(), hands.journal.genesis().count);
    if hands.registry.owns(home) {
        return None;
    }
    let id = EventId(hands.entropy.id());
    let event = Event::from(LeaseAskedV1 { tenant, session, wanted });
    let draft = Draft::new(id, tenant, &event, Principal::Node(hands.node), hands.clock.wall()).tenant(tenant);
    append(hands, home, draft);
    Some(answer(id))
}

/// A question of another node, as a tenant hears it.
#[must_use]
pub fn asked(hands: &Hands, question: EventId, (session, wanted): (SessionId, u32)) -> Ask {
    let hands = hands.clone();
    let grant = Box::new(move |amount, lasts| {
        // Whoever reads it takes it for as long as that is after the event's own time.
        let now = hands.clock.wall();
        let event = Event::from(LeaseGrantedV1 { session, amount, until: now + lasts });
        let draft = Draft::new(answer(question), session, &event, Principal::Node(hands.node), now).cause(question);
        append(&hands, routing::partition(&session.into(), hands.journal.genesis().count), draft);
    });
    Ask { session, wanted, grant }
}

fn answer(question: EventId) -> EventId {
    EventId::caused_by(question, "lease")
}

fn append(hands: &Hands, partition: u16, draft: Draft) {
    match draft.record() {
        // Refused or doubtful: nobody hears of it, and it is asked again.
        Ok(record) => drop(hands.journal.append(partition, vec![record])),
        Err(error) => tracing::error!(%error, "a lease cannot be written"),
    }
}
