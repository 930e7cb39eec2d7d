//! Templates that the provider paused: it says so in the answer to a message of it, and no other message of the template may
//! leave before somebody has looked at it.
//!
//! The word is one on the template's gate, like an operator's, asked in the tenant's mailbox with the provider's code as the
//! reason; an operator opens the gate again. What is on its way meanwhile is refused too and asks the same, after the same
//! last word under one id, so it is taken once; who finds the gate closed or asked for already asks nothing.

use super::standing::MessageRef;
use crate::actors::append::{self, Persist};
use crate::actors::hands::Hands;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, GateAskedV1};
use crate::domain::failure::Answer;
use crate::domain::gate::Gate;
use crate::domain::record::Principal;
use crate::domain::routing;
use crate::domain::row::{Row, RowId};
use crate::store::rows;

/// Closes the gate of a template, if this answer says that it is paused or disabled.
pub(super) async fn follow(hands: &Hands, reference: MessageRef, template: Option<String>, answer: &Answer) {
    let (Answer::Rejected { code, class, .. }, Some(name)) = (answer, template) else {
        return;
    };
    if reference.test || !class.stops_template(*code) {
        return;
    }
    let (tenant, now) = (reference.tenant, hands.clock.wall());
    let gate = Gate::Template { tenant, name: name.clone() };
    let asked = rows::get(hands.store.as_ref(), &RowId::Asks(tenant)).await;
    // Rows that cannot be read: the next one that is refused asks.
    let last = match asked {
        Ok(Some(Row::Asks(asks))) if asks.on(&gate).is_some_and(|asked| asked.closed) => return,
        Ok(Some(Row::Asks(asks))) => asks.last_on(&gate),
        _ => None,
    };
    let (id, facts) = GateAskedV1::paused(tenant, name, *code, last);
    let event = Event::from(facts);
    let draft = Draft::new(id, tenant, &event, Principal::Meta, now).tenant(tenant);
    let partition = routing::partition(&tenant.into(), hands.journal.genesis().count);
    append::persist(hands, Persist { partition, draft });
}
