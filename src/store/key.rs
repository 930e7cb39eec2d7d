//! The bytes of a key: table number, length of the partition key, partition key, clustering key.
//!
//! | bytes | field |
//! | --: | --- |
//! | 1 | table number |
//! | 2 | length of `pk`, big-endian |
//! | n | `pk` |
//! | rest | `ck` |
//!
//! The length stands in front so that no `pk` is a prefix of another's rows. Rows of one `(table, pk)` lie together, in
//! the order of their `ck`.

use std::ops::Bound;

use sha2::{Digest, Sha256};

use crate::domain::table::{KeyPart, RowKey, Table};

use super::error::StoreError;
use super::seam::{Commit, MAX_PUTS, MAX_SCAN, MAX_VALUE, Scan};

/// Bytes of either part of a key. Ids, tags and positions need 64; a declared name, the longest thing in a key, 255.
pub const MAX_PART: usize = 512;

const HEAD: usize = 3;

/// The bytes in front of every row of `(table, pk)`.
///
/// # Errors
/// [`StoreError::Limit`] when `pk` is longer than [`MAX_PART`].
pub fn prefix(table: Table, pk: &KeyPart) -> Result<Vec<u8>, StoreError> {
    encode_parts(table, pk, &KeyPart::EMPTY)
}

/// A row's key.
///
/// # Errors
/// [`StoreError::Limit`] when a part is longer than [`MAX_PART`].
pub fn encode(key: &RowKey) -> Result<Vec<u8>, StoreError> {
    encode_parts(key.table, &key.pk, &key.ck)
}

/// A row's key from its parts.
///
/// # Errors
/// [`StoreError::Limit`] when a part is longer than [`MAX_PART`].
pub fn encode_parts(table: Table, pk: &KeyPart, ck: &KeyPart) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::with_capacity(HEAD + pk.as_bytes().len() + ck.as_bytes().len());
    write(&mut bytes, table, pk, ck)?;
    Ok(bytes)
}

/// Appends a row's key to a buffer that is used again and again.
///
/// # Errors
/// [`StoreError::Limit`] when a part is longer than [`MAX_PART`].
pub fn write(bytes: &mut Vec<u8>, table: Table, pk: &KeyPart, ck: &KeyPart) -> Result<(), StoreError> {
    let (pk, ck) = (bounded(table, pk)?, bounded(table, ck)?);
    bytes.push(table.number());
    bytes.extend_from_slice(&(pk.len() as u16).to_be_bytes());
    bytes.extend_from_slice(pk);
    bytes.extend_from_slice(ck);
    Ok(())
}

/// The key range of a scan, and how many bytes of each found key come before its `ck`.
///
/// # Errors
/// [`StoreError::Limit`] when the scan asks for more than [`MAX_SCAN`] rows or a part is too long.
pub fn range(scan: &Scan) -> Result<(Bound<Vec<u8>>, Bound<Vec<u8>>, usize), StoreError> {
    limit(|| format!("the row limit of a scan of table `{}`", scan.table), scan.limit, MAX_SCAN)?;
    let prefix = prefix(scan.table, &scan.pk)?;
    let skip = prefix.len();
    let upper = match &scan.before {
        Some(ck) => Bound::Excluded(encode_parts(scan.table, &scan.pk, ck)?),
        None => successor(&prefix).map_or(Bound::Unbounded, Bound::Excluded),
    };
    let lower = match &scan.after {
        Some(ck) => Bound::Excluded(encode_parts(scan.table, &scan.pk, ck)?),
        None => Bound::Included(prefix),
    };
    Ok((lower, upper, skip))
}

/// Whether a range holds nothing whatever the rows are (its ends meet or cross); engines may panic on such a range.
#[must_use]
pub fn is_empty(lower: &Bound<Vec<u8>>, upper: &Bound<Vec<u8>>) -> bool {
    match (lower, upper) {
        (Bound::Included(a) | Bound::Excluded(a), Bound::Excluded(b)) => a >= b,
        _ => false,
    }
}

/// The first key after everything that begins with `prefix`; `None` if there is none (all bytes 0xff).
#[must_use]
pub fn successor(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut bytes = prefix[..=last].to_vec();
    bytes[last] += 1;
    Some(bytes)
}

/// Checks a commit against the rules that need no look at the rows.
///
/// # Errors
/// Says which rule is broken.
pub fn check(commit: &Commit) -> Result<(), StoreError> {
    limit(|| "the number of rows in a commit".to_owned(), commit.puts.len(), MAX_PUTS)?;
    for put in &commit.puts {
        if put.at > commit.through {
            return Err(StoreError::Beyond { partition: commit.partition, at: put.at, through: commit.through });
        }
        bounded(put.key.table, &put.key.pk)?;
        bounded(put.key.table, &put.key.ck)?;
        limit(|| format!("a value of table `{}` in bytes", put.key.table), put.value.len(), MAX_VALUE)?;
    }
    for drop in &commit.drops {
        if drop.table.mutable() {
            return Err(StoreError::NotDroppable(drop.table));
        }
        bounded(drop.table, &drop.pk)?;
        bounded(drop.table, &drop.ck)?;
    }
    Ok(())
}

/// One row's share of a digest: key and value, each behind its length (big-endian, eight bytes).
pub fn digest_row(hash: &mut Sha256, key: &[u8], value: &[u8]) {
    for bytes in [key, value] {
        hash.update((bytes.len() as u64).to_be_bytes());
        hash.update(bytes);
    }
}

/// Refuses what is larger than allowed.
pub(super) fn limit(what: impl FnOnce() -> String, len: usize, max: usize) -> Result<(), StoreError> {
    if len > max { Err(StoreError::Limit { what: what(), len, max }) } else { Ok(()) }
}

fn bounded(table: Table, part: &KeyPart) -> Result<&[u8], StoreError> {
    let bytes = part.as_bytes();
    limit(|| format!("a key part of table `{table}` in bytes"), bytes.len(), MAX_PART)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_of_a_key_are_pinned() {
        let key = RowKey::new(Table::Feed, *b"ab", *b"cde");
        assert_eq!(encode(&key).expect("short"), [15, 0, 2, b'a', b'b', b'c', b'd', b'e']);
    }

    #[test]
    fn a_successor_is_above_everything_with_the_prefix_and_nothing_else() {
        assert_eq!(successor(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(successor(&[1, 255, 255]), Some(vec![2]));
        assert_eq!(successor(&[255, 255]), None);
    }

    #[test]
    fn a_part_that_is_too_long_is_refused_with_its_table() {
        let key = RowKey::single(Table::Name, &[0; MAX_PART + 1][..]);
        let error = encode(&key).expect_err("too long").to_string();
        assert!(error.contains("`name`") && error.contains("513"), "{error}");
    }
}
