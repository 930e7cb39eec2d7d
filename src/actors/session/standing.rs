//! A message's row as the machine sees it, and what the shell needs to act on it.

use crate::actors::hands::Hands;
use crate::domain::event::{AttemptRef, Category};
use crate::domain::gate::GatesRow;
use crate::domain::id::{CampaignId, EventId, KeyId, MessageId, TenantId};
use crate::domain::message::{NO_ATTEMPT, State};
use crate::domain::record::{Micros, Position};
use crate::domain::retry;
use crate::domain::row::{Accepted, How, MessageRow};
use crate::domain::session::{Queued, Standing};

/// Where a message's content is, and under which key: 152 bytes, kept while the message is in memory.
#[derive(Debug, Clone, Copy)]
pub struct MessageRef {
    /// The partition of its acceptance, whose body is its content.
    pub partition: u16,
    /// Its place there.
    pub accepted: Position,
    /// Where it entered the outbox.
    pub entered: Position,
    /// When that was.
    pub at: Micros,
    /// Its acceptance's event, the seal's context.
    pub event: EventId,
    /// Whose it is.
    pub tenant: TenantId,
    /// The recipient.
    pub contact: KeyId,
    /// What it is for.
    pub category: Category,
    /// Never reaches the provider.
    pub test: bool,
    /// Which round of it.
    pub round: u16,
    /// Calling code of the recipient's phone number.
    pub country: Option<u16>,
    /// The campaign behind whose gate it stands.
    pub campaign: Option<CampaignId>,
    /// When it ends.
    pub expires_at: Micros,
}

impl MessageRef {
    fn of(id: MessageId, row: &MessageRow, accepted: &Accepted) -> Self {
        let (partition, position) = accepted.content(id);
        Self {
            round: row.round,
            partition,
            accepted: position,
            entered: row.entered().unwrap_or(accepted.fact.position),
            at: accepted.fact.at,
            event: accepted.event,
            tenant: accepted.tenant,
            contact: accepted.contact,
            category: accepted.category,
            test: accepted.test,
            country: accepted.country,
            campaign: accepted.gate_of_campaign(),
            expires_at: accepted.expires_at,
        }
    }
}

/// What is known of the claim these rows are read under.
#[derive(Debug, Clone, Copy)]
pub struct Tenure {
    /// The own claim.
    pub epoch: Position,
    /// When it was read back, wall time.
    pub since: Micros,
}

/// The standing a row amounts to.
#[must_use]
pub fn standing(
    id: MessageId,
    row: &MessageRow,
    tenure: Tenure,
    hands: &Hands,
    gates: &GatesRow,
) -> (Standing, Option<MessageRef>) {
    let Some(accepted) = &row.accepted else {
        return (Standing::Settled, None);
    };
    let reference = Some(MessageRef::of(id, row, accepted));
    // What the due index or a gate brings back is none of the session's business until then.
    if row.awaits_release() || row.waits_since().is_some() {
        return (Standing::Settled, None);
    }
    match row.state() {
        State::Queued => match gates.bars(accepted) {
            Some(closing) => (Standing::Gated { attempt: row.next_attempt(), closing }, reference),
            None => (Standing::Queued(queued(id, row, accepted, hands.limits.session.lane_block)), reference),
        },
        State::Sending => (open(id, row, accepted, tenure, hands), reference),
        State::Unknown => (unknown(id, row, accepted, hands), reference),
        _ => (Standing::Settled, None),
    }
}

fn queued(id: MessageId, row: &MessageRow, accepted: &Accepted, lane_block: Micros) -> Queued {
    Queued {
        message: id,
        contact: accepted.contact,
        priority: accepted.priority,
        // Tried as often as can be counted, it ends.
        expires_at: if row.next_attempt() == NO_ATTEMPT { 0 } else { accepted.expires_at },
        // The time it waited for has come: nothing is left of it, also not its place before the others.
        not_before: row.not_before.filter(|_| !row.returned()).unwrap_or_default(),
        keeps_until: keeps_place_since(row).map_or(0, |since| since.saturating_add(lane_block)),
        attempt: row.next_attempt(),
        counted: row.counted,
        strict: accepted.ordered,
    }
}

/// When the attempt ended whose place it keeps, if it does.
fn keeps_place_since(row: &MessageRow) -> Option<Micros> {
    let ended = row.attempts.last().and_then(|attempt| attempt.ended.as_ref())?;
    let keeps = ended.how == How::Retry && retry::keeps_place(&ended.class) && !row.returned();
    keeps.then_some(ended.fact.at)
}

/// An open attempt of this process's own claim is awaited while its task runs and over otherwise; one of an older claim
/// may still be written by a frozen node until its deadline has passed since our claim was read back.
fn open(id: MessageId, row: &MessageRow, accepted: &Accepted, tenure: Tenure, hands: &Hands) -> Standing {
    let Some(attempt) = row.open_attempt() else {
        return Standing::Settled;
    };
    let of = AttemptRef { message: id, attempt: attempt.number };
    let presumed_dead =
        if attempt.epoch == tenure.epoch { 0 } else { tenure.since + Micros::from(attempt.deadline_ms) * 1_000 };
    Standing::Open {
        of,
        running: hands.registry.is_running(of),
        presumed_dead,
        expires_at: accepted.expires_at,
        contact: accepted.contact,
        counted: row.counted,
        strict: accepted.ordered,
    }
}

fn unknown(id: MessageId, row: &MessageRow, accepted: &Accepted, hands: &Hands) -> Standing {
    let last = row.attempts.last();
    let since = last.and_then(|attempt| attempt.ended.as_ref()).map_or(0, |ended| ended.fact.at);
    Standing::Unknown {
        of: AttemptRef { message: id, attempt: last.map_or(0, |attempt| attempt.number) },
        policy: accepted.unknown,
        due: hands.unknown_due(accepted.category, since, accepted.expires_at),
        blocks: accepted.ordered.then_some(accepted.contact),
    }
}
