//! What events about a session itself change.

use super::super::event::Event;
use super::super::id::SessionId;
use super::super::row::{Incarnation, RowId, Rows, SessionRow};
use super::account::name;
use super::{Applied, At, Note};

fn session_of(event: &Event) -> Option<SessionId> {
    match event {
        Event::SessionDeclared(facts) => Some(facts.session),
        Event::SessionStarted(facts) => Some(facts.session),
        Event::SessionSuspended(facts) => Some(facts.session),
        Event::SessionResumed(facts) => Some(facts.session),
        Event::SessionDraining(facts) => Some(facts.session),
        Event::SessionHeld(facts) => Some(facts.session),
        _ => None,
    }
}

pub(super) fn needs(event: &Event, wanted: &mut Vec<RowId>) {
    wanted.extend(session_of(event).map(RowId::Session));
}

pub(super) fn apply(at: At<'_>, event: &Event, rows: &mut Rows, out: &mut Applied) {
    let Some(session) = session_of(event) else {
        return;
    };
    if let Event::SessionDeclared(facts) = event {
        let before = rows.session(session);
        if before.is_some_and(|row| row.declared_at >= at.position || !row.controls.is_new(at.header.id)) {
            return;
        }
        let mut row = SessionRow::declared(facts, at.position, before);
        row.controls.remember(at.header.id);
        rows.put_session(session, row);
        out.appends.push(name("session", facts.tenant.0, &facts.name, session.0));
        out.notes.push(Note::SessionChanged(session));
        return;
    }
    let Some(mut row) = rows.session(session).cloned() else {
        return;
    };
    if !row.controls.is_new(at.header.id) {
        return;
    }
    match event {
        Event::SessionStarted(_) => {
            let epoch = rows.partition(at.partition).and_then(|partition| partition.claim);
            let Some(epoch) = epoch.filter(|epoch| at.header.epoch == Some(*epoch)) else {
                return;
            };
            if row.incarnation.is_some_and(|life| life.started >= at.position) {
                return;
            }
            row.incarnation = Some(Incarnation { started: at.position, epoch });
            out.notes.push(Note::SessionStarted { session, incarnation: at.position });
        }
        Event::SessionSuspended(facts) => row.suspended = Some(facts.reason.clone()),
        Event::SessionDraining(facts) => row.draining = Some(facts.reason.clone()),
        Event::SessionResumed(_) => (row.suspended, row.draining) = (None, None),
        Event::SessionHeld(facts) => row.held = Some((facts.until, facts.code)),
        _ => return,
    }
    row.controls.remember(at.header.id);
    rows.put_session(session, row);
    out.notes.push(Note::SessionChanged(session));
}
