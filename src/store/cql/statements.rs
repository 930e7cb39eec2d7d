//! Everything that is ever asked of the database, prepared once.
//!
//! The set is fixed: a node's cache of prepared statements never has to drop one of ours.

use scylla::statement::prepared::PreparedStatement;

use crate::cql::{Cluster, CqlError, Use};
use crate::domain::table::Table;

/// Statements on one of the two tables of rows.
pub struct OfTable {
    /// `tbl, pk, ck, value, stamp`.
    pub put: PreparedStatement,
    /// `tbl, pk, ck` → `value`.
    pub get: PreparedStatement,
    /// By [`bounds`]: `tbl, pk, [after], [before], limit` → `ck, value`.
    scans: Vec<PreparedStatement>,
    /// → `tbl, pk` of all rows.
    pub keys: PreparedStatement,
}

impl OfTable {
    /// A scan with these bounds, in this direction.
    pub fn scan(&self, after: bool, before: bool, reverse: bool) -> &PreparedStatement {
        &self.scans[bounds(after, before, reverse)]
    }
}

/// All of them.
pub struct Statements {
    facts: OfTable,
    buckets: OfTable,
    /// `stamp, tbl, pk, ck`: everything below `ck`.
    pub drop_below: PreparedStatement,
    /// `number, through, stamp`.
    pub put_mark: PreparedStatement,
    /// `number` → `through`.
    pub get_mark: PreparedStatement,
    /// `number, writer, piece, through, pieces, body, turn`.
    pub put_redo: PreparedStatement,
    /// `number, writer` → `piece, pieces, body, turn`, in the order of the pieces.
    pub get_redo: PreparedStatement,
    /// `number` → `writer, through, turn` of all pieces.
    pub redos: PreparedStatement,
    /// `turn, number, writer`: its pieces up to that turn.
    pub drop_redo: PreparedStatement,
}

impl Statements {
    /// Prepares them all.
    pub async fn prepare(cluster: &Cluster) -> Result<Self, CqlError> {
        let put_redo = "INSERT INTO {keyspace}.redo (number, writer, piece, through, pieces, body) \
                        VALUES (?, ?, ?, ?, ?, ?) USING TIMESTAMP ?";
        let drop_below = "DELETE FROM {keyspace}.buckets USING TIMESTAMP ? WHERE tbl = ? AND pk = ? AND ck < ?";
        let get_redo =
            "SELECT piece, pieces, body, WRITETIME(body) FROM {keyspace}.redo WHERE number = ? AND writer = ?";
        let redos = "SELECT writer, through, WRITETIME(body) FROM {keyspace}.redo WHERE number = ?";
        let drop_redo = "DELETE FROM {keyspace}.redo USING TIMESTAMP ? WHERE number = ? AND writer = ?";
        let put_mark = "INSERT INTO {keyspace}.marks (number, through) VALUES (?, ?) USING TIMESTAMP ?";
        Ok(Self {
            facts: of_table(cluster, "{keyspace}.facts").await?,
            buckets: of_table(cluster, "{keyspace}.buckets").await?,
            drop_below: cluster.prepare(drop_below, Use::Write).await?,
            put_mark: cluster.prepare(put_mark, Use::Write).await?,
            get_mark: cluster.prepare("SELECT through FROM {keyspace}.marks WHERE number = ?", Use::Read).await?,
            put_redo: cluster.prepare(put_redo, Use::Write).await?,
            get_redo: cluster.prepare(get_redo, Use::Read).await?,
            redos: cluster.prepare(redos, Use::Read).await?,
            drop_redo: cluster.prepare(drop_redo, Use::Write).await?,
        })
    }

    /// Those for the rows of this table.
    pub fn of(&self, table: Table) -> &OfTable {
        if table.mutable() { &self.facts } else { &self.buckets }
    }

    /// Both tables of rows.
    pub fn both(&self) -> [&OfTable; 2] {
        [&self.facts, &self.buckets]
    }
}

/// How a table is written in a key.
pub fn number(table: Table) -> i16 {
    i16::from(table.number())
}

fn bounds(after: bool, before: bool, reverse: bool) -> usize {
    usize::from(after) | usize::from(before) << 1 | usize::from(reverse) << 2
}

async fn of_table(cluster: &Cluster, name: &str) -> Result<OfTable, CqlError> {
    let put = format!("INSERT INTO {name} (tbl, pk, ck, value) VALUES (?, ?, ?, ?) USING TIMESTAMP ?");
    let get = format!("SELECT value FROM {name} WHERE tbl = ? AND pk = ? AND ck = ?");
    let keys = format!("SELECT DISTINCT tbl, pk FROM {name}");
    let mut scans = Vec::with_capacity(8);
    for reverse in [false, true] {
        for before in [false, true] {
            for after in [false, true] {
                debug_assert_eq!(scans.len(), bounds(after, before, reverse));
                scans.push(cluster.prepare(&scan(name, after, before, reverse), Use::Read).await?);
            }
        }
    }
    Ok(OfTable {
        put: cluster.prepare(&put, Use::Write).await?,
        get: cluster.prepare(&get, Use::Read).await?,
        keys: cluster.prepare(&keys, Use::Read).await?,
        scans,
    })
}

fn scan(name: &str, after: bool, before: bool, reverse: bool) -> String {
    let after = if after { " AND ck > ?" } else { "" };
    let before = if before { " AND ck < ?" } else { "" };
    let order = if reverse { " ORDER BY ck DESC" } else { "" };
    format!("SELECT ck, value FROM {name} WHERE tbl = ? AND pk = ?{after}{before}{order} LIMIT ?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_says_its_bounds_and_its_direction() {
        assert_eq!(scan("t", false, false, false), "SELECT ck, value FROM t WHERE tbl = ? AND pk = ? LIMIT ?");
        let all = "SELECT ck, value FROM t WHERE tbl = ? AND pk = ? AND ck > ? AND ck < ? ORDER BY ck DESC LIMIT ?";
        assert_eq!(scan("t", true, true, true), all);
    }

    #[test]
    fn every_combination_of_bounds_has_a_place_of_its_own() {
        let mut places: Vec<usize> = (0..8).map(|n| bounds(n & 1 > 0, n & 2 > 0, n & 4 > 0)).collect();
        places.dedup();
        assert_eq!(places, (0..8).collect::<Vec<_>>());
    }
}
