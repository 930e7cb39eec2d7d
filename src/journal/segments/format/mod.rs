//! The bytes of a segment, as `FORMAT.md` describes them. Integers are little-endian.

pub mod batch;
pub mod frame;
pub mod segment;

pub use batch::{BATCH, BatchHeader, BatchKind};
pub use frame::{FRAME, Frame};
pub use segment::{SEAL, Seal, SegmentHeader};

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

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::super::super::contract::record;
    use super::super::super::genesis::Genesis;
    use super::*;
    use crate::domain::id::InstallationId;
    use crate::domain::record::Position;

    #[test]
    fn a_batch_header_reads_back_and_no_flipped_bit_passes() {
        let header = BatchHeader { sequence: 77, records: 3, bytes: 4000, kind: BatchKind::Records, segment: 9 };
        let bytes = header.encode();
        assert_eq!(BatchHeader::decode(&bytes), Some(header));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes;
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(BatchHeader::decode(&flipped), None, "bit {bit}");
        }
    }

    #[test]
    fn a_frame_reads_back_and_no_flipped_bit_passes() {
        let record = record(5, 40);
        let mut bytes = Vec::new();
        frame::put(&mut bytes, 3, Position(12), &record);
        let read = Frame::parse(&bytes).expect("a frame");
        assert_eq!((read.partition, read.position, read.length()), (3, Position(12), bytes.len()));
        assert_eq!(read.record().expect("a record"), record);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let passes = Frame::parse(&flipped).and_then(|frame| frame.record());
            assert!(passes.is_err(), "bit {bit}");
        }
    }

    #[test]
    fn a_body_can_be_dropped_in_place_and_the_record_still_verifies() {
        let mut record = record(5, 40);
        let mut bytes = Vec::new();
        frame::put(&mut bytes, 0, Position(1), &record);
        let body = bytes.len() - record.body.len();
        bytes[body..].fill(0);
        assert!(Frame::parse(&bytes).and_then(|frame| frame.record()).is_err());
        bytes[frame::FLAGS] = frame::DROPPED;
        record.body = Bytes::new();
        assert_eq!(Frame::parse(&bytes).and_then(|frame| frame.record()), Ok(record.clone()));
        let mut again = Vec::new();
        frame::put(&mut again, 0, Position(1), &record);
        assert_eq!(Frame::parse(&again).and_then(|frame| frame.record()), Ok(record));
    }

    #[test]
    fn a_segment_header_and_a_seal_read_back_and_no_flipped_bit_passes() {
        let header = SegmentHeader {
            genesis: Genesis::new(InstallationId([4; 16]), 2),
            number: 3,
            size: 65_536,
            sequence: 12,
            previous: [8; 32],
            bases: vec![7, 1],
        };
        let bytes = header.encode();
        assert_eq!(bytes.len() as u64, header.length());
        assert_eq!(SegmentHeader::decode(&bytes), Ok(header.clone()));
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(SegmentHeader::decode(&flipped).is_err(), "bit {bit}");
        }
        let seal = Seal { sequence: 3, length: 99, sha256: [1; 32] };
        assert_eq!(Seal::decode(&seal.encode()), Some(seal));
        for bit in 0..SEAL * 8 {
            let mut flipped = seal.encode();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(Seal::decode(&flipped), None, "bit {bit}");
        }
    }
}
