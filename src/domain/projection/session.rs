//! What events about a session itself change.

use super::super::event::{Event, SessionDeclaredV1};
use super::super::id::{EventId, SessionId, TenantId, derive};
use super::super::notification::NotificationKind;
use super::super::row::{HeldRow, Incarnation, PacedRow, RowId, Rows, SessionRow, Suspended};
use super::account::name;
use super::{Append, Applied, At, FeedRow, Note};

fn session_of(event: &Event) -> Option<SessionId> {
    match event {
        Event::SessionDeclared(facts) => Some(facts.session),
        Event::SessionStarted(facts) => Some(facts.session),
        Event::SessionSuspended(facts) => Some(facts.session),
        Event::SessionResumed(facts) => Some(facts.session),
        Event::SessionDraining(facts) => Some(facts.session),
        Event::SessionHeld(facts) => Some(facts.session),
        Event::SessionPaced(facts) => Some(facts.session),
        Event::SessionReleased(facts) => Some(facts.session),
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
        return declared(at, facts, rows, out);
    }
    let Some(mut row) = rows.session(session).cloned() else {
        return;
    };
    if !row.controls.is_new(at.header.id) {
        return;
    }
    let mut lifted = false;
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
        Event::SessionSuspended(facts) => {
            let since = row.suspended.map_or(at.header.at, |before| before.since);
            row.suspended = Some(Suspended { since, reason: facts.reason.clone() });
        }
        Event::SessionDraining(facts) => row.draining = Some(facts.reason.clone()),
        Event::SessionResumed(_) => (row.suspended, row.draining) = (None, None),
        Event::SessionReleased(facts) => {
            lifted = facts.reason.is_some();
            let teller = Teller { at, session, tenant: row.tenant };
            teller.let_go(row.held.take(), out);
            if lifted {
                teller.at_pace(row.paced.take(), out);
            }
        }
        _ => slowed(at, event, session, &mut row, out),
    }
    row.controls.remember(at.header.id);
    rows.put_session(session, row);
    out.notes.push(Note::SessionChanged(session));
    if lifted {
        out.notes.push(Note::SessionReleased(session));
    }
}

/// The provider holds it or slows it down. What it goes on with is no news.
fn slowed(at: At<'_>, event: &Event, session: SessionId, row: &mut SessionRow, out: &mut Applied) {
    let teller = Teller { at, session, tenant: row.tenant };
    match event {
        Event::SessionHeld(facts) => {
            let (held, is_news) = HeldRow::after(facts, at.header.at, row.held.as_ref());
            if is_news {
                teller.tell(NotificationKind::SessionHeld, held.code, held.word(), out);
            }
            row.held = Some(held);
        }
        Event::SessionPaced(facts) if facts.per_second < row.per_second => {
            let paced = PacedRow::after(facts, at.header.at, row.paced.as_ref());
            if row.paced.is_none() {
                teller.tell(NotificationKind::SessionHeld, paced.code, paced.word(), out);
            }
            row.paced = Some(paced);
        }
        Event::SessionPaced(_) => teller.at_pace(row.paced.take(), out),
        _ => {}
    }
}

/// A declaration may be what a hold waited for: a new token, or another number. What was learned of the rate stands.
fn declared(at: At<'_>, facts: &SessionDeclaredV1, rows: &mut Rows, out: &mut Applied) {
    let session = facts.session;
    let before = rows.session(session);
    if before.is_some_and(|row| row.declared_at >= at.position || !row.controls.is_new(at.header.id)) {
        return;
    }
    let mut row = SessionRow::declared(facts, at.position, before);
    let teller = Teller { at, session, tenant: row.tenant };
    let mended = row.held.take_if(|held| held.is_of_declaration());
    let lifted = mended.is_some();
    teller.let_go(mended, out);
    let per_second = row.per_second;
    teller.at_pace(row.paced.take_if(|paced| paced.per_second >= per_second), out);
    row.controls.remember(at.header.id);
    rows.put_session(session, row);
    out.appends.push(name("session", facts.tenant.0, &facts.name, session.0));
    out.notes.push(Note::SessionChanged(session));
    if lifted {
        out.notes.push(Note::SessionReleased(session));
    }
}

/// Tells a session's tenant how it stands.
#[derive(Clone, Copy)]
struct Teller<'a> {
    at: At<'a>,
    session: SessionId,
    tenant: TenantId,
}

impl Teller<'_> {
    fn let_go(self, held: Option<HeldRow>, out: &mut Applied) {
        if let Some(held) = held {
            self.tell(NotificationKind::SessionReleased, held.code, held.word(), out);
        }
    }

    fn at_pace(self, paced: Option<PacedRow>, out: &mut Applied) {
        if let Some(paced) = paced {
            self.tell(NotificationKind::SessionReleased, paced.code, paced.word(), out);
        }
    }

    /// The id derives from the event and from what it says of which class.
    fn tell(self, kind: NotificationKind, code: i32, class: String, out: &mut Applied) {
        let parts: [&[u8]; 3] = [&self.at.header.id.0, kind.word().as_bytes(), class.as_bytes()];
        let row = FeedRow {
            id: EventId(derive("waybill notification", &parts)),
            kind,
            message: None,
            session: Some(self.session),
            at: self.at.header.at,
            code,
            class,
        };
        out.appends.push(Append::Feed { tenant: self.tenant, row });
        out.notes.push(Note::FeedGrew(self.tenant));
    }
}

#[cfg(test)]
mod tests;
