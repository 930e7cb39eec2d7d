//! Mutants: the real functions with one rule taken out, each of which the search must find.
//!
//! They wrap the real [`projection::apply`]: what it judged void for the missing rule alone is opened after all.

use waybill::domain::event::{AttemptsStartedV1, Event, MessageMovedOutV1};
use waybill::domain::projection::{self, Applied, At, Note};
use waybill::domain::row::{Attempt, Fact, Handover, MessageRow, Rows};
use waybill::domain::validity::{Void, attempt_counts};

use super::symbol::PARTITION;

/// Which rule is missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mutation {
    /// None: the real thing.
    None,
    /// Every claim counts, and intents are not asked for theirs.
    NoClaimCheck,
    /// Intents are not asked which life of the actor proposed them.
    NoIncarnation,
    /// The same intent at another position is a new one.
    PositionOnlyDedup,
    /// Outcomes from before the last claim are dropped.
    OldOutcomesIgnored,
    /// Intents are not asked whether their message stands behind a closed gate.
    GateIgnored,
    /// A message leaves for another mailbox although an attempt of it is open.
    MovesUnderWay,
    /// A message that comes back is passed by where the rows of its home do not show that it is waited for.
    AbsentIsOver,
    /// A new owner sends unknown attempts again without waiting for their deadline.
    NoDeadline,
}

/// Applies one event the way the mutant does.
pub fn apply(mutation: Mutation, at: At<'_>, event: &Event, rows: &mut Rows) -> Applied {
    let claim = rows.partition(at.partition).and_then(|row| row.claim);
    if let (Mutation::OldOutcomesIgnored, Event::AttemptsClosed(_)) = (mutation, event)
        && at.header.epoch < claim
    {
        return Applied::default();
    }
    let mut applied = projection::apply(at, event, rows).expect("every event is known");
    match (mutation, event) {
        (Mutation::NoClaimCheck, Event::Claimed(_)) => every_claim(at, rows, &mut applied),
        (Mutation::MovesUnderWay, Event::MessageMovedOut(facts)) => moves(at, facts, rows),
        (_, Event::AttemptsStarted(facts)) => reopen(mutation, at, facts, rows, &mut applied),
        _ => {}
    }
    applied
}

fn moves(at: At<'_>, facts: &MessageMovedOutV1, rows: &mut Rows) {
    let open = rows.message(facts.message).filter(|row| row.open_attempt().is_some());
    if let Some(mut row) = open.filter(|row| row.moved.is_none()).cloned() {
        let fact = Fact { at: at.header.at, position: at.position };
        let (to, leg, number, event) = (facts.to, facts.leg, facts.number, at.header.id);
        row.move_out(Handover { to, leg, number, fact, event });
        rows.put_message(facts.message, row);
    }
}

fn every_claim(at: At<'_>, rows: &mut Rows, applied: &mut Applied) {
    let mut row = rows.partition(PARTITION).cloned().unwrap_or_default();
    if row.claim != Some(at.position) {
        row.claim = Some(at.position);
        rows.put_partition(PARTITION, row);
        let epoch = at.position;
        applied.notes.push(Note::Claimed { epoch });
    }
}

/// Whether the mutant lets this intent act although the real rules call it void.
fn lenient(mutation: Mutation, void: Void, row: Option<&MessageRow>, attempt: u16) -> bool {
    let counts = attempt_counts(row, attempt).is_ok();
    let again = row.and_then(|row| row.open_attempt());
    match (mutation, void) {
        (Mutation::NoClaimCheck, Void::OtherClaim | Void::OtherLife) | (Mutation::NoIncarnation, Void::OtherLife) => {
            counts
        }
        (Mutation::GateIgnored, Void::Gated) => counts,
        (Mutation::PositionOnlyDedup, Void::Repeated) => again.is_some_and(|open| open.number == attempt),
        _ => false,
    }
}

fn reopen(mutation: Mutation, at: At<'_>, facts: &AttemptsStartedV1, rows: &mut Rows, applied: &mut Applied) {
    for note in &mut applied.notes {
        let Note::Intents { judged, .. } = note else {
            continue;
        };
        for (of, verdict) in judged {
            let row = rows.message(of.message);
            let Err(void) = *verdict else { continue };
            if !lenient(mutation, void, row, of.attempt) {
                continue;
            }
            let mut row = row.cloned().unwrap_or_default();
            row.attempts.retain(|attempt| attempt.number != of.attempt);
            row.start(Attempt {
                number: of.attempt,
                started: Fact { at: at.header.at, position: at.position },
                epoch: at.header.epoch.unwrap_or_default(),
                incarnation: facts.incarnation,
                deadline_ms: facts.deadline_ms,
                ended: None,
            });
            rows.put_message(of.message, row);
            *verdict = Ok(());
        }
    }
}
