//! What outcomes change, and decisions about unknown ones.
//!
//! Outcomes are facts: whoever reports them, in whatever order, the row ends up the same. That an attempt was taken is
//! the firmest word of all; a refusal of another attempt gives way to it.

use super::super::event::{AttemptRef, AttemptsClosedV1, ClosedV1, OutcomeV1, Resolution, UnknownResolvedV1};
use super::super::id::MessageId;
use super::super::message::State;
use super::super::notification::NotificationKind;
use super::super::row::{Accepted, Ended, Fact, Failure, How, MessageRow, Rows};
use super::gate::{keep_back, keep_back_if_closed};
use super::{About, Append, Applied, At, Note, status, tell};

/// What is told of a step: nothing, or a kind with its code and class.
type Word<'a> = (Option<NotificationKind>, i32, &'a str);

pub(super) fn closed(at: At<'_>, facts: &AttemptsClosedV1, rows: &mut Rows, out: &mut Applied) {
    for closed in &facts.closed {
        close_one(at, closed, rows, out);
    }
}

/// The notification that a message is called off, once that holds.
pub(super) fn called_off(row: &MessageRow) -> Option<NotificationKind> {
    match row.state() {
        State::Cancelled => Some(NotificationKind::Cancelled),
        State::Expired => Some(NotificationKind::Expired),
        _ => None,
    }
}

fn close_one(at: At<'_>, closed: &ClosedV1, rows: &mut Rows, out: &mut Applied) {
    let Some(row) = rows.message(closed.of.message) else {
        return;
    };
    let (mut row, Some(accepted)) = (row.clone(), row.accepted.clone()) else {
        return;
    };
    let fact = Fact { at: closed.at, position: at.position };
    let was_unknown = row.state() == State::Unknown;
    let word = match &closed.outcome {
        OutcomeV1::Sent { tag, provider_id } => {
            let first = row.sent.is_none();
            row.mark_sent(closed.of, fact).then(|| {
                row.provider = Some((*tag, Some(provider_id.clone())));
                let orphans = status::adopt(*tag, closed.of, rows);
                status::replay_orphans(at, &accepted, closed.of, &orphans, &mut row, out);
                let kind = match first {
                    true => NotificationKind::Sent,
                    false => NotificationKind::Duplicated,
                };
                (Some(kind), 0, "")
            })
        }
        OutcomeV1::Retry { class, code, not_before, counts } => {
            end(&mut row, closed.of, fact, How::Retry, *code, class).then(|| {
                row.not_before = Some(*not_before);
                row.counted = row.counted.saturating_add(u16::from(counts.unwrap_or(true)));
                let due = row.park(closed.at, *not_before);
                out.appends.extend(due.map(|at| Append::Due {
                    at,
                    place: accepted.fact.position,
                    message: closed.of.message,
                }));
                if due.is_none() && row.state() == State::Queued {
                    comes_back(at, (closed.of.message, &accepted), was_unknown, &mut row, rows, out);
                }
                (called_off(&row), 0, "")
            })
        }
        OutcomeV1::Failed { class, code } => refuse(&mut row, closed.of, fact, How::Failed, *code, class),
        OutcomeV1::Withdrawn { why } => refuse(&mut row, closed.of, fact, How::Withdrawn, 0, why),
        OutcomeV1::Unknown { why } => end(&mut row, closed.of, fact, How::Unknown, 0, why).then(|| {
            let kind = row.sent.is_none().then_some(NotificationKind::Unknown);
            (kind, 0, why.as_str())
        }),
    };
    match word {
        Some(word) => write(at, closed.of, &accepted, row, word, rows, out),
        // A step already taken changes nothing, but a session that ended an attempt has to hear that this one is over.
        None => out.notes.push(Note::MessageChanged { session: accepted.session, message: closed.of.message }),
    }
}

/// One that waits for its next attempt. Where it was believed unknown, nobody looks at its place in the outbox any more.
fn comes_back(
    at: At<'_>,
    (message, accepted): (MessageId, &Accepted),
    was_unknown: bool,
    row: &mut MessageRow,
    rows: &Rows,
    out: &mut Applied,
) {
    if was_unknown {
        row.entered = Some(at.position);
    }
    if !keep_back_if_closed(at, message, row, rows, out) && was_unknown {
        super::message::queue(accepted, message, out);
    }
}

fn end(row: &mut MessageRow, of: AttemptRef, fact: Fact, how: How, code: i32, class: &str) -> bool {
    row.close(of, Ended { fact, how, code, class: class.into() })
}

fn refuse<'a>(
    row: &mut MessageRow,
    of: AttemptRef,
    fact: Fact,
    how: How,
    code: i32,
    class: &'a str,
) -> Option<Word<'a>> {
    let settled = row.state().is_settled();
    if !end(row, of, fact, how, code, class) {
        return None;
    }
    let failure = Failure { fact, class: class.to_owned(), code };
    // Called off is called off: a refusal that comes after it changes nothing. Nor does one of an earlier round.
    let fails = !settled && !row.is_past(of) && row.refuse(failure);
    Some((fails.then_some(NotificationKind::Failed), code, class))
}

/// Writes a row that took a step, and tells it.
fn write(
    at: At<'_>,
    of: AttemptRef,
    accepted: &Accepted,
    mut row: MessageRow,
    (kind, code, class): Word<'_>,
    rows: &mut Rows,
    out: &mut Applied,
) {
    let (tenant, session, message) = (accepted.tenant, accepted.session, of.message);
    if let Some(kind) = kind {
        let attempt = of.attempt.to_be_bytes();
        // Kinds that may happen to more than one attempt name theirs.
        let step: &[u8] = match kind {
            NotificationKind::Unknown | NotificationKind::Duplicated => &attempt,
            _ => &[],
        };
        let round = row.round;
        tell(out, at, About { tenant, session, message, round, kind, step, code, class });
    }
    row.through = at.position;
    rows.put_message(message, row);
    out.notes.push(Note::MessageChanged { session, message });
}

pub(super) fn resolved(at: At<'_>, facts: &UnknownResolvedV1, rows: &mut Rows, out: &mut Applied) {
    let Some(row) = rows.message(facts.of.message) else {
        return;
    };
    let last = row.attempts.last().map(|attempt| attempt.number);
    if row.state() != State::Unknown || last != Some(facts.of.attempt) {
        return;
    }
    let (mut row, Some(accepted)) = (row.clone(), row.accepted.clone()) else {
        return;
    };
    let fact = at.fact();
    let word = match facts.resolution {
        Resolution::Sent => end(&mut row, facts.of, fact, How::Sent, 0, "").then(|| {
            row.sent = Some(fact);
            (Some(NotificationKind::Sent), 0, "")
        }),
        Resolution::Resend => end(&mut row, facts.of, fact, How::Retry, 0, "resent").then(|| {
            row.not_before = None;
            (called_off(&row), 0, "")
        }),
        Resolution::GiveUp => refuse(&mut row, facts.of, fact, How::Failed, 0, "unknown_given_up"),
    };
    let Some(word) = word else {
        return;
    };
    let mut queued = row.state() == State::Queued;
    if queued {
        // Its first place in the outbox may be settled and passed by.
        row.entered = Some(at.position);
        queued = !keep_back(at, facts.of.message, &mut row, rows, out);
    }
    write(at, facts.of, &accepted, row, word, rows, out);
    if queued {
        super::message::queue(&accepted, facts.of.message, out);
    }
}

#[cfg(test)]
mod tests;
