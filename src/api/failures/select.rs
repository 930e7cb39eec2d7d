//! Which messages a verb is for: read from the lists of failures, each asked of its own row.
//!
//! What was counted has a fingerprint: how far was read, and a digest of each message and of the fact that made it fail.
//! Whoever repeats it gets the same messages or is told that they are others by now; what failed later is not among them.

use std::collections::{BTreeSet, HashMap};

use sha2::{Digest, Sha256};

use super::super::auth::Caller;
use super::super::messages::Cursor;
use super::super::problem::Problem;
use super::super::state::App;
use super::wanted::Asked;
use crate::domain::campaign::CampaignState;
use crate::domain::id::{CampaignId, MessageId};
use crate::domain::message::State;
use crate::domain::record::Position;
use crate::domain::row::{FailingRow, MessageRow, Row, RowId};
use crate::store::rows;

/// Failures read at once.
const PAGE: usize = 500;

/// Failures that one request reads: 10,000 that count among many that were settled since. A second or so.
const READ_MAX: usize = 40_000;

/// Buckets that one reading looks into, and readings of one request: 600 million positions without a failure.
const BUCKETS: u64 = 64;
const READINGS: usize = 64 + READ_MAX / PAGE;

/// What a verb is for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// States it is about; others are passed over.
    pub(super) states: &'static [State],
    /// Whether it can do anything about this one.
    pub(super) fits: fn(&MessageRow) -> bool,
    /// Whether what belongs to a cancelled campaign is out of its reach.
    pub(super) not_cancelled: bool,
}

/// A message that a verb is for.
#[derive(Debug)]
pub(super) struct Chosen {
    /// Its row in the list.
    pub(super) failing: FailingRow,
    /// The last round that was asked for.
    pub(super) asked: u16,
    /// The number of its last attempt.
    pub(super) attempt: u16,
    /// The campaign that it belongs to is finished.
    pub(super) past_campaign: bool,
}

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Selection {
    /// The messages, by partition and position.
    pub(super) chosen: Vec<Chosen>,
    /// How many fit the filter, and cannot be taken.
    pub(super) left_out: usize,
    /// How many of those belong to a cancelled campaign.
    pub(super) of_cancelled: usize,
    /// There may be more than these.
    pub(super) more: bool,
    /// From where to go on.
    pub(super) next: Cursor,
    /// How far was read.
    through: Cursor,
}

/// What to select.
pub(super) struct Select<'a> {
    /// Who asks.
    pub(super) caller: &'a Caller,
    /// The filter.
    pub(super) asked: &'a Asked,
    /// For what.
    pub(super) kind: Kind,
    /// At most so many.
    pub(super) limit: usize,
}

impl Select<'_> {
    /// Reads from `from` on; up to `until`, or else as far as the rows reach.
    pub(super) async fn run(&self, app: &App, from: Cursor, until: Option<&Cursor>) -> Result<Selection, Problem> {
        let mut all = Selection { next: from, ..Selection::default() };
        let (mut readings, mut read) = (0, 0);
        for partition in app.partitions_of(self.asked.session.as_deref()) {
            let end = match until {
                Some(until) => until.get(partition),
                None => app.store.applied(partition).await?,
            };
            let Some(end) = end else { continue };
            while all.next.get(partition) < Some(end) {
                if readings == READINGS || read >= READ_MAX || all.chosen.len() == self.limit {
                    all.more = true;
                    return Ok(all);
                }
                readings += 1;
                let (rows, cut) = self.page(app, partition, end, &mut all).await?;
                if cut {
                    return Ok(all);
                }
                read += rows;
            }
        }
        Ok(all)
    }

    /// One page of one partition. Says how many failures it read, and whether the limit cut it.
    async fn page(
        &self,
        app: &App,
        partition: u16,
        end: Position,
        all: &mut Selection,
    ) -> Result<(usize, bool), Problem> {
        let (tenant, after) = (self.caller.scope.tenant(), all.next.get(partition));
        let found = rows::failing(&*app.store, (tenant, partition), after, end, PAGE, BUCKETS).await?;
        let read = found.rows.len();
        let asked = |row: &FailingRow| self.kind.states.contains(&row.state) && self.asked.filter.matches(row);
        let fitting: Vec<(Position, FailingRow)> = found.rows.into_iter().filter(|(_, row)| asked(row)).collect();
        let ids: Vec<RowId> = fitting.iter().map(|(_, row)| RowId::Message(row.message)).collect();
        let rows = rows::get_many(&*app.store, &ids).await?;
        let campaigns = if self.kind.not_cancelled { campaigns(app, &rows).await? } else { HashMap::new() };
        for ((position, failing), row) in fitting.into_iter().zip(rows) {
            let Some(row) = self.standing(&failing, row) else {
                continue;
            };
            let test = row.accepted.as_ref().is_some_and(|accepted| accepted.test);
            if self.caller.may_change(test).is_err() || !(self.kind.fits)(&row) {
                all.left_out += 1;
                continue;
            }
            let campaign = row.accepted.as_ref().and_then(|accepted| campaigns.get(&accepted.campaign?));
            if campaign == Some(&CampaignState::Cancelled) {
                all.left_out += 1;
                all.of_cancelled += 1;
                continue;
            }
            if all.chosen.len() == self.limit {
                // What is done of the event at this place is no failure any more when it is read again.
                all.next.advance(partition, Position(position.0.saturating_sub(1)));
                all.more = true;
                return Ok((read, true));
            }
            let (attempt, past_campaign) = (row.next_attempt() - 1, campaign == Some(&CampaignState::Finished));
            all.chosen.push(Chosen { failing, asked: row.asked, attempt, past_campaign });
            all.through.advance(partition, position);
        }
        all.next.advance(partition, found.reached);
        all.through.advance(partition, found.reached);
        Ok((read, false))
    }

    /// The message's row, if it still stands as the list says.
    fn standing(&self, failing: &FailingRow, row: Option<Row>) -> Option<Box<MessageRow>> {
        let Some(Row::Message(row)) = row else {
            return None;
        };
        let ours = row.accepted.as_ref().is_some_and(|accepted| self.caller.scope.owns(accepted.tenant));
        (ours && failing.holds(&row)).then_some(row)
    }
}

/// Where the campaigns are that these messages belong to.
async fn campaigns(app: &App, rows: &[Option<Row>]) -> Result<HashMap<CampaignId, CampaignState>, Problem> {
    let of = |row: &Option<Row>| match row {
        Some(Row::Message(row)) => row.accepted.as_ref()?.campaign,
        _ => None,
    };
    let known: BTreeSet<CampaignId> = rows.iter().filter_map(of).collect();
    let ids: Vec<RowId> = known.iter().copied().map(RowId::Campaign).collect();
    let found = rows::get_many(&*app.store, &ids).await?;
    let state = |(campaign, row)| match row {
        Some(Row::Campaign(row)) => Some((campaign, row.state)),
        _ => None,
    };
    Ok(known.into_iter().zip(found).filter_map(state).collect())
}

impl Selection {
    /// What was counted, for a verb: repeated by whoever wants just that to be done.
    pub(super) fn fingerprint(&self, verb: &str) -> String {
        let mut hash = Sha256::new_with_prefix(verb);
        for chosen in &self.chosen {
            let id: MessageId = chosen.failing.message;
            hash.update(id.0);
            hash.update(chosen.failing.since.0.to_be_bytes());
        }
        format!("{}.{}", hex::encode(&hash.finalize()[..16]), self.through.encode())
    }
}

/// How far a fingerprint reaches.
///
/// # Errors
/// `invalid_request` for a text that is none.
pub(super) fn reach(fingerprint: &str) -> Result<Cursor, Problem> {
    let cursor = fingerprint.split_once('.').and_then(|(_, cursor)| Cursor::decode(cursor).ok());
    cursor.ok_or_else(|| {
        Problem::field("/fingerprint", "is not one of ours", "give `fingerprint` of a dry run's answer unchanged")
    })
}
