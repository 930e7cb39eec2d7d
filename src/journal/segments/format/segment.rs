//! Segment header and seal.

use super::super::super::genesis::Genesis;
use super::{array, u16_at, u32_at, u64_at};
use crate::domain::id::InstallationId;
use crate::domain::routing::PARTITION_COUNTS;

/// First bytes of every segment.
pub const MAGIC: [u8; 8] = *b"WAYBILLJ";

/// The format version that this program writes, and the highest it reads.
pub const VERSION: u16 = 1;

/// Bytes of a seal.
pub const SEAL: usize = 64;

/// First bytes of a seal.
pub const SEAL_MAGIC: [u8; 4] = *b"WBSE";

/// A header fills whole pages, so that no batch shares one with it.
const PAGE: usize = 4096;

/// Bytes before the base positions.
const FIXED: usize = 96;

/// What stands in front of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SegmentHeader {
    /// Whose journal, how many partitions, which routing.
    pub genesis: Genesis,
    /// 1 for the first segment; also the file's name.
    pub number: u64,
    /// Bytes of the file while it is written to (it is zero-filled up to there).
    pub size: u64,
    /// Sequence number of its first batch.
    pub sequence: u64,
    /// SHA-256 of the segment before, as its seal names it; zeros in the first.
    pub previous: [u8; 32],
    /// For each partition the position of its first record in here or later.
    pub bases: Vec<u64>,
}

/// Why bytes are no segment header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadHeader {
    /// They are damaged, or something else.
    Damaged(String),
    /// A newer program wrote them.
    Version(u16),
}

impl SegmentHeader {
    /// Bytes of a header for so many partitions.
    pub fn length_for(count: u16) -> u64 {
        ((FIXED + 8 * usize::from(count) + 4).next_multiple_of(PAGE)) as u64
    }

    /// Bytes of this header.
    pub fn length(&self) -> u64 {
        Self::length_for(self.genesis.count)
    }

    /// The bytes as they are written.
    pub fn encode(&self) -> Vec<u8> {
        let length = self.length() as usize;
        let mut out = Vec::with_capacity(length);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        out.extend_from_slice(&self.genesis.count.to_le_bytes());
        out.extend_from_slice(&self.genesis.routing.to_le_bytes());
        out.extend_from_slice(&[0; 2]);
        out.extend_from_slice(&self.genesis.installation.0);
        out.extend_from_slice(&self.number.to_le_bytes());
        out.extend_from_slice(&self.size.to_le_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
        out.extend_from_slice(&(length as u64).to_le_bytes());
        out.extend_from_slice(&self.previous);
        self.bases.iter().for_each(|base| out.extend_from_slice(&base.to_le_bytes()));
        out.resize(length - 4, 0);
        let crc = crc32c::crc32c(&out);
        out.extend_from_slice(&crc.to_le_bytes());
        out
    }

    /// How long a header is that begins with these bytes (at least [`PAGE`] of them).
    pub fn announced(bytes: &[u8]) -> Result<usize, BadHeader> {
        let damaged = |what: &str| Err(BadHeader::Damaged(what.to_owned()));
        if bytes.len() < PAGE {
            return damaged("the file is shorter than a segment header");
        }
        if bytes[..8] != MAGIC {
            return damaged("this is no segment: the first eight bytes are not WAYBILLJ");
        }
        let version = u16_at(bytes, 8);
        let count = u16_at(bytes, 10);
        let length = Self::length_for(count);
        if version != VERSION && version != 0 && u64_at(bytes, 56) == length {
            return Err(BadHeader::Version(version));
        }
        if !PARTITION_COUNTS.contains(&count) || u64_at(bytes, 56) != length {
            return damaged("the segment header names an impossible partition count or length");
        }
        Ok(length as usize)
    }

    /// Reads a whole header.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadHeader> {
        let length = Self::announced(bytes)?;
        if bytes.len() < length || crc32c::crc32c(&bytes[..length - 4]) != u32_at(bytes, length - 4) {
            return Err(BadHeader::Damaged("the checksum of the segment header does not match".to_owned()));
        }
        let count = u16_at(bytes, 10);
        Ok(Self {
            genesis: Genesis { installation: InstallationId(array(bytes, 16)), count, routing: u16_at(bytes, 12) },
            number: u64_at(bytes, 32),
            size: u64_at(bytes, 40),
            sequence: u64_at(bytes, 48),
            previous: array(bytes, 64),
            bases: (0..usize::from(count)).map(|n| u64_at(bytes, FIXED + 8 * n)).collect(),
        })
    }
}

/// The end of a segment to which nothing is added any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seal {
    /// Sequence number of the next segment's first batch.
    pub sequence: u64,
    /// Bytes before the seal.
    pub length: u64,
    /// SHA-256 over them, bodies and body flags left out (so that a body can be dropped).
    pub sha256: [u8; 32],
}

impl Seal {
    /// The bytes as they are written.
    pub fn encode(&self) -> [u8; SEAL] {
        let mut out = [0; SEAL];
        out[..4].copy_from_slice(&SEAL_MAGIC);
        out[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        out[16..24].copy_from_slice(&self.length.to_le_bytes());
        out[24..56].copy_from_slice(&self.sha256);
        let crc = crc32c::crc32c(&out[8..]);
        out[4..8].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a seal, if these bytes are one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let whole = bytes.len() >= SEAL && bytes[..4] == SEAL_MAGIC;
        if !whole || crc32c::crc32c(&bytes[8..SEAL]) != u32_at(bytes, 4) {
            return None;
        }
        Some(Self { sequence: u64_at(bytes, 8), length: u64_at(bytes, 16), sha256: array(bytes, 24) })
    }
}
