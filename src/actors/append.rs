//! Appending facts: outcomes and decisions that must reach the journal, however often it has to be tried.

use std::time::Duration;

use super::hands::Hands;
use crate::domain::draft::Draft;
use crate::domain::record::Record;
use crate::journal::{Appended, Refusal};

/// A fact for a partition.
pub struct Persist {
    /// Where its mailbox is.
    pub partition: u16,
    /// The record.
    pub draft: Draft,
}

/// The wait between two tries.
const AGAIN: Duration = Duration::from_millis(100);

/// Appends until it is durable. A doubtful answer is tried again too: the event's id is the same, and applying it twice
/// is applying it once. Ends when the journal has failed for good; the process is about to exit then.
pub fn persist(hands: &Hands, fact: Persist) {
    let record = match fact.draft.record() {
        Ok(record) => record,
        Err(error) => {
            tracing::error!(%error, "a fact is too large to be recorded");
            return;
        }
    };
    let journal = std::sync::Arc::clone(&hands.journal);
    let first = journal.append(fact.partition, vec![record.clone()]);
    crate::runtime::spawn("fact", async move {
        let mut appending = first;
        while let Some(why) = unsettled(appending.await, &record) {
            if journal.failed().is_some() {
                return;
            }
            tracing::debug!(why, "a fact is not recorded yet; trying again");
            tokio::time::sleep(AGAIN).await;
            appending = journal.append(fact.partition, vec![record.clone()]);
        }
    });
}

fn unsettled(appended: Appended, record: &Record) -> Option<&'static str> {
    match appended {
        Appended::Durable { .. } => None,
        Appended::Doubtful => Some("doubtful"),
        Appended::Refused(Refusal::Overloaded) => Some("overloaded"),
        Appended::Refused(refusal) => {
            tracing::error!(%refusal, kind = record.header.kind, "the journal refuses a fact");
            matches!(refusal, Refusal::Failed(_) | Refusal::Closed).then_some("closed")
        }
    }
}
