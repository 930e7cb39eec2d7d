//! Forgetting a person: the steps, in an order in which each may be cut short and begun again.
//!
//! 1. The vault destroys the person's keys and names. From here on nothing that was sealed for them opens, wherever it stands:
//!    in the journal, in Kafka, in an archive, an export, a backup of any of them. Names lead to a successor, for now.
//! 2. Whoever spoke of the person by a name has been led to the successor since then, so once the person's own mailbox is
//!    read to its end, nothing that counts is missed: if the last word on marketing is no, it is said of the successor, which
//!    stays as a keyed mark; else the successor is destroyed as well.
//! 3. What waits to be sent to the person is called off, in every partition. What is missed, because it was accepted a moment
//!    ago, fails when its turn comes: its content does not open.
//! 4. That it is done is an event, whose id derives from the word that asked for it, as do those of all the others here.

use std::time::Duration;

use super::hands::Hands;
use crate::domain::draft::Draft;
use crate::domain::event::{ConsentChangedV1, ContactErasedV1, Event, MessageCancelledV1};
use crate::domain::id::{EventId, KeyId, MessageId, derive};
use crate::domain::message::State;
use crate::domain::record::{Micros, Position, Principal, Record, RecordError};
use crate::domain::row::{MessageRow, OfContact, OpenErasure, Row, RowId};
use crate::journal::{Appended, JournalError};
use crate::store::{StoreError, applied, rows as stored};
use crate::vault::VaultError;

/// Where a no to marketing comes from that outlives the person's data.
const KEPT: &str = "erasure";

/// Rows that are looked at, and messages that are called off, at once: 40 KB of events.
const PAGE: usize = 256;

/// How long the rows of the person's mailbox are waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why it is not done; it is tried again.
#[derive(Debug, thiserror::Error)]
pub enum NotDone {
    /// The keys.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The rows.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The end of the mailbox.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// An event that cannot be written.
    #[error(transparent)]
    Record(#[from] RecordError),
    /// The journal does not take an event.
    #[error("the journal did not take it: {0:?}")]
    NotAppended(Appended),
    /// The rows are behind.
    #[error("the rows of partition {0} are behind its journal")]
    Behind(u16),
}

/// Forgets a person whose mailbox is in this partition.
///
/// # Errors
/// When a hand does not answer: nothing is lost by beginning again.
pub async fn forget(hands: &Hands, partition: u16, open: &OpenErasure) -> Result<(), NotDone> {
    let OpenErasure { tenant, contact, asked, .. } = *open;
    let successor = match hands.vault.destroy(tenant, contact, true).await {
        // A vault that has never heard of it has nothing to destroy.
        Err(VaultError::Unknown { .. }) => None,
        other => other?,
    };
    hands.trip("erasure:destroyed");
    let destroyed_at = hands.clock.wall();
    let kept = keep_opt_out(hands, partition, open, successor).await?;
    hands.trip("erasure:marked");
    let (mut messages, mut cancelled) = (0, 0);
    for other in 0..hands.journal.genesis().count {
        let (found, called_off) = call_off(hands, other, open).await?;
        (messages, cancelled) = (messages + found, cancelled + called_off);
    }
    hands.trip("erasure:called_off");
    let facts = ContactErasedV1 { contact, asked, destroyed_at, messages, cancelled, opt_out_kept: kept };
    let id = EventId(derive("waybill contact erased", &[&asked.0]));
    say(hands, partition, vec![draft(hands, id, open, contact, &facts.into()).record()?]).await
}

/// Says it of the successor if the last word on marketing was no; else nobody has to be led there. Says whether one stays.
async fn keep_opt_out(
    hands: &Hands,
    partition: u16,
    open: &OpenErasure,
    successor: Option<KeyId>,
) -> Result<bool, NotDone> {
    let Some(successor) = successor else { return Ok(false) };
    let end = hands.journal.fresh_end(partition).await?;
    if !applied::caught_up(hands.store.as_ref(), partition, end, PATIENCE).await? {
        return Err(NotDone::Behind(partition));
    }
    let row = stored::get(hands.store.as_ref(), &RowId::Contact(open.contact)).await?;
    let said = match row {
        Some(Row::Contact(row)) => row.marketing,
        _ => None,
    };
    let Some((false, said_at, _)) = said else {
        hands.vault.destroy(open.tenant, successor, false).await?;
        return Ok(false);
    };
    let source = KEPT.to_owned();
    let facts = ConsentChangedV1 { contact: successor, marketing: false, source, said_at, evidence: None };
    let id = EventId(derive("waybill opt-out kept", &[&open.asked.0]));
    say(hands, partition, vec![draft(hands, id, open, successor, &facts.into()).record()?]).await?;
    Ok(true)
}

/// Calls off what waits in one partition. Says how many messages of the person there are, and how many of them were waiting.
async fn call_off(hands: &Hands, partition: u16, open: &OpenErasure) -> Result<(u32, u32), NotDone> {
    let (store, mut after, mut found, mut waiting) = (hands.store.as_ref(), None::<Position>, 0, 0);
    loop {
        let page = stored::of_contact(store, (partition, open.contact), after, PAGE).await?;
        let Some((last, _)) = page.last() else { return Ok((found, waiting)) };
        after = Some(*last);
        let messages: Vec<MessageId> = page.iter().filter_map(|(_, row)| message_of(*row)).collect();
        found += u32::try_from(page.iter().filter(|(_, row)| is_message(*row)).count()).unwrap_or(u32::MAX);
        let ids: Vec<RowId> = messages.iter().map(|message| RowId::Message(*message)).collect();
        let rows = stored::get_many(store, &ids).await?;
        let mut records = Vec::new();
        for (message, row) in messages.into_iter().zip(rows) {
            if let Some(Row::Message(row)) = row {
                records.extend(called_off(hands, open, message, &row)?);
            }
        }
        waiting += u32::try_from(records.len()).unwrap_or(u32::MAX);
        if !records.is_empty() {
            say(hands, partition, records).await?;
        }
    }
}

fn message_of(row: OfContact) -> Option<MessageId> {
    match row {
        OfContact::Message(message) => Some(message),
        _ => None,
    }
}

fn is_message(row: OfContact) -> bool {
    matches!(row, OfContact::Message(_) | OfContact::Received)
}

/// The end of a message that waits; of one that is under way, or settled, none.
fn called_off(
    hands: &Hands,
    open: &OpenErasure,
    message: MessageId,
    row: &MessageRow,
) -> Result<Option<Record>, RecordError> {
    let waits = matches!(row.state(), State::Scheduled | State::Queued | State::Unknown | State::Moved);
    let Some(accepted) = row.accepted.as_ref().filter(|_| waits) else { return Ok(None) };
    let round = Some(row.round).filter(|round| *round > 0);
    let id = EventId(derive("waybill erased message", &[&open.asked.0, &message.0, &row.round.to_be_bytes()]));
    let event = Event::from(MessageCancelledV1 { message, round });
    let draft = draft(hands, id, open, accepted.session, &event).subject(message);
    draft.record().map(Some)
}

fn draft(
    hands: &Hands,
    id: EventId,
    open: &OpenErasure,
    to: impl Into<crate::domain::address::Address>,
    event: &Event,
) -> Draft {
    let now: Micros = hands.clock.wall();
    Draft::new(id, to, event, Principal::Node(hands.node), now).tenant(open.tenant).cause(open.asked)
}

/// Appends; a doubtful answer is begun again like any other, and a second copy changes nothing.
async fn say(hands: &Hands, partition: u16, records: Vec<Record>) -> Result<(), NotDone> {
    match hands.journal.append(partition, records).await {
        Appended::Durable { .. } => Ok(()),
        other => Err(NotDone::NotAppended(other)),
    }
}
