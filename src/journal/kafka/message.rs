//! What one Kafka message holds, and where its records stand. The bytes are described in `../FORMAT.md`.

use std::sync::Arc;

use super::super::frame::{Frame, Place, put};
use super::super::seam::Entry;
use crate::domain::record::{Position, Record};

/// Low bits of a position that tell the records of one message apart: an append holds at most 256.
const INDEX_BITS: u32 = 8;

/// Where a record stands that was appended here.
pub fn position(offset: u64, index: u8) -> Position {
    Position(offset << INDEX_BITS | u64::from(index))
}

/// The message at or after which a position stands, in a partition whose first `copied` messages were copied one to one.
pub fn offset_of(copied: u64, position: Position) -> u64 {
    if position.0 < copied { position.0 } else { copied.max(position.0 >> INDEX_BITS) }
}

/// How many messages stand wholly before a position, or begin before it.
pub fn rank(copied: u64, position: Position) -> u64 {
    let next = position.0.saturating_add((1 << INDEX_BITS) - 1) >> INDEX_BITS;
    if position.0 < copied { position.0 } else { copied.max(next) }
}

/// A message that was read and checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Where it stands in its partition.
    pub offset: u64,
    /// How many messages at the partition's beginning were copied one to one, as this one tells.
    pub copied: u64,
    /// Its records. None in a genesis that was written twice: the first one counts.
    pub entries: Vec<Arc<Entry>>,
    /// What it takes in memory.
    pub bytes: usize,
}

impl Message {
    /// Position of its last record.
    pub fn last(&self) -> Option<Position> {
        self.entries.last().map(|entry| entry.position)
    }
}

/// The bytes of an append, in a partition whose first `copied` messages were copied one to one.
pub fn encode(partition: u16, copied: u64, records: &[Record]) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, record) in (0..=u8::MAX).zip(records) {
        put(&mut out, partition, Place::Among { index, base: copied }, record);
    }
    out
}

/// The bytes of a record whose position is its offset: a genesis, or one that is copied from another journal.
pub fn encode_at(partition: u16, position: Position, record: &Record) -> Vec<u8> {
    let mut out = Vec::new();
    put(&mut out, partition, Place::At(position), record);
    out
}

/// Reads the message at `offset`.
///
/// # Errors
/// Says what is wrong with it.
pub fn decode(partition: u16, offset: u64, mut bytes: &[u8]) -> Result<Message, String> {
    let mut message = Message { offset, copied: 0, entries: Vec::new(), bytes: bytes.len() + size_of::<Message>() };
    let mut places = Vec::new();
    while !bytes.is_empty() {
        let frame = Frame::parse(bytes)?;
        if frame.partition != partition {
            return Err(format!("a record of partition {} stands in partition {partition}", frame.partition));
        }
        let at = place(frame.place, offset, places.len())?;
        places.push(frame.place);
        if let Some(position) = at {
            let record = frame.record()?;
            message.bytes += size_of::<Entry>() + record.header.facts.len();
            message.entries.push(Arc::new(Entry { partition, position, record }));
        }
        bytes = &bytes[frame.length()..];
    }
    message.copied = match places[..] {
        [Place::At(_)] => offset + 1,
        [Place::Among { base, .. }, ..] if same_base(&places, base) => base,
        _ => return Err("a message holds no record, or records that do not belong together".to_owned()),
    };
    Ok(message)
}

fn same_base(places: &[Place], expected: u64) -> bool {
    places.iter().all(|place| matches!(place, Place::Among { base, .. } if *base == expected))
}

/// Where the `n`-th record of a message stands; nowhere, if it is a second genesis.
fn place(place: Place, offset: u64, n: usize) -> Result<Option<Position>, String> {
    match place {
        Place::At(position) if position.0 == offset => Ok(Some(position)),
        // Two processes made the topic at once. The first genesis counts, this one was never anywhere.
        Place::At(Position(0)) => Ok(None),
        Place::At(position) => Err(format!("a record of position {} stands at offset {offset}", position.0)),
        Place::Among { index, base } if usize::from(index) == n && base <= offset => Ok(Some(position(offset, index))),
        Place::Among { .. } => Err(format!("record {n} of a message is out of order")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::contract::{genesis, record};
    use super::*;

    #[test]
    fn what_is_appended_reads_back_at_its_positions_and_no_flipped_bit_passes() {
        let records: Vec<_> = (0..3).map(|n| record(n, 20)).collect();
        let bytes = encode(7, 5, &records);
        let message = decode(7, 9, &bytes).expect("a message");
        let read: Vec<_> = message.entries.iter().map(|it| (it.position.0, it.record.clone())).collect();
        assert_eq!(read, (9 * 256..).zip(records).collect::<Vec<_>>());
        assert_eq!((message.copied, message.last()), (5, Some(Position(9 * 256 + 2))));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(decode(7, 9, &flipped).is_err(), "bit {bit}");
        }
        for cut in 0..bytes.len() {
            let whole = decode(7, 9, &bytes[..cut]).is_ok_and(|read| read.entries.len() == 3);
            assert!(!whole, "cut at {cut}");
        }
    }

    #[test]
    fn what_does_not_belong_there_is_found() {
        let bytes = encode(7, 5, &[record(1, 20)]);
        assert!(decode(8, 9, &bytes).is_err(), "another partition");
        assert!(decode(7, 4, &bytes).is_err(), "before what was copied");
        assert!(decode(7, 9, &[]).is_err(), "nothing");
        assert!(decode(7, 9, &[&bytes[..], &bytes[..]].concat()).is_err(), "twice the first");
        let copied = encode_at(7, Position(4), &record(1, 20));
        assert_eq!(decode(7, 4, &copied).expect("a copy").last(), Some(Position(4)));
        assert!(decode(7, 5, &copied).is_err(), "a copy elsewhere");
        assert!(decode(7, 5, &[&bytes[..], &copied[..]].concat()).is_err(), "mixed");
    }

    #[test]
    fn a_second_genesis_is_nowhere() {
        let bytes = encode_at(3, Position(0), &genesis().record(3, 1).expect("small"));
        assert_eq!(decode(3, 0, &bytes).expect("the first").entries.len(), 1);
        assert_eq!(decode(3, 1, &bytes).expect("a second").entries, Vec::new());
    }

    #[test]
    fn positions_lead_to_their_messages_and_are_counted_by_them() {
        // Ten copied one to one, then messages at the offsets 10, 11, 12.
        let stand = |n: u64| if n < 10 { Position(n) } else { position(n, 0) };
        for n in 0..13 {
            assert_eq!((offset_of(10, stand(n)), rank(10, stand(n))), (n, n));
            assert_eq!(rank(10, stand(n).next()), n + 1);
        }
        assert_eq!((offset_of(10, position(11, 200)), rank(10, position(11, 200))), (11, 12));
        // Nothing stands between the last copy and the first append.
        assert_eq!((offset_of(10, Position(10)), rank(10, Position(10))), (10, 10));
        assert_eq!((offset_of(10, Position(2559)), rank(10, Position(2559))), (10, 10));
    }
}
