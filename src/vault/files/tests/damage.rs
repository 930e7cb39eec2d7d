//! Damage: a changed byte anywhere is found, and the error says where and what to do.

use super::*;
use crate::domain::record::Position;
use crate::vault::SecretBytes;
use crate::vault::files::marks;

#[tokio::test]
async fn every_flipped_bit_of_the_key_file_is_found() {
    let mut stage = InFiles::new();
    let contact = stage.hand().contact(TENANT, &phone(1)).await.expect("made");
    stage.hand().add_alias(TENANT, contact, &phone(2)).await.expect("added");
    stage.hand().put_secret(None, "token", &SecretBytes::new(vec![7; 20])).await.expect("kept");
    stage.crash();
    stage.append(&Entry::Erased(Erased { tenant: TENANT, key: contact, at: 0, wiped: None }));
    let whole = fs::read(stage.keys()).expect("read");
    assert!(stage.look().is_ok());
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            fs::write(stage.keys(), &flipped).expect("written");
            let found = stage.look();
            assert!(matches!(found, Err(VaultError::Corrupt { .. })), "byte {at} bit {bit}: {found:?}");
        }
    }
}

#[tokio::test]
async fn every_flipped_bit_of_the_marks_is_found() {
    let mut stage = InFiles::new();
    stage.hand().raise_marks(&[(1, Position(300)), (2, Position(70_000))]);
    stage.close().await;
    let path = stage.dir().join(marks::FILE);
    let whole = fs::read(&path).expect("read");
    for at in 0..whole.len() {
        for bit in 0..8 {
            let mut flipped = whole.clone();
            flipped[at] ^= 1 << bit;
            fs::write(&path, &flipped).expect("written");
            assert!(matches!(stage.look(), Err(VaultError::Corrupt { .. })), "byte {at} bit {bit}");
        }
    }
    fs::remove_file(&path).expect("removed");
    assert!(stage.look().expect("opens").marks_missing);
}

#[tokio::test]
async fn records_that_were_moved_or_repeated_are_found() {
    let mut stage = InFiles::new();
    stage.hand().contact(TENANT, &phone(0)).await.expect("made");
    let from = fs::metadata(stage.keys()).expect("there").len();
    stage.hand().contact(TENANT, &phone(1)).await.expect("made");
    stage.crash();
    let mut bytes = fs::read(stage.keys()).expect("read");
    bytes.extend_from_within(usize::try_from(from).expect("small")..);
    let end = bytes.len();
    fs::write(stage.keys(), bytes).expect("written");
    let found = stage.look().expect_err("a repeated record");
    assert!(matches!(found, VaultError::Corrupt { offset, .. } if offset < end as u64), "{found}");
}

#[tokio::test]
async fn the_error_says_where_and_what_to_do() {
    let mut stage = InFiles::new();
    let at = fs::metadata(stage.keys()).expect("there").len();
    stage.hand().contact(TENANT, &phone(1)).await.expect("made");
    stage.crash();
    let mut bytes = fs::read(stage.keys()).expect("read");
    bytes[usize::try_from(at).expect("small") + 20] ^= 1;
    fs::write(stage.keys(), bytes).expect("written");
    let text = stage.look().expect_err("damage").to_string();
    let place = format!("{}, byte {at}: the checksum of a record does not match.", stage.keys().display());
    assert!(text.starts_with(&place) && text.contains("backup") && text.contains("truncate -s"), "{text}");
}

#[tokio::test]
async fn damage_behind_a_running_vault_is_an_error_of_the_call_that_meets_it() {
    let mut stage = InFiles::new();
    let contact = stage.hand().contact(TENANT, &phone(1)).await.expect("made");
    stage.close().await;
    stage.open();
    let mut bytes = fs::read(stage.keys()).expect("read");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(stage.keys(), bytes).expect("written");
    let found = stage.hand().seal(TENANT, contact, b"", b"x").await;
    assert!(matches!(found, Err(VaultError::Corrupt { .. })), "{found:?}");
}

#[tokio::test]
async fn records_out_of_their_order_are_refused() {
    use crate::domain::id::Tag;
    use crate::vault::files::format::{self, Contact};
    let (tenant, key, tag) = (TENANT, KeyId([3; 16]), Tag([4; 16]));
    let contact = Entry::Contact(Contact { tenant, key, wrapped: vec![], tag, alias: vec![] });
    let alias = Entry::Alias(format::Alias { tenant, key, tag, alias: vec![] });
    for (entry, why) in [(contact, "tenant without keys"), (alias, "contact without a key")] {
        let mut stage = InFiles::new();
        stage.crash();
        stage.append(&entry);
        let text = stage.look().expect_err("out of order").to_string();
        assert!(text.contains(why), "{text}");
    }
}
