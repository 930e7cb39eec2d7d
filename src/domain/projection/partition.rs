//! What events of a partition itself change: genesis, claims, feature level, quarantine.

use super::super::event::Event;
use super::super::row::{Older, PartitionRow, RowId, Rows};
use super::super::validity::claim_counts;
use super::{Append, Applied, At, Note};

pub(super) fn needs(_: &Event, _: &mut Vec<RowId>) {}

pub(super) fn apply(at: At<'_>, event: &Event, rows: &mut Rows, out: &mut Applied) {
    let mut row = rows.partition(at.partition).cloned().unwrap_or_default();
    match event {
        Event::Genesis(genesis) if row.installation.is_none() => row.installation = Some(genesis.installation),
        Event::Claimed(claim) if claim_counts(&row, claim.supersedes) => {
            if row.node.is_some_and(|node| node != claim.node) {
                let open = row.waiting.sending;
                row.older = (open > 0).then_some(Older { open, since: at.header.at, claim: at.position });
            }
            row.claim = Some(at.position);
            row.node = Some(claim.node);
            out.notes.push(Note::Claimed { epoch: at.position });
        }
        Event::FeatureLevelRaised(raised) => row.feature = row.feature.max(raised.level),
        Event::Quarantined(set_aside) => {
            out.appends.push(Append::Quarantine { position: set_aside.position, why: set_aside.why.clone() });
            return;
        }
        _ => return,
    }
    rows.put_partition(at.partition, row);
}

/// Counts the messages that wait. A message's row lives in the partition of its events, so the count is this one's own.
pub(super) fn count(at: At<'_>, rows: &mut Rows) {
    let mut moves = rows.take_moves();
    let behind = moves.take_behind();
    super::gate::count(at, &behind, moves.take_met(), rows);
    let row = rows.partition(at.partition).cloned().unwrap_or_default();
    let left = |older: Older| older.open.saturating_sub(moves.closed_before(older.claim));
    let older = row.older.map(|older| Older { open: left(older), ..older });
    let older = older.filter(|older| older.open > 0);
    let waiting = moves.onto(row.waiting);
    if waiting.is_some() || older != row.older {
        let waiting = waiting.unwrap_or(row.waiting);
        rows.put_partition(at.partition, PartitionRow { waiting, older, ..row });
    }
}

#[cfg(test)]
mod tests;
