//! What acceptance, intents, outcomes and calls-off change.

use super::super::event::{
    AttemptRef, AttemptsStartedV1, Event, MessageAcceptedV1, MessageReleasedV1, MessageRequeuedV1, MessageWithdrawnV1,
    OutcomeV1,
};
use super::super::id::{MessageId, SessionId, Tag};
use super::super::message::{IDEMPOTENCY_CONFLICT, State};
use super::super::notification::NotificationKind;
use super::super::record::Position;
use super::super::row::{Accepted, Attempt, Failure, IdempotencyRow, MessageRow, OfContact, RowId, Rows};
use super::super::validity::{Void, attempt_counts, gates_allow, life_counts};
use super::gate::{keep_back, keep_back_if_closed};
use super::{About, Append, Applied, At, Note, outcome, tell};

pub(super) fn needs(event: &Event, wanted: &mut Vec<RowId>) {
    match event {
        Event::MessageAccepted(facts) => {
            wanted.push(RowId::Message(facts.message));
            wanted.extend(facts.idempotency.map(RowId::Idempotency));
        }
        Event::MessageWithdrawn(facts) => wanted.push(RowId::Message(facts.message)),
        Event::MessageCancelled(facts) => wanted.push(RowId::Message(facts.message)),
        Event::MessageExpired(facts) => wanted.push(RowId::Message(facts.message)),
        Event::MessageRequeued(facts) => wanted.push(RowId::Message(facts.message)),
        Event::MessageReleased(facts) => wanted.push(RowId::Message(facts.message)),
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
        Event::MessageWithdrawn(facts) => withdrawn(at, facts, rows, out),
        Event::AttemptsStarted(facts) => started(at, facts, rows, out),
        Event::AttemptsClosed(facts) => outcome::closed(at, facts, rows, out),
        Event::MessageCancelled(facts) => {
            let round = facts.round.unwrap_or_default();
            call_off(at, facts.message, (State::Cancelled, round), rows, out);
        }
        Event::MessageExpired(facts) => {
            let round = facts.round.unwrap_or_default();
            call_off(at, facts.message, (State::Expired, round), rows, out);
        }
        Event::MessageRequeued(facts) => requeued(at, facts, rows, out),
        Event::MessageReleased(facts) => released(at, facts, rows, out),
        Event::UnknownResolved(facts) => outcome::resolved(at, facts, rows, out),
        _ => {}
    }
}

fn accepted(at: At<'_>, facts: &MessageAcceptedV1, rows: &mut Rows, out: &mut Applied) {
    let Some(tenant) = at.header.tenant else {
        return;
    };
    let mut row = rows.message(facts.message).cloned().unwrap_or_default();
    let accepted = Accepted::of(facts, tenant, at.fact(), (at.header.id, at.header.by));
    let spares = row.spare.len();
    if !row.accept(accepted) {
        if row.spare.len() > spares {
            row.through = at.position;
            rows.put_message(facts.message, row);
        }
        return;
    }
    row.through = at.position;
    out.appends.push(Append::OfContact { contact: facts.contact, row: OfContact::Message(facts.message) });
    tell(out, at, about_accepted(tenant, facts, NotificationKind::Accepted));
    if facts.idempotency.is_none_or(|tag| wins(tag, facts.message, at.position, rows)) {
        match facts.send_at {
            None => enter(at, facts.message, &mut row, rows, out),
            Some(due) => out.appends.push(Append::Due { at: due, place: at.position, message: facts.message }),
        }
    } else {
        // Admission saw no conflict because the winner was not applied yet: the later one fails, visibly.
        row.failed = Some(Failure { fact: at.fact(), class: IDEMPOTENCY_CONFLICT.to_owned(), code: 0 });
        let about = about_accepted(tenant, facts, NotificationKind::Failed);
        tell(out, at, About { class: IDEMPOTENCY_CONFLICT, ..about });
    }
    rows.put_message(facts.message, row);
}

/// It is to be sent from here on, unless it has to wait for a gate.
pub(super) fn enter(at: At<'_>, message: MessageId, row: &mut MessageRow, rows: &Rows, out: &mut Applied) {
    if !keep_back(at, message, row, rows, out) {
        row.accepted.iter().for_each(|accepted| queue(accepted, message, out));
    }
}

pub(super) fn queue(accepted: &Accepted, message: MessageId, out: &mut Applied) {
    let (session, priority) = (accepted.session, accepted.priority);
    out.appends.push(Append::Outbox { session, priority, message });
    out.notes.push(Note::Queued { session, message });
}

/// A release repeated, of an earlier wait, or of a message that was called off meanwhile, changes nothing.
fn released(at: At<'_>, facts: &MessageReleasedV1, rows: &mut Rows, out: &mut Applied) {
    let message = facts.message;
    let Some(mut row) = rows.message(message).cloned() else {
        return;
    };
    let Some(accepted) = row.accepted.clone() else {
        return;
    };
    let kept = match facts.closing {
        None if row.release(facts.attempt, at.fact()) => keep_back(at, message, &mut row, rows, out),
        Some(closing) if row.ungate(closing, at.fact()) => keep_back_if_closed(at, message, &mut row, rows, out),
        _ => return,
    };
    if !kept {
        queue(&accepted, message, out);
    }
    row.through = at.position;
    rows.put_message(message, row);
}

fn about_accepted<'a>(
    tenant: super::super::id::TenantId,
    facts: &MessageAcceptedV1,
    kind: NotificationKind,
) -> About<'a> {
    About { tenant, session: facts.session, message: facts.message, round: 0, kind, step: &[], code: 0, class: "" }
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
    let pass = |row| gates_allow(rows.gates(at.partition), row);
    let for_now = |of: &AttemptRef| {
        let row = rows.message(of.message);
        is_void_for_now(life.and_then(|()| pass(row)), row, of.attempt)
    };
    if facts.attempts.iter().any(for_now) {
        remember_void(at, facts.session, rows);
    }
    let mut judged = Vec::with_capacity(facts.attempts.len());
    for of in &facts.attempts {
        let row = rows.message(of.message);
        let verdict = life.and_then(|()| attempt_counts(row, of.attempt));
        let verdict = verdict.and_then(|()| gates_allow(rows.gates(at.partition), row));
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

/// Whether an intent is void for a reason that may pass: the session is stopped and may be let go, a gate is closed and
/// may open, the acceptance was withdrawn and another may follow, the message is not released yet, or it failed or expired
/// and may be queued again, or it moved and may come back. Every other reason lasts.
fn is_void_for_now(life: Result<(), Void>, row: Option<&MessageRow>, attempt: u16) -> bool {
    let Some(row) = row.filter(|row| row.next_attempt() == attempt) else {
        return false;
    };
    let stopped = matches!(life, Err(Void::Suspended | Void::Gated));
    match row.state() {
        State::Queued => stopped,
        State::Withdrawn | State::Scheduled | State::Moved => stopped || life.is_ok(),
        // What was sent may still fail.
        State::Sent | State::Failed | State::Expired => (stopped || life.is_ok()) && row.cancelled.is_none(),
        _ => false,
    }
}

/// A void intent is void for ever, also when what voided it has passed: without this a copy that lands later would be
/// valid, and nobody would act on it. An actor has one batch on its way, so this happens once or twice a stop.
fn remember_void(at: At<'_>, session: SessionId, rows: &mut Rows) {
    let Some(mut row) = rows.session(session).cloned() else {
        return;
    };
    row.controls.remember(at.header.id);
    rows.put_session(session, row);
}

/// Calls a message off. One with an open attempt is awaited, and told when that has ended ([`outcome`]).
fn call_off(at: At<'_>, message: MessageId, (how, round): (State, u16), rows: &mut Rows, out: &mut Applied) {
    let Some(row) = rows.message(message) else {
        return;
    };
    let (mut row, Some(accepted)) = (row.clone(), row.accepted.clone()) else {
        return;
    };
    if let Some(moved) = row.moved.filter(|_| how == State::Cancelled)
        && row.call_off_moved(at.fact(), round)
    {
        row.through = at.position;
        rows.put_message(message, row);
        out.appends.push(Append::Moved { to: moved.leg.partition(), message });
        out.notes.push(Note::MovedOut);
        return;
    }
    if !row.call_off(at.fact(), how, round) {
        return;
    }
    if let Some(kind) = outcome::called_off(&row) {
        let (tenant, session) = (accepted.tenant, accepted.session);
        let round = row.round;
        tell(out, at, About { tenant, session, message, round, kind, step: &[], code: 0, class: "" });
    }
    row.through = at.position;
    rows.put_message(message, row);
    out.notes.push(Note::MessageChanged { session: accepted.session, message });
}

/// Queues a message again, as a decision to send an unknown one once more does.
fn requeued(at: At<'_>, facts: &MessageRequeuedV1, rows: &mut Rows, out: &mut Applied) {
    let Some(mut row) = rows.message(facts.message).cloned() else {
        return;
    };
    let Some(begins) = row.requeue(facts.round, at.fact(), facts.expires_at) else {
        return;
    };
    if let Some(accepted) = row.accepted.as_mut().filter(|_| begins) {
        accepted.past_campaign |= facts.past_campaign.unwrap_or(false);
    }
    row.through = at.position;
    // Its first place in the outbox is settled and passed by.
    if begins {
        enter(at, facts.message, &mut row, rows, out);
    }
    rows.put_message(facts.message, row);
}

/// Voids an acceptance. One that takes its place has a place of its own, in the outbox or the due index.
fn withdrawn(at: At<'_>, facts: &MessageWithdrawnV1, rows: &mut Rows, out: &mut Applied) {
    let message = facts.message;
    let mut row = rows.message(message).cloned().unwrap_or_default();
    let nonce = |row: &MessageRow| row.accepted.as_ref().map(|accepted| (accepted.nonce, accepted.session));
    let before = nonce(&row);
    if !row.withdraw(facts.nonce) {
        return;
    }
    let after = nonce(&row);
    row.through = at.position;
    match (after, row.state()) {
        (Some(_), State::Queued) if after != before => {
            row.entered = Some(at.position);
            enter(at, message, &mut row, rows, out);
        }
        (Some(_), State::Scheduled) if after != before => {
            let early = row.accepted.as_ref().and_then(|it| Some((it.send_at?, it.fact.position)));
            out.appends.extend(early.map(|(at, place)| Append::Due { at, place, message }));
        }
        _ => {}
    }
    if let Some((_, session)) = before {
        out.notes.push(Note::MessageChanged { session, message });
    }
    rows.put_message(message, row);
}
