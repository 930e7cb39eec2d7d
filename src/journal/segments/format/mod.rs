//! The bytes of a segment, as `FORMAT.md` describes them. Integers are little-endian.

pub mod batch;
pub mod segment;

pub use batch::{BATCH, BatchHeader, BatchKind};
pub use segment::{SEAL, Seal, SegmentHeader};

pub(super) use super::super::frame;
pub use super::super::frame::{FRAME, Frame, Place};
use super::super::frame::{array, u16_at, u32_at, u64_at};

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
        let among = Place::Among { index: 255, base: (1 << 56) - 1 };
        for place in [Place::At(Position(12)), Place::At(Position(u64::MAX)), among] {
            let mut bytes = Vec::new();
            frame::put(&mut bytes, 3, place, &record);
            let read = Frame::parse(&bytes).expect("a frame");
            assert_eq!((read.partition, read.place, read.length()), (3, place, bytes.len()));
            assert_eq!(read.record().expect("a record"), record);
            for bit in 0..bytes.len() * 8 {
                let mut flipped = bytes.clone();
                flipped[bit / 8] ^= 1 << (bit % 8);
                let passes = Frame::parse(&flipped).and_then(|frame| frame.record());
                assert!(passes.is_err(), "bit {bit}");
            }
        }
    }

    #[test]
    fn a_body_can_be_dropped_in_place_and_the_record_still_verifies() {
        let mut record = record(5, 40);
        let mut bytes = Vec::new();
        frame::put(&mut bytes, 0, Place::At(Position(1)), &record);
        let body = bytes.len() - record.body.len();
        bytes[body..].fill(0);
        assert!(Frame::parse(&bytes).and_then(|frame| frame.record()).is_err());
        bytes[frame::FLAGS] = frame::DROPPED;
        record.body = Bytes::new();
        assert_eq!(Frame::parse(&bytes).and_then(|frame| frame.record()), Ok(record.clone()));
        let mut again = Vec::new();
        frame::put(&mut again, 0, Place::At(Position(1)), &record);
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
