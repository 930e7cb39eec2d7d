//! Validity of an intent: a pure function of the partition up to the intent's position.
//!
//! It stands under the last valid claim, its actor's life is the living one, the attempt is the next one, the message is
//! still queued and stands behind no closed gate. Whatever may stop a send (cancel, expiry, suspension, a gate, a new
//! claim) is an event before the intent, and so makes it void. Claims fence intents, never facts: outcomes are judged by nobody.

use serde::Serialize;

use super::gate::GatesRow;
use super::message::{NO_ATTEMPT, State};
use super::record::Position;
use super::row::{Incarnation, MessageRow, PartitionRow, SessionRow};

/// Why an intent may not act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Void {
    /// It stands under no claim, or not the last valid one.
    OtherClaim,
    /// Another life of the session's actor has begun since.
    OtherLife,
    /// An operator stopped the session.
    Suspended,
    /// The message stands behind a gate that an operator closed.
    Gated,
    /// The message is not queued (settled, open, unknown, withdrawn, never accepted here).
    NotQueued,
    /// That attempt was already opened: the same intent at a second position.
    Repeated,
}

/// Whether a claim counts: it must name the last valid one.
#[must_use]
pub fn claim_counts(partition: &PartitionRow, supersedes: Option<Position>) -> bool {
    partition.claim == supersedes
}

/// Whether the life that proposes may act at all.
///
/// # Errors
/// Says what voids every intent of this batch.
pub fn life_counts(
    partition: &PartitionRow,
    session: &SessionRow,
    epoch: Option<Position>,
    incarnation: Position,
) -> Result<(), Void> {
    let Some(epoch) = epoch.filter(|epoch| partition.claim == Some(*epoch)) else {
        return Err(Void::OtherClaim);
    };
    if session.incarnation != Some(Incarnation { started: incarnation, epoch }) {
        return Err(Void::OtherLife);
    }
    if session.suspended.is_some() {
        return Err(Void::Suspended);
    }
    Ok(())
}

/// Whether one attempt of a batch may act.
///
/// # Errors
/// Says why it is void.
pub fn attempt_counts(message: Option<&MessageRow>, attempt: u16) -> Result<(), Void> {
    let Some(message) = message else {
        return Err(Void::NotQueued);
    };
    if attempt != message.next_attempt() || attempt == NO_ATTEMPT {
        return Err(Void::Repeated);
    }
    match message.state() {
        State::Queued => Ok(()),
        _ => Err(Void::NotQueued),
    }
}

/// Whether the gates of the partition let a message pass.
///
/// # Errors
/// [`Void::Gated`]: it stays queued, and may leave when the gate opens.
pub fn gates_allow(gates: Option<&GatesRow>, message: Option<&MessageRow>) -> Result<(), Void> {
    // Where no word was ever heard there is no row, and a campaign is closed all the same.
    let nothing = GatesRow::default();
    let accepted = message.and_then(|row| row.accepted.as_ref());
    match accepted.and_then(|accepted| gates.unwrap_or(&nothing).bars(accepted)) {
        Some(_) => Err(Void::Gated),
        None => Ok(()),
    }
}
