//! What events in a contact's mailbox change: consent, service windows and holds.

use super::super::event::Event;
use super::super::id::KeyId;
use super::super::row::{OfContact, RowId, Rows};
use super::{Append, Applied, At, Note};

/// Sessions whose window is kept on a contact's row, 24 bytes each; the one that ends first gives way.
const MAX_WINDOWS: usize = 8;

fn contact_of(event: &Event) -> Option<KeyId> {
    match event {
        Event::ConsentChanged(facts) => Some(facts.contact),
        Event::WindowOpened(facts) => Some(facts.contact),
        Event::AliasAdded(facts) => Some(facts.contact),
        Event::ContactHeld(facts) => Some(facts.contact),
        _ => None,
    }
}

pub(super) fn needs(event: &Event, wanted: &mut Vec<RowId>) {
    wanted.extend(contact_of(event).map(RowId::Contact));
}

pub(super) fn apply(at: At<'_>, event: &Event, rows: &mut Rows, out: &mut Applied) {
    let Some(contact) = contact_of(event) else {
        return;
    };
    let mut row = rows.contact(contact).cloned().unwrap_or_default();
    // Whoever was erased is nobody: a word that was on its way is about somebody who is not kept any more.
    if row.erased_at.is_some() {
        return;
    }
    match event {
        Event::ConsentChanged(facts) => {
            // The later word counts, by when it was said; of two said at once, the refusal.
            let newer = row.marketing.is_none_or(|(allowed, said_at, _)| {
                facts.said_at > said_at || (facts.said_at == said_at && allowed && !facts.marketing)
            });
            if !newer {
                return;
            }
            row.marketing = Some((facts.marketing, facts.said_at, at.position));
            out.appends.push(Append::OfContact { contact, row: OfContact::Consent });
        }
        Event::WindowOpened(facts) => {
            match row.windows.iter_mut().find(|(session, _)| *session == facts.session) {
                Some((_, until)) if *until >= facts.until => return,
                Some((_, until)) => *until = facts.until,
                None => row.windows.push((facts.session, facts.until)),
            }
            row.windows.sort_unstable_by_key(|(_, until)| std::cmp::Reverse(*until));
            row.windows.truncate(MAX_WINDOWS);
        }
        Event::ContactHeld(facts) => {
            if row.held.is_some_and(|(until, _)| until >= facts.until) {
                return;
            }
            row.held = Some((facts.until, facts.code));
        }
        Event::AliasAdded(facts) => row.aliases |= 1 << (facts.kind as u8),
        _ => return,
    }
    rows.put_contact(contact, row);
    out.notes.push(Note::ContactChanged(contact));
}
