//! Messages that wait for a time and need not any more: for their portfolio, when its limit is raised; or at all, because
//! their campaign is cancelled.
//!
//! The due index is read through once, a page in each sweep: those who wait for a portfolio, whichever it is, are released
//! as if their time had come, and those of a cancelled campaign are called off. It saves them time, and no more is at stake:
//! what is not recorded, or is waited for in another process, is released at its time, and called off then.

use std::collections::BTreeSet;

use super::actor::{Phase, State};
use super::due::{PAGE, START};
use crate::domain::gate::GatesRow;
use crate::domain::id::{CampaignId, MessageId};
use crate::domain::record::{Micros, Record};
use crate::domain::row::{MessageRow, Row, RowId};
use crate::domain::waiting::waits_for_portfolio;
use crate::journal::Appended;
use crate::store::rows::DuePlace;
use crate::store::{StoreError, rows as stored};

/// How far the due index is read for those who may leave early.
#[derive(Debug, Default)]
pub(super) struct Early {
    /// How many raised limits are known.
    raised: u64,
    /// Whether this walk is for those who wait for a portfolio, too.
    for_portfolio: bool,
    /// Which campaigns are known to be cancelled.
    cancelled: BTreeSet<CampaignId>,
    /// Everybody up to here was released, or waits for something else; `None`: nobody is to be.
    read: Option<DuePlace>,
}

impl Early {
    fn follow(&mut self, raised: u64, cancelled: BTreeSet<CampaignId>) {
        let raises = self.raised != raised;
        if raises || !cancelled.is_subset(&self.cancelled) {
            self.for_portfolio = raises || (self.for_portfolio && self.read.is_some());
            self.read = Some(START);
        }
        (self.raised, self.cancelled) = (raised, cancelled);
    }
}

impl State {
    /// Releases a page of those who may leave early.
    pub(super) async fn release_early(&mut self) -> Result<(), StoreError> {
        let cancelled = self.rows.gates(self.number).into_iter().flat_map(GatesRow::cancelled);
        let cancelled = cancelled.filter_map(|(known, _)| known.gate.campaign()).collect();
        self.early.follow(self.hands.registry.portfolios.raised(), cancelled);
        let Some(read) = self.early.read.filter(|_| matches!(self.phase, Phase::Owning(_))) else {
            return Ok(());
        };
        let found = stored::due(self.store.as_ref(), self.number, Some(read), PAGE).await?;
        self.early.read = found.last().copied();
        let ids: Vec<RowId> = found.iter().map(|(.., message)| RowId::Message(*message)).collect();
        let rows = stored::get_many(self.store.as_ref(), &ids).await?;
        let now = self.hands.clock.wall();
        let waiting = found.iter().zip(rows).filter_map(|((.., message), row)| match row {
            Some(Row::Message(row)) if row.awaits_release() => self.early_way_out(*message, *row, now),
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

    fn early_way_out(&self, message: MessageId, row: MessageRow, now: Micros) -> Option<Record> {
        let (attempt, round) = (row.next_attempt(), row.round);
        let released = self.early.for_portfolio && waits_for_portfolio(&row);
        let accepted = row.accepted?;
        let mut cancelled = self.rows.gates(self.number).into_iter().flat_map(GatesRow::cancelled);
        if let Some((_, closed)) = cancelled.find(|(known, _)| known.gate.concerns(&accepted)) {
            return self.called_off((message, round), closed.closing, &accepted, now);
        }
        let whose = (accepted.session, accepted.tenant);
        released.then(|| self.release(message, attempt, whose, now)).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGUN: Option<DuePlace> = Some(START);

    #[test]
    fn a_raised_limit_and_a_cancelled_campaign_begin_a_walk_each_and_no_other_does() {
        let campaigns = |of: &[u8]| of.iter().map(|n| CampaignId([*n; 16])).collect::<BTreeSet<_>>();
        let mut early = Early::default();
        early.follow(0, campaigns(&[]));
        assert_eq!(early.read, None);
        early.follow(0, campaigns(&[1]));
        assert_eq!((early.read, early.for_portfolio), (BEGUN, false), "who waits for a portfolio waits on");
        early.read = None;
        early.follow(0, campaigns(&[1]));
        early.follow(0, campaigns(&[]));
        assert_eq!(early.read, None, "known already; and forgotten");
        early.follow(1, campaigns(&[]));
        assert_eq!((early.read, early.for_portfolio), (BEGUN, true));
        early.follow(1, campaigns(&[2]));
        assert_eq!((early.read, early.for_portfolio), (BEGUN, true), "in the middle of it");
    }
}
