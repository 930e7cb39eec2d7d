//! Appends the events of one POST: grouped by partition, all awaited, all durable or a 503.

use std::collections::BTreeMap;

use super::super::codes::Code;
use super::super::problem::Problem;
use crate::domain::record::{MAX_RECORD, Record};
use crate::journal::{Appended, Journal, Refusal};

/// An event and its mailbox's partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) partition: u16,
    pub(super) record: Record,
}

/// Records of one append. A journal takes 256 by default; smaller appends let others in between.
const RECORDS: usize = 64;

/// Bytes of one append, unless a single record is larger. A journal takes at least one of the largest records.
const BYTES: usize = MAX_RECORD / 2;

/// Appends everything and waits for every answer.
///
/// # Errors
/// 503 unless everything is durable. What is durable by then stays: the same events come again with Meta's next try.
pub(super) async fn all(journal: &dyn Journal, placed: Vec<Placed>) -> Result<(), Problem> {
    let mut mailboxes: BTreeMap<u16, Vec<Record>> = BTreeMap::new();
    for Placed { partition, record } in placed {
        mailboxes.entry(partition).or_default().push(record);
    }
    let mut waiting = Vec::new();
    for (partition, records) in mailboxes {
        for batch in batches(records) {
            waiting.push((partition, journal.append(partition, batch)));
        }
    }
    let mut worst = Ok(());
    for (partition, appending) in waiting {
        if let Err(why) = durable(appending.await) {
            tracing::warn!(partition, why, "a callback is not durable; Meta will repeat it");
            worst = Err(Problem::new(Code::Unavailable, "not all of it is durable").retry_after(1));
        }
    }
    worst
}

fn durable(answer: Appended) -> Result<(), String> {
    match answer {
        Appended::Durable { .. } => Ok(()),
        Appended::Doubtful => Err("doubtful".to_owned()),
        Appended::Refused(Refusal::Overloaded) => Err("overloaded".to_owned()),
        Appended::Refused(refusal) => Err(refusal.to_string()),
    }
}

/// Cuts the records of one mailbox, in order, into appends that any journal takes.
fn batches(records: Vec<Record>) -> Vec<Vec<Record>> {
    let mut batches: Vec<Vec<Record>> = Vec::new();
    let mut bytes = 0;
    for record in records {
        bytes += record.len();
        match batches.last_mut() {
            Some(last) if last.len() < RECORDS && bytes <= BYTES => last.push(record),
            _ => {
                bytes = record.len();
                batches.push(vec![record]);
            }
        }
    }
    batches
}
