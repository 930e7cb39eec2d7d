//! Batch header: what one group commit writes in front of its records.

use super::{u32_at, u64_at};

/// Bytes of a batch header.
pub const BATCH: usize = 32;

/// First bytes of a batch.
pub const BATCH_MAGIC: [u8; 4] = *b"WBBA";

/// What a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchKind {
    /// Records.
    Records,
    /// The clean-close marker: no records, and everything before it was synced.
    Closed,
}

/// What stands in front of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchHeader {
    /// One more than the batch before, over all segments; 1 is the first.
    pub sequence: u64,
    /// Records in it.
    pub records: u32,
    /// Bytes of their frames, after this header.
    pub bytes: u32,
    /// Records or the clean-close marker.
    pub kind: BatchKind,
    /// Low 32 bits of the segment's number, so that a batch copied into another segment is found out.
    pub segment: u32,
}

impl BatchHeader {
    /// The bytes as they are written.
    pub fn encode(&self) -> [u8; BATCH] {
        let mut out = [0; BATCH];
        out[..4].copy_from_slice(&BATCH_MAGIC);
        out[8..16].copy_from_slice(&self.sequence.to_le_bytes());
        out[16..20].copy_from_slice(&self.records.to_le_bytes());
        out[20..24].copy_from_slice(&self.bytes.to_le_bytes());
        out[24..28].copy_from_slice(&(self.kind as u32).to_le_bytes());
        out[28..32].copy_from_slice(&self.segment.to_le_bytes());
        let crc = crc32c::crc32c(&out[8..]);
        out[4..8].copy_from_slice(&crc.to_le_bytes());
        out
    }

    /// Reads a batch header, if these bytes are one.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let whole = bytes.len() >= BATCH && bytes[..4] == BATCH_MAGIC;
        if !whole || crc32c::crc32c(&bytes[8..BATCH]) != u32_at(bytes, 4) {
            return None;
        }
        let kind = match u32_at(bytes, 24) {
            0 => BatchKind::Records,
            1 => BatchKind::Closed,
            _ => return None,
        };
        Some(Self {
            sequence: u64_at(bytes, 8),
            records: u32_at(bytes, 16),
            bytes: u32_at(bytes, 20),
            kind,
            segment: u32_at(bytes, 28),
        })
    }

    /// Bytes of header and frames.
    pub fn length(&self) -> u64 {
        BATCH as u64 + u64::from(self.bytes)
    }
}
