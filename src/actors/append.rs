//! Appending facts: outcomes and decisions that must reach the journal, however often it has to be tried.

use std::time::Duration;

use super::hands::Hands;
use crate::domain::draft::Draft;
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
    persist_then(hands, fact, || {});
}

/// The same; `durable` is called once the journal has it, and never if it refuses the fact for good.
pub fn persist_then(hands: &Hands, fact: Persist, durable: impl FnOnce() + Send + 'static) {
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
        loop {
            match appending.await {
                Appended::Durable { .. } => return durable(),
                Appended::Doubtful | Appended::Refused(Refusal::Overloaded) => {}
                Appended::Refused(refusal) => {
                    tracing::error!(%refusal, kind = record.header.kind, "the journal refuses a fact");
                    if !matches!(refusal, Refusal::Failed(_) | Refusal::Closed) {
                        return;
                    }
                }
            }
            if journal.failed().is_some() {
                return;
            }
            tokio::time::sleep(AGAIN).await;
            appending = journal.append(fact.partition, vec![record.clone()]);
        }
    });
}
