//! A commit, step by step: written down as a whole, then its rows and drops in any order, then the mark.

use std::collections::BTreeMap;
use std::sync::Arc;

use scylla::errors::ExecutionError;
use scylla::statement::batch::{Batch, BatchType};
use tokio::task::JoinSet;

use super::super::error::StoreError;
use super::super::seam::{Commit, DropBelow, Put};
use super::redo;
use super::shared::{Shared, Until};
use super::statements::number;
use crate::domain::record::Position;
use crate::domain::table::{KeyPart, Table};
use crate::telemetry;

/// Rows of one partition key in one batch: beyond some dozens a batch saves nothing more and holds up its neighbours.
const BATCH_ROWS: usize = 100;

/// Bytes of a batch, a row beyond that aside.
const BATCH_BYTES: usize = 64 * 1024;

/// Writes a commit, the `turn`th of its partition. Whatever of it was written before is written again with the same stamps.
pub async fn commit(shared: &Arc<Shared>, commit: Commit, turn: i64) -> Result<(), StoreError> {
    if !commit.puts.is_empty() || !commit.drops.is_empty() {
        written_down(shared, &commit, turn).await?;
    }
    finish(shared, commit).await
}

/// Writes a commit down as a whole: from here on it is finished, whoever takes the partition over.
pub async fn written_down(shared: &Arc<Shared>, commit: &Commit, turn: i64) -> Result<(), StoreError> {
    let began = shared.clock.steady();
    all(shared, pieces(commit, turn)?).await?;
    telemetry::cql("redo", shared.clock.steady().saturating_sub(began));
    Ok(())
}

/// All pieces but the last: as far as it gets when the process ends.
#[cfg(test)]
pub async fn written_down_but_last(shared: &Arc<Shared>, commit: &Commit, turn: i64) -> Result<(), StoreError> {
    let mut pieces = pieces(commit, turn)?;
    assert!(pieces.len() > 2, "several are left");
    pieces.pop();
    all(shared, pieces).await
}

/// Some rows of a commit: as far as it gets when the process ends.
#[cfg(test)]
pub async fn rows_alone(shared: &Arc<Shared>, puts: Vec<Put>) -> Result<(), StoreError> {
    all(shared, rows(puts)).await
}

/// Writes the rows, the drops and then the mark of a commit that is written down.
pub async fn finish(shared: &Arc<Shared>, commit: Commit) -> Result<(), StoreError> {
    let Commit { partition, through, puts, drops } = commit;
    let began = shared.clock.steady();
    let mut writes = rows(puts);
    writes.extend(drops.into_iter().map(|drop| Write::Drop(drop, through)));
    all(shared, writes).await?;
    let written = shared.clock.steady();
    telemetry::cql("rows", written.saturating_sub(began));
    Write::Mark { partition, through }.done(shared).await?;
    telemetry::cql("mark", shared.clock.steady().saturating_sub(written));
    Ok(())
}

/// One request.
enum Write {
    /// Rows of one partition key.
    Rows(Table, KeyPart, Vec<Cell>),
    Drop(DropBelow, Position),
    Piece {
        partition: u16,
        through: Position,
        piece: i32,
        pieces: i32,
        body: Vec<u8>,
        turn: i64,
    },
    Mark {
        partition: u16,
        through: Position,
    },
}

/// A row without what its batch shares.
struct Cell {
    ck: KeyPart,
    value: Vec<u8>,
    at: Position,
}

/// A position as a stamp. No journal gets so far that it is cut off.
fn stamp(at: Position) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

fn bytes(at: Position) -> Vec<u8> {
    at.0.to_be_bytes().to_vec()
}

fn pieces(commit: &Commit, turn: i64) -> Result<Vec<Write>, StoreError> {
    let (partition, through) = (commit.partition, commit.through);
    let bodies = redo::encode(commit)?;
    let pieces = i32::try_from(bodies.len()).unwrap_or(i32::MAX);
    let write = |(piece, body)| Write::Piece { partition, through, piece, pieces, body, turn };
    Ok((0..).zip(bodies).map(write).collect())
}

/// The puts by partition key, of two for one row the later, in batches.
fn rows(puts: Vec<Put>) -> Vec<Write> {
    let mut keys: BTreeMap<(Table, KeyPart), BTreeMap<KeyPart, (Vec<u8>, Position)>> = BTreeMap::new();
    for put in puts {
        // Not left to the stamps: at equal ones the larger value would stay.
        keys.entry((put.key.table, put.key.pk)).or_default().insert(put.key.ck, (put.value, put.at));
    }
    let mut writes = Vec::with_capacity(keys.len());
    for ((table, pk), rows) in keys {
        let (mut batch, mut size) = (Vec::new(), 0);
        for (ck, (value, at)) in rows {
            if batch.len() == BATCH_ROWS || size >= BATCH_BYTES {
                writes.push(Write::Rows(table, pk.clone(), std::mem::take(&mut batch)));
                size = 0;
            }
            size += value.len();
            batch.push(Cell { ck, value, at });
        }
        writes.push(Write::Rows(table, pk, batch));
    }
    writes
}

/// Makes all of these requests, as many at once as there are places.
async fn all(shared: &Arc<Shared>, writes: Vec<Write>) -> Result<(), StoreError> {
    let mut under_way = JoinSet::new();
    let died = |shared: &Shared, error: tokio::task::JoinError| shared.latched(format!("a write did not end: {error}"));
    for write in writes {
        let place = Arc::clone(&shared.places).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let theirs = Arc::clone(shared);
        under_way.spawn(async move {
            let done = write.done(&theirs).await;
            drop(place);
            done
        });
        while let Some(done) = under_way.try_join_next() {
            done.map_err(|error| died(shared, error))??;
        }
    }
    while let Some(done) = under_way.join_next().await {
        done.map_err(|error| died(shared, error))??;
    }
    Ok(())
}

impl Write {
    /// Makes the request until it is acknowledged.
    async fn done(&self, shared: &Shared) -> Result<(), StoreError> {
        shared.ask("write rows", Until::Done, || self.send(shared)).await
    }

    async fn send(&self, shared: &Shared) -> Result<(), ExecutionError> {
        let (session, statements) = (&shared.cluster.session, &shared.statements);
        let done = match self {
            Self::Rows(table, pk, cells) => return rows_sent(shared, *table, pk, cells).await,
            Self::Drop(drop, through) => {
                let (pk, ck) = (drop.pk.as_bytes(), drop.ck.as_bytes());
                let values = (stamp(*through), number(drop.table), pk, ck);
                session.execute_unpaged(&statements.drop_below, values).await
            }
            Self::Piece { partition, through, piece, pieces, body, turn } => {
                let writer = shared.writer.0.as_slice();
                let values = (i32::from(*partition), writer, piece, bytes(*through), pieces, body, turn);
                session.execute_unpaged(&statements.put_redo, values).await
            }
            Self::Mark { partition, through } => {
                let values = (i32::from(*partition), bytes(*through), stamp(*through));
                session.execute_unpaged(&statements.put_mark, values).await
            }
        };
        done.map(drop)
    }
}

async fn rows_sent(shared: &Shared, table: Table, pk: &KeyPart, cells: &[Cell]) -> Result<(), ExecutionError> {
    let (session, put) = (&shared.cluster.session, &shared.statements.of(table).put);
    if let [one] = cells {
        return session.execute_unpaged(put, row(table, pk, one)).await.map(drop);
    }
    let mut batch = Batch::new(BatchType::Unlogged);
    batch.set_is_idempotent(true);
    cells.iter().for_each(|_| batch.append_statement(put.clone()));
    let rows: Vec<_> = cells.iter().map(|cell| row(table, pk, cell)).collect();
    session.batch(&batch, rows).await.map(drop)
}

/// What stands in a row, and its stamp.
fn row<'a>(table: Table, pk: &'a KeyPart, cell: &'a Cell) -> (i16, &'a [u8], &'a [u8], &'a [u8], i64) {
    (number(table), pk.as_bytes(), cell.ck.as_bytes(), &cell.value, stamp(cell.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::table::RowKey;

    fn put(pk: &str, ck: u64, value: &[u8]) -> Put {
        Put { key: RowKey::new(Table::Feed, pk, Position(ck)), value: value.to_vec(), at: Position(9) }
    }

    fn sizes(puts: Vec<Put>) -> Vec<usize> {
        rows(puts).iter().map(|write| if let Write::Rows(_, _, cells) = write { cells.len() } else { 0 }).collect()
    }

    #[test]
    fn rows_of_one_partition_key_go_together_up_to_a_bound() {
        assert_eq!(sizes(vec![put("a", 1, b"x"), put("b", 1, b"x"), put("a", 2, b"x")]), [2, 1]);
        assert_eq!(sizes((0..250).map(|n| put("a", n, b"x")).collect()), [100, 100, 50]);
        assert_eq!(sizes((0..3).map(|n| put("a", n, &vec![0; BATCH_BYTES])).collect()), [1, 1, 1]);
        assert_eq!(sizes(Vec::new()), [0; 0]);
    }

    #[test]
    fn of_two_puts_for_one_row_the_later_one_stays_whatever_its_value() {
        let writes = rows(vec![put("a", 1, b"zzz"), put("a", 1, b"a")]);
        let [Write::Rows(_, _, cells)] = &writes[..] else { panic!("one row") };
        assert_eq!((cells.len(), cells[0].value.as_slice()), (1, &b"a"[..]));
    }

    #[test]
    fn a_stamp_is_the_position_as_far_as_a_stamp_goes() {
        assert_eq!((stamp(Position(0)), stamp(Position(1 << 40))), (0, 1 << 40));
        assert_eq!(stamp(Position(u64::MAX)), i64::MAX);
    }
}
