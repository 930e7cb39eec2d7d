//! Secrecy: canaries that must not be found, keys that must not stay.

use std::time::Duration;

use super::*;
use crate::domain::record::Position;
use crate::vault::files::format::{Contact, payload};
use crate::vault::{SecretBytes, cipher::Key};

#[tokio::test]
async fn no_canary_is_in_any_file_or_any_debug_output() {
    let mut stage = InFiles::new();
    let (number, bsuid, token, text) = ("4915177777777", "DE.canary8888", "EAAB-canary-token", "canary message");
    let alias = Alias::phone(number).expect("a phone number");
    let contact = stage.hand().contact(TENANT, &alias).await.expect("made");
    stage.hand().add_alias(TENANT, contact, &Alias::bsuid(bsuid).expect("a bsuid")).await.expect("added");
    let secret = SecretBytes::new(token.as_bytes().to_vec());
    stage.hand().put_secret(Some(TENANT), "name", &secret).await.expect("kept");
    stage.hand().put_secret(None, "name", &secret).await.expect("kept");
    let sealed = stage.hand().seal(TENANT, contact, b"e", text.as_bytes()).await.expect("sealed");
    let wrong = stage.hand().open(TENANT, contact, b"f", &sealed.bytes).await.expect_err("another context");
    stage.hand().raise_marks(&[(1, Position(1))]);
    let shown = format!("{alias:?} {secret:?} {sealed:?} {wrong:?} {wrong} {:?}", Key::draw(&SystemEntropy));
    stage.close().await;
    let mut haystacks = vec![shown.into_bytes(), sealed.bytes];
    for file in fs::read_dir(stage.dir()).expect("a folder") {
        haystacks.push(fs::read(file.expect("a file").path()).expect("read"));
    }
    assert_eq!(haystacks.len(), 5, "instance.key, keys.wbv, marks, and the two above");
    for needle in [number, bsuid, token, text] {
        for needle in [needle.as_bytes(), hex::encode(needle).as_bytes()] {
            let found = haystacks.iter().any(|bytes| bytes.windows(needle.len()).any(|window| window == needle));
            assert!(!found, "{}", String::from_utf8_lossy(needle));
        }
    }
    let words = haystacks[0].split(|byte| *byte == b' ').filter(|word| word.starts_with(b"Key(")).count();
    assert_eq!(words, 1, "the search found what was there to be found");
}

#[tokio::test]
async fn an_unwrapped_key_is_forgotten_after_a_minute() {
    let stage = InFiles::new();
    let contact = stage.hand().contact(TENANT, &phone(1)).await.expect("made");
    fs::write(stage.keys(), b"").expect("the file is gone, only the cache can answer");
    stage.clock.advance(CacheBounds::default().life - Duration::from_micros(1));
    assert!(stage.hand().seal(TENANT, contact, b"", b"x").await.is_ok());
    stage.clock.advance(Duration::from_micros(1));
    let found = stage.hand().seal(TENANT, contact, b"", b"x").await;
    assert!(matches!(found, Err(VaultError::Corrupt { .. })), "{found:?}");
}

/// Swaps the sealed parts of two contacts' records, checksums made anew: what somebody who can write the file, but has
/// no key, could try.
#[tokio::test]
async fn one_persons_key_cannot_be_put_in_anothers_place() {
    let mut stage = InFiles::new();
    let first = stage.hand().contact(TENANT, &phone(1)).await.expect("made");
    let before = fs::metadata(stage.keys()).expect("there").len();
    let second = stage.hand().contact(TENANT, &phone(2)).await.expect("made");
    stage.close().await;
    let mut bytes = fs::read(stage.keys()).expect("read");
    let at = usize::try_from(before).expect("small");
    let crc = u32::from_be_bytes(bytes[at + 8..at + 12].try_into().expect("four bytes"));
    let Ok(Entry::Contact(record)) = payload(&bytes[at + 12..], crc) else { panic!("not a contact") };
    bytes.truncate(at);
    let swapped = Entry::Contact(Contact { key: KeyId([8; 16]), ..record });
    append(&mut bytes, before, &swapped);
    fs::write(stage.keys(), bytes).expect("written");
    stage.open();
    assert!(stage.hand().seal(TENANT, first, b"", b"x").await.is_ok());
    let unknown = VaultError::Unknown { contact: second };
    assert_eq!(stage.hand().seal(TENANT, second, b"", b"x").await, Err(unknown));
    let found = stage.hand().seal(TENANT, KeyId([8; 16]), b"", b"x").await;
    assert!(matches!(found, Err(VaultError::Damaged { .. })), "{found:?}");
}
