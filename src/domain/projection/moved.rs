//! What changes when a message goes from one sender's mailbox to another's.
//!
//! Each half is judged in its own partition: it leaves if it waits here and nothing of it may have been sent, it is taken
//! in if nobody was by that id, it comes back if that very move is not over. So doubled and late copies change nothing. An
//! index of each partition that messages go to holds what left, in the order in which it left, until it has come there
//! (`actors/partition/arrivals.rs`).

use super::super::event::{Event, MessageMovedBackV1, MessageMovedInV1, MessageMovedOutV1};
use super::super::row::{Accepted, Handover, Leg, RowId, Rows, StickyId, StickyRow};
use super::super::validity::{Void, move_counts};
use super::message::enter;
use super::{About, Append, Applied, At, Note, outcome, tell};

pub(super) fn needs(event: &Event, wanted: &mut Vec<RowId>) {
    match event {
        Event::MessageMovedOut(facts) => {
            wanted.push(RowId::Message(facts.message));
            if let Some(contact) = facts.person {
                wanted
                    .extend([RowId::Session(facts.session), RowId::Sticky(StickyId { pool: facts.session, contact })]);
            }
        }
        Event::MessageMovedIn(facts) => wanted.push(RowId::Message(facts.accepted.message)),
        Event::MessageMovedBack(facts) => wanted.push(RowId::Message(facts.message)),
        _ => {}
    }
}

pub(super) fn apply(at: At<'_>, event: &Event, rows: &mut Rows, out: &mut Applied) {
    match event {
        Event::MessageMovedOut(facts) => moved_out(at, facts, rows, out),
        Event::MessageMovedIn(facts) => moved_in(at, facts, rows, out),
        Event::MessageMovedBack(facts) => moved_back(at, facts, rows, out),
        _ => {}
    }
}

fn moved_out(at: At<'_>, facts: &MessageMovedOutV1, rows: &mut Rows, out: &mut Applied) {
    let message = facts.message;
    let verdict = move_counts(rows.message(message), facts.number);
    let Some(mut row) = rows.message(message).filter(|_| verdict != Err(Void::Repeated)).cloned() else {
        return;
    };
    let (to, leg, number) = (facts.to, facts.leg, facts.number);
    if verdict.is_err() {
        // It is used up by that, or a late copy of it would do what nobody asked for by then.
        row.moves = number;
        rows.put_message(message, row);
        return;
    }
    row.move_out(Handover { to, leg, number, fact: at.fact(), event: at.header.id });
    row.through = at.position;
    rows.put_message(message, row);
    out.appends.push(Append::Moved { to: leg.partition(), message });
    out.notes.push(Note::MovedOut);
    match facts.person {
        Some(contact) => remember(StickyId { pool: facts.session, contact }, facts, rows),
        // Its session has it in memory.
        None => out.notes.push(Note::MessageChanged { session: facts.session, message }),
    }
}

/// The person is written to from this session from here on.
fn remember(id: StickyId, facts: &MessageMovedOutV1, rows: &mut Rows) {
    let before = rows.sticky(id).map(|row| row.session);
    if before == Some(facts.to) {
        return;
    }
    rows.put_sticky(id, StickyRow { session: facts.to });
    if let Some(mut row) = rows.session(id.pool).cloned() {
        for member in &mut row.members {
            member.people += u64::from(member.session == facts.to);
            member.people = member.people.saturating_sub(u64::from(Some(member.session) == before));
        }
        rows.put_session(id.pool, row);
    }
}

fn moved_in(at: At<'_>, facts: &MessageMovedInV1, rows: &mut Rows, out: &mut Applied) {
    let message = facts.accepted.message;
    let (Some(tenant), None) = (at.header.tenant, rows.message(message)) else {
        return;
    };
    let fact = super::super::row::Fact { at: facts.at, position: at.position };
    let leg = Leg {
        origin: facts.origin,
        from: facts.from,
        sender: facts.sender,
        number: facts.number,
        partition: facts.partition,
        position: facts.position,
        depth: facts.depth,
        round: facts.round.unwrap_or_default(),
    };
    let mut row = super::super::row::MessageRow { through: at.position, ..Default::default() };
    let accepted = Accepted {
        leg: Some(Box::new(leg)),
        ..Accepted::of(&facts.accepted, tenant, fact, (facts.event, at.header.by))
    };
    row.accept(accepted);
    enter(at, message, &mut row, rows, out);
    rows.put_message(message, row);
}

fn moved_back(at: At<'_>, facts: &MessageMovedBackV1, rows: &mut Rows, out: &mut Applied) {
    let message = facts.message;
    let Some(mut row) = rows.message(message).cloned() else {
        return;
    };
    let Some(accepted) = row.accepted.clone().filter(|_| row.move_back(facts.leg, facts.number, at.fact())) else {
        return;
    };
    let (tenant, session, round) = (accepted.tenant, accepted.session, row.round);
    match outcome::called_off(&row) {
        Some(kind) => tell(out, at, About { tenant, session, message, round, kind, step: &[], code: 0, class: "" }),
        None => enter(at, message, &mut row, rows, out),
    }
    row.through = at.position;
    rows.put_message(message, row);
}
