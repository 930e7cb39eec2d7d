//! Messages that wait for their portfolio when its limit is raised: they need not wait for the times that they were told.
//!
//! The due index is read through once, a page in each sweep, and those who wait for a portfolio, whichever it is, are
//! released as if their time had come. It saves them time, and no more is at stake: what is not recorded, or is waited for
//! in another process, is released at its time.

use super::actor::{Phase, State};
use super::due::{PAGE, START};
use crate::domain::record::Record;
use crate::domain::row::{Row, RowId};
use crate::domain::waiting::waits_for_portfolio;
use crate::journal::Appended;
use crate::store::rows::DuePlace;
use crate::store::{StoreError, rows as stored};

/// How far the due index is read for those who may leave early.
#[derive(Debug, Default)]
pub(super) struct Early {
    /// How many raised limits are known.
    raised: u64,
    /// Everybody up to here was released, or waits for something else; `None`: nobody is to be.
    read: Option<DuePlace>,
}

impl Early {
    fn follow(&mut self, raised: u64) {
        if self.raised != raised {
            *self = Self { raised, read: Some(START) };
        }
    }
}

impl State {
    /// Releases a page of those who may leave early.
    pub(super) async fn release_early(&mut self) -> Result<(), StoreError> {
        self.early.follow(self.hands.registry.portfolios.raised());
        let Some(read) = self.early.read.filter(|_| matches!(self.phase, Phase::Owning(_))) else {
            return Ok(());
        };
        let found = stored::due(self.hands.store.as_ref(), self.number, Some(read), PAGE).await?;
        self.early.read = found.last().copied();
        let ids: Vec<RowId> = found.iter().map(|(.., message)| RowId::Message(*message)).collect();
        let rows = stored::get_many(self.hands.store.as_ref(), &ids).await?;
        let now = self.hands.clock.wall();
        let waiting = found.iter().zip(rows).filter_map(|((.., message), row)| match row {
            Some(Row::Message(row)) if row.awaits_release() && waits_for_portfolio(&row) => {
                let attempt = row.next_attempt();
                let accepted = row.accepted?;
                self.release(*message, attempt, (accepted.session, accepted.tenant), now)
            }
            _ => None,
        });
        let records: Vec<Record> = waiting.collect();
        if records.is_empty() {
            return Ok(());
        }
        let (appending, number) = (self.hands.journal.append(self.number, records), self.number);
        crate::runtime::spawn("early", async move {
            if let Appended::Refused(refusal) = appending.await {
                tracing::warn!(partition = number, %refusal, "some who might leave early leave at their time");
            }
        });
        Ok(())
    }
}
