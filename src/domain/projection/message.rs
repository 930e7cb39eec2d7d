//! What acceptance, intents, outcomes and calls-off change.

use super::super::event::{
    AttemptRef, AttemptsClosedV1, AttemptsStartedV1, ClosedV1, Event, MessageAcceptedV1, OutcomeV1, Resolution,
    UnknownResolvedV1,
};
use super::super::id::{MessageId, SessionId, Tag};
use super::super::message::State;
use super::super::notification::NotificationKind;
use super::super::record::Position;
use super::super::row::{Accepted, Attempt, Ended, Fact, Failure, How, IdempotencyRow, MessageRow, RowId, Rows};
use super::super::validity::{Void, attempt_counts, life_counts};
use super::{About, Append, Applied, At, Note, status, tell};

/// The code of a message refused because its idempotency key was used for another body.
pub const IDEMPOTENCY_CONFLICT: &str = "idempotency_conflict";

pub(super) fn needs(event: &Event, wanted: &mut Vec<RowId>) {
    match event {
        Event::MessageAccepted(facts) => {
            wanted.push(RowId::Message(facts.message));
            wanted.extend(facts.idempotency.map(RowId::Idempotency));
        }
        Event::MessageWithdrawn(facts) => wanted.push(RowId::Message(facts.message)),
        Event::MessageCancelled(facts) => wanted.push(RowId::Message(facts.message)),
        Event::MessageExpired(facts) => wanted.push(RowId::Message(facts.message)),
        Event::UnknownResolved(facts) => wanted.push(RowId::Message(facts.of.message)),
        Event::AttemptsStarted(facts) => {
            wanted.push(RowId::Session(facts.session));
            wanted.extend(facts.attempts.iter().map(|of| RowId::Message(of.message)));
        }
        Event::AttemptsClosed(facts) => {
            for closed in &facts.closed {
                wanted.push(RowId::Message(closed.of.message));
                if let OutcomeV1::Sent { tag, .. } = &closed.outcome {
                    wanted.push(RowId::Provider(*tag));
                }
            }
        }
        _ => {}
    }
}

pub(super) fn apply(at: At<'_>, event: &Event, rows: &mut Rows, out: &mut Applied) {
    match event {
        Event::MessageAccepted(facts) => accepted(at, facts, rows, out),
        Event::MessageWithdrawn(facts) => {
            change(at, facts.message, rows, out, |row, _| row.withdraw(facts.nonce));
        }
        Event::AttemptsStarted(facts) => started(at, facts, rows, out),
        Event::AttemptsClosed(facts) => closed(at, facts, rows, out),
        Event::MessageCancelled(facts) => {
            settle(at, facts.message, rows, out, NotificationKind::Cancelled, |row, fact| row.cancelled = Some(fact));
        }
        Event::MessageExpired(facts) => {
            settle(at, facts.message, rows, out, NotificationKind::Expired, |row, fact| row.expired = Some(fact));
        }
        Event::UnknownResolved(facts) => resolved(at, facts, rows, out),
        _ => {}
    }
}

fn accepted(at: At<'_>, facts: &MessageAcceptedV1, rows: &mut Rows, out: &mut Applied) {
    let Some(tenant) = at.header.tenant else {
        return;
    };
    let mut row = rows.message(facts.message).cloned().unwrap_or_default();
    let accepted = Accepted {
        fact: at.fact(),
        event: at.header.id,
        by: at.header.by,
        tenant,
        session: facts.session,
        contact: facts.contact,
        category: facts.category,
        priority: facts.priority,
        unknown: facts.unknown,
        expires_at: facts.expires_at,
        nonce: facts.nonce,
        test: facts.test,
        ordered: facts.ordered,
    };
    if !row.accept(accepted) {
        return;
    }
    row.through = at.position;
    tell(out, at, about_accepted(tenant, facts, NotificationKind::Accepted));
    if facts.idempotency.is_none_or(|tag| wins(tag, facts.message, at.position, rows)) {
        out.appends.push(Append::Outbox { session: facts.session, message: facts.message });
        out.notes.push(Note::Queued { session: facts.session, message: facts.message });
    } else {
        // Admission saw no conflict because the winner was not applied yet: the later one fails, visibly.
        row.failed = Some(Failure { fact: at.fact(), class: IDEMPOTENCY_CONFLICT.to_owned(), code: 0 });
        let about = about_accepted(tenant, facts, NotificationKind::Failed);
        tell(out, at, About { class: IDEMPOTENCY_CONFLICT, ..about });
    }
    rows.put_message(facts.message, row);
}

fn about_accepted<'a>(
    tenant: super::super::id::TenantId,
    facts: &MessageAcceptedV1,
    kind: NotificationKind,
) -> About<'a> {
    About { tenant, session: facts.session, message: facts.message, kind, step: &[], code: 0, class: "" }
}

/// Whether this acceptance is the first under its idempotency key; the row holds the winner, so re-applying recognises it.
fn wins(tag: Tag, message: MessageId, position: Position, rows: &mut Rows) -> bool {
    match rows.idempotency(tag) {
        Some(winner) => winner.message == message,
        None => {
            rows.put_idempotency(tag, IdempotencyRow { message, position });
            true
        }
    }
}

fn started(at: At<'_>, facts: &AttemptsStartedV1, rows: &mut Rows, out: &mut Applied) {
    let life = match (rows.partition(at.partition), rows.session(facts.session)) {
        (_, Some(session)) if !session.controls.is_new(at.header.id) => Err(Void::Repeated),
        (Some(partition), Some(session)) => life_counts(partition, session, at.header.epoch, facts.incarnation),
        _ => Err(Void::OtherClaim),
    };
    let counts = |of: &AttemptRef| attempt_counts(rows.message(of.message), of.attempt).is_ok();
    if life == Err(Void::Suspended) && facts.attempts.iter().any(counts) {
        remember_void(at, facts.session, rows);
    }
    let mut judged = Vec::with_capacity(facts.attempts.len());
    for of in &facts.attempts {
        let verdict = life.and_then(|()| attempt_counts(rows.message(of.message), of.attempt));
        if verdict.is_ok() {
            let mut row = rows.message(of.message).cloned().unwrap_or_default();
            row.start(Attempt {
                number: of.attempt,
                started: at.fact(),
                epoch: at.header.epoch.unwrap_or_default(),
                incarnation: facts.incarnation,
                deadline_ms: facts.deadline_ms,
                ended: None,
            });
            row.through = at.position;
            rows.put_message(of.message, row);
        }
        judged.push((*of, verdict));
    }
    out.notes.push(Note::Intents { session: facts.session, event: at.header.id, judged });
}

/// A stop does not last, a void intent does: without this a copy of it that lands after the session was let go would be
/// valid, and nobody would act on it. An actor has one batch on its way, so a stop voids one or two.
fn remember_void(at: At<'_>, session: SessionId, rows: &mut Rows) {
    let Some(mut row) = rows.session(session).cloned() else {
        return;
    };
    row.controls.remember(at.header.id);
    rows.put_session(session, row);
}

fn closed(at: At<'_>, facts: &AttemptsClosedV1, rows: &mut Rows, out: &mut Applied) {
    for closed in &facts.closed {
        close_one(at, closed, rows, out);
        // Also of an outcome that came too late to change anything, as one does that a callback overtook: whoever
        // proposed it waits for it to be recorded.
        out.notes.push(Note::MessageChanged { session: facts.session, message: closed.of.message });
    }
}

fn close_one(at: At<'_>, closed: &ClosedV1, rows: &mut Rows, out: &mut Applied) {
    let Some(row) = rows.message(closed.of.message) else {
        return;
    };
    let Some(accepted) = row.accepted.clone() else {
        return;
    };
    let mut row = row.clone();
    let fact = Fact { at: closed.at, position: at.position };
    let (kind, code, class): (Option<NotificationKind>, i32, &str) = match &closed.outcome {
        OutcomeV1::Sent { tag, provider_id } => {
            let first = row.sent.is_none();
            if !row.mark_sent(closed.of, fact) {
                return;
            }
            row.provider = Some((*tag, Some(provider_id.clone())));
            let orphans = status::adopt(*tag, closed.of, rows);
            status::replay_orphans(at, &accepted, closed.of, &orphans, &mut row, out);
            (Some(if first { NotificationKind::Sent } else { NotificationKind::Duplicated }), 0, "")
        }
        OutcomeV1::Retry { class, code, not_before } => {
            if !row.close(closed.of, Ended { fact, how: How::Retry, code: *code }) {
                return;
            }
            row.not_before = Some(*not_before);
            (None, *code, class)
        }
        OutcomeV1::Failed { class, code } => {
            let firmer = row.close(closed.of, Ended { fact, how: How::Failed, code: *code });
            if !firmer || row.sent.is_some() {
                return;
            }
            row.failed = Some(Failure { fact, class: class.clone(), code: *code });
            (Some(NotificationKind::Failed), *code, class)
        }
        OutcomeV1::Unknown { why } => {
            if row.sent.is_some() || !row.close(closed.of, Ended { fact, how: How::Unknown, code: 0 }) {
                return;
            }
            (Some(NotificationKind::Unknown), 0, why)
        }
        OutcomeV1::Withdrawn { why } => {
            if !row.close(closed.of, Ended { fact, how: How::Withdrawn, code: 0 }) {
                return;
            }
            row.failed = Some(Failure { fact, class: why.clone(), code: 0 });
            (Some(NotificationKind::Failed), 0, why)
        }
    };
    if let Some(kind) = kind {
        let step = closed.of.attempt.to_be_bytes();
        let step: &[u8] =
            if matches!(kind, NotificationKind::Unknown | NotificationKind::Duplicated) { &step } else { &[] };
        let (tenant, session, message) = (accepted.tenant, accepted.session, closed.of.message);
        tell(out, at, About { tenant, session, message, kind, step, code, class });
    }
    row.through = at.position;
    rows.put_message(closed.of.message, row);
}

fn resolved(at: At<'_>, facts: &UnknownResolvedV1, rows: &mut Rows, out: &mut Applied) {
    let Some(row) = rows.message(facts.of.message) else {
        return;
    };
    let last = row.attempts.last();
    if row.state() != State::Unknown || last.map(|attempt| attempt.number) != Some(facts.of.attempt) {
        return;
    }
    let how = match facts.resolution {
        Resolution::Sent => How::Sent,
        Resolution::Resend => How::Retry,
        Resolution::GiveUp => How::Failed,
    };
    change(at, facts.of.message, rows, out, |row, fact| {
        row.close(facts.of, Ended { fact, how, code: 0 });
        match facts.resolution {
            Resolution::Sent => row.sent = Some(fact),
            Resolution::Resend => row.not_before = None,
            Resolution::GiveUp => {
                row.failed = Some(Failure { fact, class: "unknown_given_up".to_owned(), code: 0 });
            }
        }
        true
    });
    let kind = match facts.resolution {
        Resolution::Sent => NotificationKind::Sent,
        Resolution::Resend => return,
        Resolution::GiveUp => NotificationKind::Failed,
    };
    let Some(accepted) = rows.message(facts.of.message).and_then(|row| row.accepted.as_ref()) else {
        return;
    };
    let (tenant, session, message) = (accepted.tenant, accepted.session, facts.of.message);
    let class = if kind == NotificationKind::Failed { "unknown_given_up" } else { "" };
    tell(out, at, About { tenant, session, message, kind, step: &[], code: 0, class });
}

/// Settles a message that is queued or unknown: an open attempt is awaited instead.
fn settle(
    at: At<'_>,
    message: MessageId,
    rows: &mut Rows,
    out: &mut Applied,
    kind: NotificationKind,
    set: impl FnOnce(&mut MessageRow, Fact),
) {
    let Some(row) = rows.message(message) else {
        return;
    };
    if !matches!(row.state(), State::Queued | State::Unknown) {
        return;
    }
    let Some(accepted) = row.accepted.clone() else {
        return;
    };
    change(at, message, rows, out, |row, fact| {
        set(row, fact);
        true
    });
    let (tenant, session) = (accepted.tenant, accepted.session);
    tell(out, at, About { tenant, session, message, kind, step: &[], code: 0, class: "" });
}

/// Changes a message's row, if the step is a new one, and tells its session.
fn change(
    at: At<'_>,
    message: MessageId,
    rows: &mut Rows,
    out: &mut Applied,
    step: impl FnOnce(&mut MessageRow, Fact) -> bool,
) {
    let mut row = rows.message(message).cloned().unwrap_or_default();
    let session = row.accepted.as_ref().map(|accepted| accepted.session);
    if !step(&mut row, at.fact()) {
        return;
    }
    row.through = at.position;
    rows.put_message(message, row);
    if let Some(session) = session {
        out.notes.push(Note::MessageChanged { session, message });
    }
}
