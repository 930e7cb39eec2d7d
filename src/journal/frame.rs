//! Record frame: prefix, header, body. The bytes of one record in every column.
//!
//! The checksum covers the prefix and the header, not the flags and not the body: a body can be dropped in place (flag
//! set, bytes zeroed) and the frame, the seal and every audit proof still verify. Flags are checked against the body,
//! the body against the digest in the header.

use std::fmt;

use bytes::Bytes;
use minicbor::Decoder;
use sha2::{Digest, Sha256};

use crate::domain::record::{BodyDigest, Header, MAX_HEADER, MAX_RECORD, Position, Record};

/// Reads an integer's bytes out of a slice that is known to be long enough.
pub(super) fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

pub(super) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array(bytes, at))
}

pub(super) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array(bytes, at))
}

pub(super) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array(bytes, at))
}

/// Bytes of a frame's prefix.
pub const FRAME: usize = 32;

/// First bytes of a frame.
pub const FRAME_MAGIC: [u8; 4] = *b"WBRF";

/// Where the four flag bytes stand; three of them are always zero.
pub const FLAGS: usize = 8;

/// The flag that says: the body was dropped; its place, if any, is zeroed.
pub const DROPPED: u8 = 1;

/// Where the two bytes stand that say how the position is meant.
const MEANING: usize = 14;

/// How a frame says where its record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// There: the position itself.
    At(Position),
    /// The frame does not know it; whoever keeps it does. Its place among the records it was written with, and a number of
    /// the keeper's own.
    Among {
        /// Which record of the call, from 0.
        index: u8,
        /// What the keeper needs to count by, below 2^56.
        base: u64,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(position) => write!(f, "{}", position.0),
            Self::Among { index, .. } => write!(f, "#{index}"),
        }
    }
}

impl Place {
    fn bytes(self) -> (u16, u64) {
        match self {
            Self::At(position) => (0, position.0),
            Self::Among { index, base } => (1, base << 8 | u64::from(index)),
        }
    }

    fn read(meaning: u16, field: u64) -> Result<Self, String> {
        match meaning {
            0 => Ok(Self::At(Position(field))),
            1 => Ok(Self::Among { index: field as u8, base: field >> 8 }),
            other => Err(format!("a record's position has the unknown meaning {other}")),
        }
    }
}

/// One record as it stands in a segment or a message.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'a> {
    /// Which partition.
    pub partition: u16,
    /// Where in it.
    pub place: Place,
    dropped: bool,
    prefix: &'a [u8],
    header: &'a [u8],
    body: &'a [u8],
}

/// Appends a record's frame to `out`.
pub fn put(out: &mut Vec<u8>, partition: u16, place: Place, record: &Record) {
    let (meaning, field) = place.bytes();
    let mut prefix = [0; FRAME];
    prefix[..4].copy_from_slice(&FRAME_MAGIC);
    prefix[FLAGS] = if record.header.body.is_some() && record.body.is_empty() { DROPPED } else { 0 };
    prefix[12..14].copy_from_slice(&partition.to_le_bytes());
    prefix[MEANING..16].copy_from_slice(&meaning.to_le_bytes());
    prefix[16..24].copy_from_slice(&field.to_le_bytes());
    prefix[24..28].copy_from_slice(&(record.raw.len() as u32).to_le_bytes());
    prefix[28..32].copy_from_slice(&(record.body.len() as u32).to_le_bytes());
    let crc = checksum(&prefix, &record.raw);
    prefix[4..8].copy_from_slice(&crc.to_le_bytes());
    out.extend_from_slice(&prefix);
    out.extend_from_slice(&record.raw);
    out.extend_from_slice(&record.body);
}

fn checksum(prefix: &[u8], header: &[u8]) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&prefix[12..FRAME]), header)
}

/// How long a frame is that begins with these [`FRAME`] bytes, if they can be the beginning of one.
pub fn announced(prefix: &[u8]) -> Result<usize, String> {
    if prefix.len() < FRAME || prefix[..4] != FRAME_MAGIC {
        return Err("no record frame begins here".to_owned());
    }
    let (header, body) = (u32_at(prefix, 24) as usize, u32_at(prefix, 28) as usize);
    if header > MAX_HEADER || header + body > MAX_RECORD {
        return Err(format!(
            "a record frame names {header} bytes of header and {body} of body, more than there may be"
        ));
    }
    Ok(FRAME + header + body)
}

impl<'a> Frame<'a> {
    /// Reads the frame at the beginning of these bytes and checks its checksum; the body is not looked at.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, String> {
        let length = announced(bytes)?;
        if bytes.len() < length {
            return Err(format!("a record frame of {length} bytes is cut off after {}", bytes.len()));
        }
        let (prefix, rest) = bytes[..length].split_at(FRAME);
        let (header, body) = rest.split_at(u32_at(prefix, 24) as usize);
        if checksum(prefix, header) != u32_at(prefix, 4) {
            return Err("the checksum of a record does not match".to_owned());
        }
        if prefix[FLAGS] & !DROPPED != 0 || prefix[FLAGS + 1..FLAGS + 4] != [0; 3] {
            return Err("a record has flags that do not exist".to_owned());
        }
        let (partition, place) = (u16_at(prefix, 12), Place::read(u16_at(prefix, MEANING), u64_at(prefix, 16))?);
        Ok(Self { partition, place, dropped: prefix[FLAGS] == DROPPED, prefix, header, body })
    }

    /// Bytes of the whole frame.
    pub fn length(&self) -> usize {
        FRAME + self.header.len() + self.body.len()
    }

    /// Decodes the header and checks flags and body against it.
    pub fn check(&self) -> Result<Header, String> {
        let mut decoder = Decoder::new(self.header);
        let header: Header = decoder.decode().map_err(|e| format!("a record's header does not decode ({e})"))?;
        if decoder.position() != self.header.len() {
            return Err("bytes are left over after a record's header".to_owned());
        }
        match (self.dropped, header.body) {
            (true, Some(_)) if self.body.iter().all(|&byte| byte == 0) => Ok(header),
            (true, _) => Err("a record says that its body was dropped, but it is there".to_owned()),
            (false, None) if self.body.is_empty() => Ok(header),
            (false, Some(digest)) if digest == BodyDigest::of(self.body) => Ok(header),
            (false, _) => Err("a record's body does not match the digest in its header".to_owned()),
        }
    }

    /// The record, checked.
    pub fn record(&self) -> Result<Record, String> {
        let header = self.check()?;
        let body = if self.dropped { Bytes::new() } else { Bytes::copy_from_slice(self.body) };
        Ok(Record { header, raw: Bytes::copy_from_slice(self.header), body })
    }

    /// Adds what the seal's digest covers of a frame: prefix without flags, and header.
    pub fn digest_into(&self, hash: &mut Sha256) {
        hash.update(&self.prefix[..FLAGS]);
        hash.update([0; 4]);
        hash.update(&self.prefix[FLAGS + 4..]);
        hash.update(self.header);
    }
}
