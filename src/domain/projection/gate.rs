//! What words on operator's gates change, and where messages go that stand behind one.
//!
//! A message that is queued while a gate bars it never enters the outbox; one that is in the outbox when the gate closes
//! leaves it when its session says so. Either way it stands in the index of its closing, and in the due index for the time
//! at which it expires. While an open gate still has some to let out, whatever would come after them joins them: so those
//! who wait keep their order.

use super::super::event::{Event, GateAskedV1, GateEffectiveV1, GateSetV1, MessagesGatedV1};
use super::super::gate::{Gate, GatesRow, Word};
use super::super::id::{EventId, MessageId, TenantId};
use super::super::message::State;
use super::super::row::{Asked, MessageRow, RowId, Rows};
use super::{Append, Applied, At, Note};

pub(super) fn needs(event: &Event, wanted: &mut Vec<RowId>) {
    match event {
        Event::GateAsked(facts) => wanted.push(RowId::Asks(facts.gate.tenant())),
        Event::GateEffective(facts) => wanted.push(RowId::Asks(facts.gate.tenant())),
        Event::MessagesGated(facts) => wanted.extend(facts.messages.iter().map(|message| RowId::Message(*message))),
        _ => {}
    }
}

pub(super) fn apply(at: At<'_>, event: &Event, rows: &mut Rows, out: &mut Applied) {
    match event {
        Event::GateSet(facts) => set(at, facts, rows, out),
        Event::GateAsked(facts) => asked(at, facts, rows, out),
        Event::GateEffective(facts) => effective(facts, rows, out),
        Event::MessagesGated(facts) => gated(at, facts, rows, out),
        _ => {}
    }
}

fn set(at: At<'_>, facts: &GateSetV1, rows: &mut Rows, out: &mut Applied) {
    let mut row = rows.gates(at.partition).cloned().unwrap_or_default();
    let closed = facts.closed.then_some(facts.reason.as_str());
    let (asked, over) = ((facts.asked, facts.at), facts.over.unwrap_or(false));
    if row.take(Word { gate: &facts.gate, asked, closed, over, at: at.header.at }) {
        rows.put_gates(at.partition, row);
        out.notes.push(Note::GatesChanged);
    }
}

fn asked(at: At<'_>, facts: &GateAskedV1, rows: &mut Rows, out: &mut Applied) {
    let tenant = facts.gate.tenant();
    let mut row = rows.asks(tenant).cloned().unwrap_or_default();
    // Somebody else's gate is nobody's to ask for here, and a campaign's moves with the campaign.
    let own = at.header.tenant == Some(tenant) && facts.gate.campaign().is_none();
    if !own || !row.is_new(&facts.gate, at.header.id) {
        return;
    }
    let asked = Asked::at(at.header, at.position, facts.gate.clone(), facts.closed, &facts.reason);
    row.take(asked);
    put(tenant, row, rows, out);
}

fn effective(facts: &GateEffectiveV1, rows: &mut Rows, out: &mut Applied) {
    let tenant = facts.gate.tenant();
    let mut row = rows.asks(tenant).cloned().unwrap_or_default();
    if row.make_effective(facts.asked) {
        put(tenant, row, rows, out);
    }
}

fn put(tenant: TenantId, row: super::super::row::AsksRow, rows: &mut Rows, out: &mut Applied) {
    rows.put_asks(tenant, row);
    out.notes.push(Note::GatesAsked(tenant));
}

/// Messages leave the outbox, if the closing still lasts and they are still in it. Whatever became of them, their session
/// hears it.
fn gated(at: At<'_>, facts: &MessagesGatedV1, rows: &mut Rows, out: &mut Applied) {
    for message in &facts.messages {
        let row = rows.message(*message).filter(|row| row.state() == State::Queued && row.waits_since().is_none());
        if let Some(mut row) = row.filter(|row| !row.awaits_release()).cloned() {
            let barred = row.accepted.as_ref().and_then(|accepted| rows.gates(at.partition)?.bars(accepted));
            if barred == Some(facts.closing) {
                leave(*message, &mut row, facts.closing, out);
                row.through = at.position;
                rows.put_message(*message, row);
            }
        }
        out.notes.push(Note::MessageChanged { session: facts.session, message: *message });
    }
}

fn leave(message: MessageId, row: &mut MessageRow, closing: EventId, out: &mut Applied) {
    row.gate(closing);
    let ends = row.accepted.as_ref().map(|accepted| (accepted.expires_at, accepted.fact.position));
    let entered = row.entered();
    out.appends.extend(entered.map(|at| Append::Gated { closing, at, message }));
    out.appends.extend(ends.map(|(at, place)| Append::Due { at, place, message }));
}

/// Keeps a message that is about to enter the outbox back, if it has to wait for a gate. Says whether it did.
pub(super) fn keep_back(at: At<'_>, message: MessageId, row: &mut MessageRow, rows: &Rows, out: &mut Applied) -> bool {
    let waits_for = |gates: &GatesRow, accepted: &_| gates.waits_for(accepted, at.header.at);
    keep(message, row, rows.gates(at.partition), out, waits_for)
}

/// The same for one that has waited for its turn among those whom an open gate lets out: only a closed one keeps it.
pub(super) fn keep_back_if_closed(
    at: At<'_>,
    message: MessageId,
    row: &mut MessageRow,
    rows: &Rows,
    out: &mut Applied,
) -> bool {
    keep(message, row, rows.gates(at.partition), out, GatesRow::bars)
}

fn keep(
    message: MessageId,
    row: &mut MessageRow,
    gates: Option<&GatesRow>,
    out: &mut Applied,
    waits_for: impl Fn(&GatesRow, &super::super::row::Accepted) -> Option<EventId>,
) -> bool {
    // Where no word was ever heard there is no row, and a campaign is closed all the same.
    let nothing = GatesRow::default();
    let gates = gates.unwrap_or(&nothing);
    let closing = row.accepted.as_ref().and_then(|accepted| waits_for(gates, accepted));
    if let Some(closing) = closing {
        leave(message, row, closing, out);
    }
    closing.is_some()
}

/// Counts the messages behind each closing, as their rows changed; `met` are campaigns whose messages wait unstarted.
pub(super) fn count(at: At<'_>, moves: &[(EventId, i64)], met: Vec<Gate>, rows: &mut Rows) {
    if moves.is_empty() {
        return;
    }
    let row = rows.gates_mut(at.partition);
    met.into_iter().for_each(|gate| row.meet(gate));
    row.count(moves);
}
