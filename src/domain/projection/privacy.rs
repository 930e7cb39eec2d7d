//! What people's rights change: what is open, what was done, and what is known of a person afterwards: nothing.
//!
//! An erasure that is asked for twice is one. One that is carried out leaves of the contact when it was, and takes no other.

use super::super::event::{AccessGivenV1, ContactErasedV1, ErasureAskedV1, Event, LegalHoldSetV1};
use super::super::id::KeyId;
use super::super::row::{ContactRow, OfContact, OpenErasure, RequestRow, Right, RowId, Rows};
use super::{Append, Applied, At, Note};

fn contact_of(event: &Event) -> Option<KeyId> {
    match event {
        Event::ErasureAsked(facts) => Some(facts.contact),
        Event::ContactErased(facts) => Some(facts.contact),
        Event::LegalHoldSet(facts) => Some(facts.contact),
        Event::AccessGiven(facts) => Some(facts.contact),
        _ => None,
    }
}

pub(super) fn needs(at: At<'_>, event: &Event, wanted: &mut Vec<RowId>) {
    if let Some(contact) = contact_of(event) {
        wanted.extend([RowId::Contact(contact), RowId::Privacy(at.partition)]);
    }
}

pub(super) fn apply(at: At<'_>, event: &Event, rows: &mut Rows, out: &mut Applied) {
    match event {
        Event::ErasureAsked(facts) => asked(at, facts, rows, out),
        Event::ContactErased(facts) => erased(at, facts, rows, out),
        Event::LegalHoldSet(facts) => held(at, facts, rows, out),
        Event::AccessGiven(facts) => accessed(at, facts, rows, out),
        _ => {}
    }
}

fn held(at: At<'_>, facts: &LegalHoldSetV1, rows: &mut Rows, out: &mut Applied) {
    if is_new(at, facts.contact, rows) {
        let right = if facts.held { Right::LegalHold } else { Right::LegalHoldLifted };
        hold(at, (facts.contact, facts.held), rows, out);
        record(at, done(at, facts.contact, right, &facts.reason), out);
    }
}

fn accessed(at: At<'_>, facts: &AccessGivenV1, rows: &mut Rows, out: &mut Applied) {
    if is_new(at, facts.contact, rows) {
        record(at, done(at, facts.contact, Right::Access, &facts.reason), out);
    }
}

/// Whether this word was not taken yet; from here on it is. A copy of it may stand at a later place.
fn is_new(at: At<'_>, contact: KeyId, rows: &mut Rows) -> bool {
    let mut row = rows.contact(contact).cloned().unwrap_or_default();
    let new = row.controls.is_new(at.header.id);
    if new {
        row.controls.remember(at.header.id);
        rows.put_contact(contact, row);
    }
    new
}

fn asked(at: At<'_>, facts: &ErasureAskedV1, rows: &mut Rows, out: &mut Applied) {
    let mut row = rows.contact(facts.contact).cloned().unwrap_or_default();
    let Some(tenant) = at.header.tenant.filter(|_| row.erasure.is_none() && row.erased_at.is_none()) else {
        return;
    };
    row.erasure = Some(at.header.id);
    let mut open = rows.privacy(at.partition).cloned().unwrap_or_default();
    open.erasures.push(OpenErasure {
        asked: at.header.id,
        tenant,
        contact: facts.contact,
        asked_at: at.header.at,
        due_at: facts.due_at,
        reason: facts.reason.clone(),
        by: at.header.by,
        held: row.legal_hold,
    });
    rows.put_contact(facts.contact, row);
    rows.put_privacy(at.partition, open);
    out.appends.push(Append::OfContact { contact: facts.contact, row: OfContact::Right });
    out.notes.push(Note::ErasuresChanged);
}

/// Its keys are gone whatever stood here: what was read of it before counts no more.
fn erased(at: At<'_>, facts: &ContactErasedV1, rows: &mut Rows, out: &mut Applied) {
    let before = rows.contact(facts.contact).cloned().unwrap_or_default();
    if before.erased_at.is_some() {
        return;
    }
    let row = ContactRow { erased_at: Some(facts.destroyed_at), ..ContactRow::default() };
    rows.put_contact(facts.contact, row);
    let mut privacy = rows.privacy(at.partition).cloned().unwrap_or_default();
    let open = privacy.erasures.iter().position(|open| open.contact == facts.contact);
    if let Some(open) = open.map(|place| privacy.erasures.remove(place)) {
        let request = RequestRow {
            asked: open.asked,
            contact: open.contact,
            right: Right::Erasure,
            done_at: facts.destroyed_at,
            reason: open.reason,
            by: open.by,
            asked_at: open.asked_at,
            messages: facts.messages,
            cancelled: facts.cancelled,
            opt_out_kept: facts.opt_out_kept,
        };
        rows.put_privacy(at.partition, privacy);
        record(at, request, out);
    }
    out.notes.extend([Note::ContactChanged(facts.contact), Note::ErasuresChanged]);
}

fn hold(at: At<'_>, (contact, held): (KeyId, bool), rows: &mut Rows, out: &mut Applied) {
    let mut row = rows.contact(contact).cloned().unwrap_or_default();
    if row.legal_hold == held || row.erased_at.is_some() {
        return;
    }
    row.legal_hold = held;
    if row.erasure.is_some() {
        let mut privacy = rows.privacy(at.partition).cloned().unwrap_or_default();
        privacy.erasures.iter_mut().filter(|open| open.contact == contact).for_each(|open| open.held = held);
        rows.put_privacy(at.partition, privacy);
        out.notes.push(Note::ErasuresChanged);
    }
    rows.put_contact(contact, row);
}

/// What is done by being said.
fn done(at: At<'_>, contact: KeyId, right: Right, reason: &str) -> RequestRow {
    RequestRow {
        asked: at.header.id,
        contact,
        right,
        done_at: at.header.at,
        reason: reason.to_owned(),
        by: at.header.by,
        asked_at: at.header.at,
        messages: 0,
        cancelled: 0,
        opt_out_kept: false,
    }
}

fn record(at: At<'_>, row: RequestRow, out: &mut Applied) {
    if let Some(tenant) = at.header.tenant {
        out.appends.push(Append::OfContact { contact: row.contact, row: OfContact::Right });
        out.appends.push(Append::Request { tenant, row });
    }
}
