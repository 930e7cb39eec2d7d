//! An entry of the instance's log: heads of trees of one partition, as that partition said them.
//!
//! | at | bytes | field |
//! | --: | --: | --- |
//! | 0 | 1 | version: 1 |
//! | 1 | 2 | partition |
//! | 3 | 2 | how many heads follow |
//! | 5 | 72 each | heads: tag (32), size (8), root (32) |
//!
//! A tag is SHA-256 of `waybill audit tree v1`, a line feed, the tenant's id and the partition (two bytes): an auditor who
//! knows a tenant's id finds its trees, all of them, and of the others sees that there are some and how large they are,
//! not whose.

use sha2::{Digest, Sha256};

use super::super::id::TenantId;
use super::hash::Hash;

/// The version that is written.
pub const VERSION: u8 = 1;

/// Heads of one entry: 36 KiB, below what a bundle of leaves takes; as an event's facts 32 KiB.
pub const MAX_HEADS: usize = 512;

const HEAD: usize = 72;

/// A tree's name to those who do not know the tenant.
pub type Tag = [u8; 32];

/// The tag of a tenant's tree in a partition.
#[must_use]
pub fn tag(tenant: TenantId, partition: u16) -> Tag {
    let hash = Sha256::new().chain_update(b"waybill audit tree v1\n").chain_update(tenant.0);
    hash.chain_update(partition.to_be_bytes()).finalize().into()
}

/// A tree's head, as strangers see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// Which tree.
    pub tag: Tag,
    /// How many leaves it has.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

/// Heads of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Which partition.
    pub partition: u16,
    /// Those of its trees that grew.
    pub heads: Vec<Head>,
}

/// Bytes that are no entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// Too few or too many bytes for its heads.
    #[error("an entry of {heads} heads has {expected} bytes, and this has {found}")]
    Len {
        /// Heads it says.
        heads: usize,
        /// Bytes those take.
        expected: usize,
        /// Bytes there are.
        found: usize,
    },
    /// Of another version.
    #[error("the entry is of version {0}; this program knows {VERSION}")]
    Version(u8),
}

impl Entry {
    /// Its bytes: a leaf of the instance's log.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(5 + self.heads.len() * HEAD);
        bytes.push(VERSION);
        bytes.extend_from_slice(&self.partition.to_be_bytes());
        bytes.extend_from_slice(&u16::try_from(self.heads.len()).unwrap_or(u16::MAX).to_be_bytes());
        for head in &self.heads {
            bytes.extend_from_slice(&head.tag);
            bytes.extend_from_slice(&head.size.to_be_bytes());
            bytes.extend_from_slice(&head.root);
        }
        bytes
    }

    /// Reads an entry.
    ///
    /// # Errors
    /// When the bytes are none, or of another version.
    pub fn parse(bytes: &[u8]) -> Result<Self, EntryError> {
        let Some((&[version, p0, p1, n0, n1], rest)) = bytes.split_first_chunk::<5>() else {
            return Err(EntryError::Len { heads: 0, expected: 5, found: bytes.len() });
        };
        if version != VERSION {
            return Err(EntryError::Version(version));
        }
        let count = usize::from(u16::from_be_bytes([n0, n1]));
        let (heads, over) = rest.as_chunks::<HEAD>();
        if heads.len() != count || !over.is_empty() {
            return Err(EntryError::Len { heads: count, expected: 5 + count * HEAD, found: bytes.len() });
        }
        Ok(Self { partition: u16::from_be_bytes([p0, p1]), heads: heads.iter().map(head).collect() })
    }
}

fn head(bytes: &[u8; HEAD]) -> Head {
    let (mut tag, mut size, mut root) = ([0; 32], [0; 8], [0; 32]);
    tag.copy_from_slice(&bytes[..32]);
    size.copy_from_slice(&bytes[32..40]);
    root.copy_from_slice(&bytes[40..]);
    Head { tag, size: u64::from_be_bytes(size), root }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn entry() -> Entry {
        let head = |n: u8| Head { tag: tag(TenantId([n; 16]), 513), size: 70_000, root: [n; 32] };
        Entry { partition: 513, heads: vec![head(0), head(0x44)] }
    }

    #[test]
    fn the_golden_entry_is_what_it_was_for_ever() {
        let golden = include_str!("../../audit/vectors/entry.hex");
        assert_eq!(hex::encode(entry().bytes()), golden.trim_end());
        assert_eq!(Entry::parse(&entry().bytes()), Ok(entry()));
    }

    #[test]
    fn the_largest_entry_fits_into_a_bundle() {
        let entry = Entry { partition: 1, heads: vec![entry().heads[0]; MAX_HEADS] };
        assert!(entry.bytes().len() <= super::super::tile::MAX_LEAF);
    }

    proptest! {
        #[test]
        fn no_other_bytes_are_an_entry(cut in 0usize..149, bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let whole = entry().bytes();
            prop_assert!(Entry::parse(&whole[..cut]).is_err());
            prop_assert!(Entry::parse(&[&whole[..], &[0]].concat()).is_err());
            if let Ok(entry) = Entry::parse(&bytes) {
                prop_assert_eq!(entry.bytes(), bytes);
            }
        }
    }
}
