//! A leaf's bytes are pinned: a stranger's verifier reads them by the table.

use bytes::Bytes;
use proptest::prelude::*;

use super::super::super::address::Address;
use super::super::super::draft::Draft;
use super::super::super::event::{Event, SessionStartedV1};
use super::super::super::id::{KeyId, SessionId};
use super::super::super::record::Principal;
use super::*;

/// `src/audit/vectors/leaf.hex`: header, body, leaf, its hash; a line each.
const GOLDEN: &str = include_str!("../../../audit/vectors/leaf.hex");

fn record() -> Record {
    let event = Event::from(SessionStartedV1 { session: SessionId([4; 16]) });
    let draft = Draft::new(EventId([1; 16]), Address::partition(0), &event, Principal::Operator, 1_767_225_600_000_000);
    let draft = draft.tenant(TenantId([0x44; 16])).subject(MessageId([0x11; 16]));
    draft.sealed(KeyId([0x33; 16]), [9; 32], &b"sealed"[..]).record().expect("small")
}

#[test]
fn the_golden_leaf_is_made_of_the_golden_record_for_ever() {
    let lines: Vec<Vec<u8>> = GOLDEN.lines().map(|line| hex::decode(line).expect("hex")).collect();
    let record = Record::decode(Bytes::from(lines[0].clone()), Bytes::from(lines[1].clone())).expect("a record");
    assert_eq!(record, self::record());
    let leaf = Leaf::of(&record, 513, 70_000);
    assert_eq!((&leaf.bytes()[..], &leaf.hash()[..]), (&lines[2][..], &lines[3][..]));
    let dropped = Record::decode(record.raw, Bytes::new()).expect("a record whose body was dropped");
    assert_eq!(Leaf::of(&dropped, 513, 70_000), leaf, "verifies without its body");
}

#[test]
fn a_leaf_is_read_back_and_nothing_else_is_one() {
    let leaf = Leaf::of(&record(), 513, 70_000);
    let bytes = leaf.bytes();
    assert_eq!(Leaf::parse(&bytes), Ok(leaf));
    assert_eq!(Leaf::parse(&bytes[1..]), Err(LeafError::Len(LEN - 1)));
    let mut newer = bytes;
    newer[0] = 2;
    assert_eq!(Leaf::parse(&newer), Err(LeafError::Version(2)));
}

proptest! {
    #[test]
    fn every_byte_of_a_leaf_counts(at in 1..LEN, bit in 0u8..8) {
        let leaf = Leaf::of(&record(), 513, 70_000);
        let mut bytes = leaf.bytes();
        bytes[at] ^= 1 << bit;
        let other = Leaf::parse(&bytes).expect("the version is as it was");
        prop_assert_ne!(other, leaf);
        prop_assert_eq!(other.bytes(), bytes);
        prop_assert_ne!(other.hash(), leaf.hash());
    }
}
