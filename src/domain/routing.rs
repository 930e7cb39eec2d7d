//! Routing, version 1: which partition an address lives in.
//!
//! The function is part of the stored format: it stands in every genesis as a version number, and no library's hash is
//! part of it. Addresses whose id carries a partition (contacts, the partition itself) live there; all others by
//! SHA-256 over kind and id, first eight bytes big-endian, modulo the partition count of the genesis.

use sha2::{Digest, Sha256};

use super::address::{Address, AddressKind};
use super::id::partition_of;

/// The only routing version so far.
pub const ROUTING_VERSION: u16 = 1;

/// Partition counts that a genesis may name. 1,024 partitions at 512 bytes a segment header entry stay below a page.
pub const PARTITION_COUNTS: std::ops::RangeInclusive<u16> = 1..=1024;

/// The partition of an address, out of `count` (from genesis, never zero).
#[must_use]
pub fn partition(address: &Address, count: u16) -> u16 {
    match address.kind {
        AddressKind::Partition | AddressKind::Contact => partition_of(&address.id) % count,
        kind => hashed(&[&[kind.number()], &address.id], count),
    }
}

/// Where a new contact's mailbox goes: by its keyed tag, so that two nodes that meet it at once choose the same one.
#[must_use]
pub fn contact_partition(tag: &super::id::Tag, count: u16) -> u16 {
    hashed(&[b"contact", &tag.0], count)
}

fn hashed(parts: &[&[u8]], count: u16) -> u16 {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    (u64::from_be_bytes(first) % u64::from(count)) as u16
}

#[cfg(test)]
mod tests {
    use super::super::id::{KeyId, SessionId, with_partition};
    use super::*;

    #[test]
    fn routing_is_pinned_for_ever() {
        let at = |n: u8| partition(&SessionId([n; 16]).into(), 64);
        assert_eq!([at(0), at(1), at(2), at(255)], [42, 46, 51, 51]);
        assert_eq!(partition(&KeyId(with_partition([9; 16], 33)).into(), 64), 33);
    }

    #[test]
    fn sessions_spread_over_all_partitions() {
        let mut hits = [0u32; 64];
        for n in 0..6400u16 {
            hits[usize::from(partition(&SessionId(with_partition([3; 16], n)).into(), 64))] += 1;
        }
        assert!(hits.iter().all(|&n| (50..160).contains(&n)), "{hits:?}");
    }
}
