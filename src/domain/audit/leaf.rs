//! An event as a leaf: fixed fields, one after the other, numbers big-endian.
//!
//! | at | bytes | field |
//! | --: | --: | --- |
//! | 0 | 1 | version: 1 |
//! | 1 | 16 | tenant; zeros for events of none |
//! | 17 | 2 | partition |
//! | 19 | 8 | index in the tree, from 0 |
//! | 27 | 2 | kind of the event |
//! | 29 | 8 | time in microseconds since 1970 UTC, two's complement: a claim of the writer's clock |
//! | 37 | 16 | the event's id |
//! | 53 | 16 | the message it is about; zeros for none |
//! | 69 | 32 | SHA-256 of the record's header |
//! | 101 | 32 | SHA-256 of the sealed body, as the header has it; zeros for none |
//!
//! The body may be dropped, and its key destroyed: header and leaf still verify. A header holds no personal data; what a
//! body says is committed to in it by a salted hash, and the salt goes with the key. A leaf's hash alone says nothing to
//! whoever does not have the leaf, because ids of events are 128 bits that nobody can guess.
//!
//! Of an append that was in doubt and made again there may be two copies. Each is a leaf: they share the event's id, and
//! the one that stands first is the one that counted.

use sha2::{Digest, Sha256};

use super::super::id::{EventId, MessageId, TenantId};
use super::super::record::{Micros, Record};
use super::hash::{self, Hash};

/// The version that is written.
pub const VERSION: u8 = 1;

/// Bytes of a leaf.
pub const LEN: usize = 133;

/// An event's leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// Whose; of no tenant: zeros.
    pub tenant: TenantId,
    /// In which partition.
    pub partition: u16,
    /// Its place in the tree.
    pub index: u64,
    /// Number of the event's kind.
    pub kind: u16,
    /// When, by the writer's clock.
    pub at: Micros,
    /// The event.
    pub event: EventId,
    /// The message it is about; zeros for none.
    pub subject: MessageId,
    /// SHA-256 of the header.
    pub header: Hash,
    /// SHA-256 of the sealed body; zeros for none.
    pub body: Hash,
}

/// Bytes that are no leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LeafError {
    /// Too few or too many.
    #[error("a leaf has {LEN} bytes, and this has {0}")]
    Len(usize),
    /// Of another version.
    #[error("the leaf is of version {0}; this program knows {VERSION}")]
    Version(u8),
}

/// Whose tree a record belongs to: its tenant's, or zeros for the installation's own.
#[must_use]
pub fn owner(record: &Record) -> TenantId {
    record.header.tenant.unwrap_or(TenantId([0; 16]))
}

impl Leaf {
    /// A record's leaf at this place of its tree.
    #[must_use]
    pub fn of(record: &Record, partition: u16, index: u64) -> Self {
        let header = &record.header;
        Self {
            tenant: owner(record),
            partition,
            index,
            kind: header.kind,
            at: header.at,
            event: header.id,
            subject: header.subject.unwrap_or(MessageId([0; 16])),
            header: Sha256::digest(&record.raw).into(),
            body: header.body.map_or([0; 32], |body| body.sha256),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> [u8; LEN] {
        let fields: [&[u8]; 10] = [
            &[VERSION],
            &self.tenant.0,
            &self.partition.to_be_bytes(),
            &self.index.to_be_bytes(),
            &self.kind.to_be_bytes(),
            &self.at.to_be_bytes(),
            &self.event.0,
            &self.subject.0,
            &self.header,
            &self.body,
        ];
        let (mut bytes, mut at) = ([0; LEN], 0);
        for field in fields {
            bytes[at..at + field.len()].copy_from_slice(field);
            at += field.len();
        }
        bytes
    }

    /// Its hash, as it stands in the tree.
    #[must_use]
    pub fn hash(&self) -> Hash {
        hash::leaf(&self.bytes())
    }

    /// Reads a leaf.
    ///
    /// # Errors
    /// When the bytes are none, or of another version.
    pub fn parse(bytes: &[u8]) -> Result<Self, LeafError> {
        let bytes: &[u8; LEN] = bytes.try_into().map_err(|_| LeafError::Len(bytes.len()))?;
        if bytes[0] != VERSION {
            return Err(LeafError::Version(bytes[0]));
        }
        Ok(Self {
            tenant: TenantId(part(bytes, 1)),
            partition: u16::from_be_bytes(part(bytes, 17)),
            index: u64::from_be_bytes(part(bytes, 19)),
            kind: u16::from_be_bytes(part(bytes, 27)),
            at: i64::from_be_bytes(part(bytes, 29)),
            event: EventId(part(bytes, 37)),
            subject: MessageId(part(bytes, 53)),
            header: part(bytes, 69),
            body: part(bytes, 101),
        })
    }
}

fn part<const N: usize>(bytes: &[u8; LEN], at: usize) -> [u8; N] {
    let mut part = [0; N];
    part.copy_from_slice(&bytes[at..at + N]);
    part
}

#[cfg(test)]
mod tests;
