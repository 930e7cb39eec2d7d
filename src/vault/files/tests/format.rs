//! The bytes: one record of every kind, pinned for ever.

use super::*;
use crate::domain::id::Tag;
use crate::vault::files::format::{Alias, Contact, FRAME, Head, Secret, Tenant, frame, payload};

fn every_kind() -> Vec<Entry> {
    let (tenant, key, tag) = (TenantId([1; 16]), KeyId([2; 16]), Tag([3; 16]));
    vec![
        Entry::Head(Head { version: 1, installation: INSTALLATION, count: 64, check: vec![4], mac: vec![5, 6] }),
        Entry::Tenant(Tenant { tenant, wrap: vec![7], index: vec![8] }),
        Entry::Contact(Contact { tenant, key, wrapped: vec![9], tag, alias: vec![10] }),
        Entry::Alias(Alias { tenant, key, tag, alias: vec![11] }),
        Entry::Secret(Secret { tenant: None, name: "n".to_owned(), sealed: vec![12] }),
        Entry::Secret(Secret { tenant: Some(tenant), name: "n".to_owned(), sealed: vec![12] }),
        Entry::Erased(Erased { tenant, key, at: -1, wiped: None }),
    ]
}

/// Computed apart from this code, from the tables in `format.rs`, with another CBOR encoder and another CRC-32C.
const PINNED: [&str; 7] = [
    "00000022a63f104d62eb3f9e820081a5000101500505050505050505050505050505050502184003410404420506",
    "0000001cb20e4ee9c1f5cb0e820181a3005001010101010101010101010101010101014107024108",
    "00000040707bd41f45b98980820281a500500101010101010101010101010101010101500202020202020202020202020202020202410903500303030303030303030303030303030304410a",
    "0000003dac27bf1fdd48132f820381a400500101010101010101010101010101010101500202020202020202020202020202020202500303030303030303030303030303030303410b",
    "0000000af45bc564ea80c547820481a201616e02410c",
    "0000001cb20e4ee9696dc5a5820481a300500101010101010101010101010101010101616e02410c",
    "0000002a1e4ce2da14dd93c2820581a30050010101010101010101010101010101010150020202020202020202020202020202020220",
];

#[test]
fn every_kind_is_written_and_read_as_it_always_was() {
    for (entry, pinned) in every_kind().into_iter().zip(PINNED) {
        let mut bytes = Vec::new();
        append(&mut bytes, 8, &entry);
        assert_eq!(hex::encode(&bytes), pinned);
        let start = bytes.first_chunk::<FRAME>().expect("a frame");
        let (len, crc) = frame(start, 8).expect("its frame");
        assert_eq!((len, payload(&bytes[FRAME..], crc)), (bytes.len() - FRAME, Ok(entry)));
        assert!(frame(start, 9).is_err(), "a record that was moved by a byte");
    }
}

#[tokio::test]
async fn a_kind_of_a_newer_version_is_refused_and_named_as_such() {
    let mut stage = InFiles::new();
    stage.crash();
    stage.append(&Entry::Erased(Erased { tenant: TENANT, key: KeyId([2; 16]), at: 0, wiped: None }));
    let mut bytes = fs::read(stage.keys()).expect("read");
    let at = bytes.len() - PAYLOAD;
    assert_eq!(bytes[at..at + 2], [0x82, 5], "an array of two, kind 5");
    bytes[at + 1] = 6;
    let crc = crc32c::crc32c(&bytes[at..]).to_be_bytes();
    bytes[at - 4..at].copy_from_slice(&crc);
    fs::write(stage.keys(), bytes).expect("written");
    let text = stage.look().expect_err("an unknown kind").to_string();
    assert!(text.contains("a newer version may know it"), "{text}");
}

/// The payload of an erasure mark at time 0: array, kind, array, map of three, two ids with key and length, key and 0.
const PAYLOAD: usize = 1 + 1 + 1 + 1 + 2 * (1 + 1 + 16) + 2;
