//! A history that can be told from its mark, for tests of what is left after a commit was cut short.

use super::commit;
use crate::domain::record::Position;
use crate::domain::table::{RowKey, Table};
use crate::store::seam::{Commit, DropBelow, Put};

/// The row that commit `n` adds.
pub fn message(n: u64) -> RowKey {
    let mut id = [0; 16];
    id[8..].copy_from_slice(&n.to_be_bytes());
    RowKey::single(Table::Message, id)
}

/// The row that every commit overwrites.
pub fn head() -> RowKey {
    RowKey::single(Table::Session, [1; 16])
}

/// Commit `n` of a partition: one message row for each commit so far, a session row that is overwritten each time, and a feed
/// of which the last ten commits stay.
pub fn step(n: u64) -> Commit {
    let mut commit = commit(n, &[(message(n), &[n as u8; 300]), (head(), &n.to_be_bytes())]);
    commit.puts.push(Put { key: RowKey::new(Table::Feed, "t", Position(n)), value: vec![1; 50], at: Position(n) });
    if n.is_multiple_of(10) {
        commit.drops.push(DropBelow { table: Table::Feed, pk: "t".into(), ck: Position(n.saturating_sub(10)).into() });
    }
    commit
}
