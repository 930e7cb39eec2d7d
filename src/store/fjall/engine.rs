//! Rows and marks in one keyspace of the engine.
//!
//! Marks stand under table number 0, which no table has. A batch holds the mark last: the engine lets a reader see a
//! batch that is under way, and so nobody sees a mark before its rows.

use std::ops::Bound;

use fjall::{Database, Keyspace, OwnedWriteBatch, PersistMode};
use sha2::{Digest, Sha256};

use super::super::error::StoreError;
use super::super::key;
use super::super::seam::{Commit, DropBelow, Row, Scan};
use crate::domain::record::Position;
use crate::domain::table::{KeyPart, RowKey, Table};

/// Table number of the marks.
pub(super) const MARKS: u8 = 0;

/// Rows a drop takes away in one batch: some 100 KiB of keys. The rest follows in batches of its own.
pub(super) const DROP_STEP: usize = 4096;

/// What a removed row takes of the memtable: a tombstone with a key of some 40 bytes.
pub(super) const REMOVED: u64 = (ROW_OVERHEAD + 40) as u64;

/// What a row costs in the memtable beside its bytes: the entry, its key's and value's heads, the tower.
const ROW_OVERHEAD: usize = 96;

/// The open engine.
pub(super) struct Engine {
    database: Database,
    rows: Keyspace,
}

/// An error of the engine, or a refusal of ours.
pub(super) enum Fault {
    Engine(fjall::Error),
    Refused(StoreError),
}

impl From<fjall::Error> for Fault {
    fn from(error: fjall::Error) -> Self {
        Self::Engine(error)
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::Refused(error)
    }
}

impl Engine {
    pub(super) fn new(database: Database, rows: Keyspace) -> Self {
        Self { database, rows }
    }

    /// The puts of a commit as a batch, and about what they will take of the memtable.
    pub(super) fn batch(&self, mut commit: Commit) -> Result<(OwnedWriteBatch, u64), Fault> {
        key::check(&commit)?;
        let drops = std::mem::take(&mut commit.drops);
        // A drop finds what is in the store, not what is in its own batch.
        commit.puts.retain(|put| !drops.iter().any(|drop| covers(drop, &put.key)));
        let mut batch = OwnedWriteBatch::with_capacity(self.database.clone(), commit.puts.len() + 1);
        let (mut key, mut bytes) = (Vec::with_capacity(64), 0);
        for put in &commit.puts {
            key.clear();
            key::write(&mut key, put.key.table, &put.key.pk, &put.key.ck)?;
            bytes += key.len() + put.value.len() + ROW_OVERHEAD;
            batch.insert(&self.rows, &key[..], &put.value[..]);
        }
        Ok((batch, bytes as u64))
    }

    /// Commits a batch with its mark, rows first, and the first step of each drop. Answers how many rows the drops took
    /// away, and which of them are not done.
    pub(super) fn commit<'a>(
        &self,
        mut batch: OwnedWriteBatch,
        drops: &'a [DropBelow],
        mark: Mark,
    ) -> Result<(usize, Vec<&'a DropBelow>), Fault> {
        let (mut removed, mut rest) = (0, Vec::new());
        for drop in drops {
            let step = self.remove_below(&mut batch, drop)?;
            removed += step;
            rest.extend((step == DROP_STEP).then_some(drop));
        }
        batch.insert(&self.rows, mark_key(mark.partition), mark.through.0.to_be_bytes());
        batch.commit()?;
        Ok((removed, rest))
    }

    /// Another step of a drop; answers how many rows it took away, fewer than [`DROP_STEP`] if it is done.
    pub(super) fn drop_on(&self, drop: &DropBelow) -> Result<usize, Fault> {
        let mut batch = OwnedWriteBatch::with_capacity(self.database.clone(), DROP_STEP);
        let removed = self.remove_below(&mut batch, drop)?;
        batch.commit()?;
        Ok(removed)
    }

    fn remove_below(&self, batch: &mut OwnedWriteBatch, drop: &DropBelow) -> Result<usize, Fault> {
        let from = key::prefix(drop.table, &drop.pk)?;
        let to = key::encode_parts(drop.table, &drop.pk, &drop.ck)?;
        let mut removed = 0;
        for row in self.rows.range(from..to).take(DROP_STEP) {
            batch.remove(&self.rows, row.key()?);
            removed += 1;
        }
        Ok(removed)
    }

    pub(super) fn applied(&self, partition: u16) -> Result<Option<Position>, Fault> {
        let Some(bytes) = self.rows.get(mark_key(partition))? else { return Ok(None) };
        let bytes: [u8; 8] = bytes[..].try_into().map_err(|_| StoreError::Row {
            key: None,
            why: format!("the mark of partition {partition} has {} bytes", bytes.len()),
        })?;
        Ok(Some(Position(u64::from_be_bytes(bytes))))
    }

    pub(super) fn get(&self, key: &RowKey) -> Result<Option<Vec<u8>>, Fault> {
        Ok(self.rows.get(key::encode(key)?)?.map(|value| value.to_vec()))
    }

    pub(super) fn get_many(&self, keys: &[RowKey]) -> Result<Vec<Option<Vec<u8>>>, Fault> {
        keys.iter().map(|key| self.get(key)).collect()
    }

    pub(super) fn scan(&self, scan: &Scan) -> Result<Vec<Row>, Fault> {
        let (lower, upper, skip) = key::range(scan)?;
        if scan.limit == 0 || key::is_empty(&lower, &upper) {
            return Ok(Vec::new());
        }
        let found = self.rows.range::<Vec<u8>, _>((lower, upper));
        let row = |guard: fjall::Guard| {
            let (key, value) = guard.into_inner()?;
            Ok((KeyPart::from(&key[skip..]), value.to_vec()))
        };
        if scan.reverse {
            found.rev().take(scan.limit).map(row).collect()
        } else {
            found.take(scan.limit).map(row).collect()
        }
    }

    pub(super) fn digest(&self, tables: &[Table]) -> Result<[u8; 32], Fault> {
        let mut numbers: Vec<u8> = tables.iter().map(|table| table.number()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let mut hash = Sha256::new();
        for number in numbers {
            let upper = key::successor(&[number]).map_or(Bound::Unbounded, Bound::Excluded);
            for row in self.rows.range::<Vec<u8>, _>((Bound::Included(vec![number]), upper)) {
                let (key, value) = row.into_inner()?;
                key::digest_row(&mut hash, &key, &value);
            }
        }
        Ok(hash.finalize().into())
    }

    /// Whether the engine lags: three tables wait to be written, or twenty were not merged. One more of either and it
    /// would sleep inside of a commit, without end should its worker have died.
    pub(super) fn lags(&self) -> bool {
        self.rows.sealed_memtable_count() >= 3 || self.rows.l0_table_count() >= 20
    }

    /// Bytes in memtables.
    #[cfg(test)]
    pub(super) fn buffered(&self) -> u64 {
        self.database.write_buffer_size()
    }

    /// Hands the memtable to the engine's worker to be written out.
    pub(super) fn turn(&self) -> Result<(), Fault> {
        self.rows.rotate_memtable()?;
        Ok(())
    }

    /// Fails if the engine has given up. Hands its buffer to the system besides.
    pub(super) fn alive(&self) -> Result<(), Fault> {
        Ok(self.database.persist(PersistMode::Buffer)?)
    }

    /// Syncs what was committed.
    pub(super) fn sync(&self) -> Result<(), Fault> {
        Ok(self.database.persist(PersistMode::SyncAll)?)
    }
}

/// Up to where a partition is applied.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    pub(super) partition: u16,
    pub(super) through: Position,
}

fn mark_key(partition: u16) -> [u8; 3] {
    let [high, low] = partition.to_be_bytes();
    [MARKS, high, low]
}

fn covers(drop: &DropBelow, key: &RowKey) -> bool {
    drop.table == key.table && drop.pk == key.pk && key.ck < drop.ck
}
