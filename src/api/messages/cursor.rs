//! A place in all feeds of a tenant at once: a position for each partition, opaque to callers.
//!
//! Version byte, then for each partition that was read: its number and its position, as LEB128. Base64 without padding.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::codes::Code;
use super::super::problem::Problem;
use crate::domain::record::Position;

const VERSION: u8 = 1;

/// 1,024 partitions at 2 + 10 bytes are 12 KiB, and 16 KiB in base64.
const TEXT_MAX: usize = 16 * 1024 + 8;

/// How far each feed was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cursor(BTreeMap<u16, Position>);

impl Cursor {
    /// How far this feed was read.
    #[must_use]
    pub fn get(&self, partition: u16) -> Option<Position> {
        self.0.get(&partition).copied()
    }

    /// Moves on in one feed.
    pub fn advance(&mut self, partition: u16, position: Position) {
        let at = self.0.entry(partition).or_default();
        *at = position.max(*at);
    }

    /// Goes no further than this in one feed.
    pub fn limit(&mut self, partition: u16, position: Position) {
        let at = self.0.entry(partition).or_default();
        *at = position.min(*at);
    }

    /// The text.
    #[must_use]
    pub fn encode(&self) -> String {
        let mut bytes = vec![VERSION];
        for (partition, position) in &self.0 {
            put(&mut bytes, u64::from(*partition));
            put(&mut bytes, position.0);
        }
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// What a caller gave, or the beginning.
    ///
    /// # Errors
    /// `invalid_query`.
    pub fn asked(text: Option<&str>) -> Result<Self, Problem> {
        text.map_or_else(|| Ok(Self::default()), Self::decode)
    }

    /// Reads a text back.
    ///
    /// # Errors
    /// `invalid_query`.
    pub fn decode(text: &str) -> Result<Self, Problem> {
        Self::read(text).ok_or_else(|| {
            Problem::new(Code::InvalidQuery, "`cursor` is not one of ours")
                .remedy("give `next` of an earlier answer unchanged, or leave it out to begin")
        })
    }

    fn read(text: &str) -> Option<Self> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let mut rest = bytes.strip_prefix(&[VERSION])?;
        let mut cursor = Self::default();
        while !rest.is_empty() {
            let partition = u16::try_from(take(&mut rest)?).ok()?;
            let position = Position(take(&mut rest)?);
            cursor.0.insert(partition, position);
        }
        Some(cursor)
    }
}

fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let bits = u64::from(byte & 0x7f);
        let shifted = bits << shift;
        if shifted >> shift != bits {
            return None;
        }
        number |= shifted;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_what_it_wrote_and_is_small() {
        let mut cursor = Cursor::default();
        for partition in 0..64 {
            cursor.advance(partition, Position(u64::from(partition) * 40_000));
        }
        cursor.advance(1_023, Position(u64::MAX));
        cursor.advance(3, Position(1));
        let text = cursor.encode();
        assert_eq!(Cursor::decode(&text), Ok(cursor.clone()));
        assert_eq!(cursor.get(3), Some(Position(120_000)));
        assert!(text.len() < 400, "{}", text.len());
    }

    #[test]
    fn what_is_no_cursor_is_refused() {
        let whole = URL_SAFE_NO_PAD.encode([1, 5, 0x80]);
        let large = URL_SAFE_NO_PAD.encode([1, 0xff, 0xff, 0x7f, 1]);
        let long = URL_SAFE_NO_PAD.encode([[1].as_slice(), &[0xff; 12]].concat());
        for bad in ["", "!", "Ag", &whole, &large, &long, &"A".repeat(20_000)] {
            assert!(Cursor::decode(bad).is_err(), "{bad}");
        }
    }
}
