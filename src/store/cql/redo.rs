//! The bytes of a commit that is under way, in pieces that a mutation can hold.
//!
//! | bytes | field |
//! | --: | --- |
//! | 1 | 1: a put, 2: a drop |
//! | 4 | length of the key, big-endian |
//! | n | key, as in `../key.rs` |
//! | 8 | stamp of a put; 0 for a drop |
//! | 4 | length of the value |
//! | m | value |
//!
//! A piece holds whole entries. All pieces of a commit are stamped with its turn, a number that grows with each commit of a
//! partition in this process: by it they are told from what an earlier one left in places that this one does not use. Each
//! process has places of its own: one that goes on with a commit after it has lost the partition must not write over what
//! its heir has written down.

use super::super::key;
use super::super::seam::{Commit, DropBelow, Put};
use crate::domain::record::Position;
use crate::domain::table::{KeyPart, RowKey, Table};
use crate::store::StoreError;

/// A piece is closed at so many bytes; with one more row of the largest kind it is below 1.5 MiB, and a mutation may have 4 MiB
/// where the commit log has segments of 8.
const PIECE: usize = 256 * 1024;

const PUT: u8 = 1;
const DROP: u8 = 2;

/// A commit as pieces; at least one, which may be empty.
pub fn encode(commit: &Commit) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut pieces = vec![Vec::new()];
    let mut add = |kind: u8, key: &[u8], at: Position, value: &[u8]| {
        if pieces.last().is_some_and(|piece| piece.len() >= PIECE) {
            pieces.push(Vec::new());
        }
        if let Some(piece) = pieces.last_mut() {
            piece.push(kind);
            piece.extend_from_slice(&(key.len() as u32).to_be_bytes());
            piece.extend_from_slice(key);
            piece.extend_from_slice(&at.0.to_be_bytes());
            piece.extend_from_slice(&(value.len() as u32).to_be_bytes());
            piece.extend_from_slice(value);
        }
    };
    for put in &commit.puts {
        add(PUT, &key::encode(&put.key)?, put.at, &put.value);
    }
    for drop in &commit.drops {
        add(DROP, &key::encode_parts(drop.table, &drop.pk, &drop.ck)?, Position(0), &[]);
    }
    Ok(pieces)
}

/// The commit that these pieces are of.
pub fn decode(partition: u16, through: Position, pieces: &[Vec<u8>]) -> Result<Commit, StoreError> {
    let mut commit = Commit { partition, through, ..Commit::default() };
    for piece in pieces {
        let mut rest = piece.as_slice();
        while !rest.is_empty() {
            let entry = entry(&mut rest, &mut commit);
            entry.ok_or_else(|| StoreError::Row {
                key: None,
                why: format!("the commit of partition {partition} that was under way is damaged"),
            })?;
        }
    }
    Ok(commit)
}

fn entry(rest: &mut &[u8], commit: &mut Commit) -> Option<()> {
    let kind = take(rest, 1)?[0];
    let key = long(rest)?;
    let at = Position(u64::from_be_bytes(take(rest, 8)?.try_into().ok()?));
    let value = long(rest)?;
    let key = row_key(key)?;
    match kind {
        PUT => commit.puts.push(Put { key, value: value.to_vec(), at }),
        DROP => commit.drops.push(DropBelow { table: key.table, pk: key.pk, ck: key.ck }),
        _ => return None,
    }
    Some(())
}

fn row_key(mut bytes: &[u8]) -> Option<RowKey> {
    let table = Table::from_number(take(&mut bytes, 1)?[0])?;
    let len = u16::from_be_bytes(take(&mut bytes, 2)?.try_into().ok()?);
    let pk = KeyPart::from(take(&mut bytes, usize::from(len))?);
    Some(RowKey { table, pk, ck: KeyPart::from(bytes) })
}

fn long<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = u32::from_be_bytes(take(rest, 4)?.try_into().ok()?);
    take(rest, usize::try_from(len).ok()?)
}

fn take<'a>(rest: &mut &'a [u8], len: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(len)?;
    *rest = left;
    Some(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(rows: u64, value: usize) -> Commit {
        let put = |n: u64| Put {
            key: RowKey::new(Table::Feed, "t", Position(n)),
            value: vec![n as u8; value],
            at: Position(1_000 + n),
        };
        let drops = vec![DropBelow { table: Table::Outbox, pk: "s".into(), ck: Position(4).into() }];
        Commit { partition: 7, through: Position(u64::MAX), puts: (0..rows).map(put).collect(), drops }
    }

    #[test]
    fn a_commit_comes_back_as_it_was() {
        for (rows, value, pieces) in [(0, 0, 1), (3, 0, 1), (40, 20_000, 3), (2, 1024 * 1024, 3)] {
            let commit = commit(rows, value);
            let encoded = encode(&commit).expect("encodes");
            assert_eq!(encoded.len(), pieces, "{rows} rows of {value}");
            assert_eq!(decode(7, commit.through, &encoded).expect("decodes"), commit);
        }
        assert_eq!(encode(&Commit::default()).expect("encodes"), [Vec::<u8>::new()]);
    }

    #[test]
    fn a_piece_that_was_cut_is_damage() {
        let mut pieces = encode(&commit(1, 10)).expect("encodes");
        pieces[0].pop();
        assert!(matches!(decode(7, Position(9), &pieces), Err(StoreError::Row { .. })));
    }

    #[test]
    fn the_bytes_are_pinned() {
        let put = Put { key: RowKey::new(Table::Feed, "a", *b"b"), value: b"v".to_vec(), at: Position(2) };
        let pieces = encode(&Commit { puts: vec![put], ..Commit::default() }).expect("encodes");
        assert_eq!(hex::encode(&pieces[0]), "01000000050f0001616200000000000000020000000176");
    }
}
