//! One suite of tests for every vault: what the seam promises, asked of each implementation in the same words.

use std::sync::Arc;

use super::{Alias, Sealed, SecretBytes, Vault, VaultError};
use crate::domain::id::{KeyId, TenantId, partition_of};
use crate::domain::record::Position;
use crate::runtime::BoxFuture;

/// Partitions of every vault under test.
pub(super) const COUNT: u16 = 8;

/// A vault under test, and what only a test may do to it.
pub(super) trait Stage: Send {
    /// The vault as it stands now.
    fn vault(&self) -> Arc<dyn Vault>;
    /// Closes and opens again; nothing to do for a vault that lives in memory.
    fn reopen(&mut self) -> BoxFuture<'_, ()>;
    /// Makes the next write fail.
    fn break_it(&mut self);
}

const ONE: TenantId = TenantId([1; 16]);
const TWO: TenantId = TenantId([2; 16]);

fn phone(digits: &str) -> Alias {
    Alias::phone(digits).expect("a phone number")
}

/// Runs the whole suite, each test on a fresh vault.
pub(super) async fn all<S: Stage>(fresh: impl Fn() -> S) {
    contacts_are_found_again(fresh()).await;
    tenants_do_not_see_each_other(fresh()).await;
    aliases_are_added_and_kept(fresh()).await;
    content_opens_only_in_its_place(fresh()).await;
    commitments_are_salted(fresh()).await;
    tags_and_macs_are_stable(fresh()).await;
    secrets_are_replaced_by_name(fresh()).await;
    a_secret_is_kept_once(fresh()).await;
    marks_only_rise(fresh()).await;
    concurrent_calls_get_one_key(fresh()).await;
    erased_is_erased(fresh()).await;
    a_mark_leads_to_who_takes_the_place(fresh()).await;
    limits_are_kept(fresh()).await;
    a_broken_vault_keeps_nothing_new(fresh()).await;
    a_closed_vault_keeps_nothing_new(fresh()).await;
}

async fn contacts_are_found_again(mut stage: impl Stage) {
    let vault = stage.vault();
    let (ann, bob) = (phone("491510000001"), phone("491510000002"));
    assert_eq!(vault.find(ONE, &ann).await, Ok(None));
    let first = vault.contact(ONE, &ann).await.expect("made");
    let second = vault.contact(ONE, &bob).await.expect("made");
    assert_ne!(first, second);
    assert!(partition_of(&first.0) < COUNT, "{first} lives in no partition");
    drop(vault);
    stage.reopen().await;
    let vault = stage.vault();
    assert_eq!(vault.contact(ONE, &ann).await, Ok(first));
    assert_eq!(vault.find(ONE, &bob).await, Ok(Some(second)));
    assert_eq!(vault.aliases(ONE, first).await, Ok(vec![ann]));
}

async fn tenants_do_not_see_each_other(stage: impl Stage) {
    let vault = stage.vault();
    let ann = phone("491510000001");
    let here = vault.contact(ONE, &ann).await.expect("made");
    assert_eq!(vault.find(TWO, &ann).await, Ok(None));
    let there = vault.contact(TWO, &ann).await.expect("made");
    assert_ne!(here, there);
    let unknown = VaultError::Unknown { contact: here };
    assert_eq!(vault.seal(TWO, here, b"", b"x").await, Err(unknown.clone()));
    assert_eq!(vault.aliases(TWO, here).await, Err(unknown.clone()));
    let sealed = vault.seal(ONE, here, b"", b"x").await.expect("sealed");
    assert_eq!(vault.open(TWO, here, b"", &sealed.bytes).await, Err(unknown.clone()));
    assert_eq!(vault.add_alias(TWO, here, &phone("491510000009")).await, Err(unknown));
}

async fn aliases_are_added_and_kept(mut stage: impl Stage) {
    let vault = stage.vault();
    let (ann, bsuid) = (phone("491510000001"), Alias::bsuid("DE.1234").expect("a bsuid"));
    let contact = vault.contact(ONE, &ann).await.expect("made");
    vault.add_alias(ONE, contact, &bsuid).await.expect("added");
    vault.add_alias(ONE, contact, &bsuid).await.expect("a second time does nothing");
    let other = vault.contact(ONE, &phone("491510000002")).await.expect("made");
    assert_eq!(vault.add_alias(ONE, other, &bsuid).await, Err(VaultError::Taken { contact }));
    let nobody = KeyId([9; 16]);
    let unknown = VaultError::Unknown { contact: nobody };
    assert_eq!(vault.add_alias(ONE, nobody, &phone("491510000003")).await, Err(unknown));
    drop(vault);
    stage.reopen().await;
    let vault = stage.vault();
    assert_eq!(vault.find(ONE, &bsuid).await, Ok(Some(contact)));
    assert_eq!(vault.aliases(ONE, contact).await, Ok(vec![ann, bsuid]));
}

async fn content_opens_only_in_its_place(mut stage: impl Stage) {
    let vault = stage.vault();
    let contact = vault.contact(ONE, &phone("491510000001")).await.expect("made");
    let other = vault.contact(ONE, &phone("491510000002")).await.expect("made");
    let Sealed { key, bytes, .. } = vault.seal(ONE, contact, b"event 1", b"hello").await.expect("sealed");
    assert_eq!((key, bytes.len()), (contact, 1 + 12 + 32 + 5 + 16));
    assert_eq!(bytes[0], 1, "the layout byte");
    let damaged = |found: Result<Vec<u8>, VaultError>| assert!(matches!(found, Err(VaultError::Damaged { .. })));
    damaged(vault.open(ONE, contact, b"event 2", &bytes).await);
    damaged(vault.open(ONE, other, b"event 1", &bytes).await);
    damaged(vault.open(ONE, contact, b"event 1", &bytes[..bytes.len() - 1]).await);
    damaged(vault.open(ONE, contact, b"event 1", b"").await);
    drop(vault);
    stage.reopen().await;
    assert_eq!(stage.vault().open(ONE, contact, b"event 1", &bytes).await, Ok(b"hello".to_vec()));
    let empty = stage.vault().seal(ONE, contact, b"", b"").await.expect("nothing may be sealed too");
    assert_eq!(stage.vault().open(ONE, contact, b"", &empty.bytes).await, Ok(Vec::new()));
}

async fn commitments_are_salted(stage: impl Stage) {
    use sha2::{Digest, Sha256};
    let vault = stage.vault();
    let contact = vault.contact(ONE, &phone("491510000001")).await.expect("made");
    let first = vault.seal(ONE, contact, b"e", b"hello").await.expect("sealed");
    let second = vault.seal(ONE, contact, b"e", b"hello").await.expect("sealed");
    assert_ne!(first.commitment, second.commitment);
    assert_ne!(first.bytes, second.bytes);
    let bare: [u8; 32] = Sha256::digest(b"hello").into();
    assert_ne!(first.commitment, bare);
}

async fn tags_and_macs_are_stable(mut stage: impl Stage) {
    let vault = stage.vault();
    let tag = vault.tag(ONE, "key", &[b"a", b"b"]).await.expect("tagged");
    let mac = vault.mac("callback", &[b"a"]);
    assert_ne!(vault.tag(TWO, "key", &[b"a", b"b"]).await, Ok(tag), "two tenants share a tag");
    assert_ne!(vault.tag(ONE, "key", &[b"ab"]).await, Ok(tag), "parts run together");
    assert_ne!(vault.tag(ONE, "other", &[b"a", b"b"]).await, Ok(tag), "purposes share a tag");
    assert_ne!(vault.mac("callback", &[b"b"]), mac);
    let installation = vault.installation();
    drop(vault);
    stage.reopen().await;
    let vault = stage.vault();
    assert_eq!(vault.tag(ONE, "key", &[b"a", b"b"]).await, Ok(tag));
    assert_eq!((vault.mac("callback", &[b"a"]), vault.installation()), (mac, installation));
}

async fn secrets_are_replaced_by_name(mut stage: impl Stage) {
    let vault = stage.vault();
    let secret = |text: &str| SecretBytes::new(text.as_bytes().to_vec());
    assert_eq!(vault.secret(Some(ONE), "token").await, Ok(None));
    vault.put_secret(Some(ONE), "token", &secret("first")).await.expect("kept");
    vault.put_secret(Some(ONE), "token", &secret("second")).await.expect("kept");
    vault.put_secret(None, "token", &secret("ours")).await.expect("kept");
    drop(vault);
    for _ in 0..2 {
        let vault = stage.vault();
        assert_eq!(vault.secret(Some(ONE), "token").await, Ok(Some(secret("second"))));
        assert_eq!(vault.secret(None, "token").await, Ok(Some(secret("ours"))));
        assert_eq!(vault.secret(Some(TWO), "token").await, Ok(None));
        drop(vault);
        stage.reopen().await;
    }
}

async fn a_secret_is_kept_once(mut stage: impl Stage) {
    let vault = stage.vault();
    let drawn: Vec<SecretBytes> = (1..=8).map(|n| SecretBytes::new(vec![n; 32])).collect();
    let first = vault.put_secret_once(None, "key", &drawn[0]).await;
    assert_eq!(first, Ok(drawn[0].clone()));
    assert_eq!(vault.put_secret_once(None, "key", &drawn[1]).await, Ok(drawn[0].clone()), "the first one stays");
    assert_eq!(vault.put_secret_once(Some(ONE), "key", &drawn[1]).await, Ok(drawn[1].clone()), "another one's");
    let mut calls = tokio::task::JoinSet::new();
    for drawn in drawn.clone() {
        let vault = stage.vault();
        calls.spawn(async move { vault.put_secret_once(None, "at once", &drawn).await.expect("kept") });
    }
    let told = calls.join_all().await;
    assert!(told.iter().all(|one| *one == told[0]) && drawn.contains(&told[0]), "all are told the same");
    drop(vault);
    stage.reopen().await;
    assert_eq!(stage.vault().secret(None, "at once").await, Ok(Some(told[0].clone())));
    assert_eq!(stage.vault().put_secret_once(None, "key", &drawn[2]).await, Ok(drawn[0].clone()));
}

async fn marks_only_rise(mut stage: impl Stage) {
    let vault = stage.vault();
    assert_eq!(vault.marks(), []);
    vault.raise_marks(&[(3, Position(7)), (1, Position(2))]);
    vault.raise_marks(&[(3, Position(5)), (1, Position(4))]);
    drop(vault);
    stage.reopen().await;
    assert_eq!(stage.vault().marks(), [(1, Position(4)), (3, Position(7))]);
}

async fn concurrent_calls_get_one_key(stage: impl Stage) {
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..200 {
        let vault = stage.vault();
        calls.spawn(async move { vault.contact(ONE, &phone(&format!("49151000000{}", n % 2))).await });
    }
    let found: Vec<KeyId> = calls.join_all().await.into_iter().map(|found| found.expect("made")).collect();
    let keys: std::collections::BTreeSet<_> = found.iter().collect();
    assert_eq!(keys.len(), 2, "two names, {} keys", keys.len());
}

async fn erased_is_erased(mut stage: impl Stage) {
    let vault = stage.vault();
    let ann = phone("491510000001");
    let contact = vault.contact(ONE, &ann).await.expect("made");
    let other = vault.contact(ONE, &phone("491510000002")).await.expect("made");
    let sealed = vault.seal(ONE, contact, b"e", b"hello").await.expect("sealed");
    assert_eq!(vault.destroy(TWO, contact, false).await, Err(VaultError::Unknown { contact }), "another tenant's");
    assert_eq!(vault.destroy(ONE, KeyId([9; 16]), true).await, Err(VaultError::Unknown { contact: KeyId([9; 16]) }));
    assert_eq!(vault.destroy(ONE, contact, false).await, Ok(None));
    assert_eq!(vault.destroy(ONE, contact, true).await, Ok(None), "it left no mark, and leaves none later");
    let mut vault = Some(vault);
    for _ in 0..2 {
        let gone = vault.take().unwrap_or_else(|| stage.vault());
        let erased = VaultError::Erased { contact };
        assert_eq!(gone.open(ONE, contact, b"e", &sealed.bytes).await, Err(erased.clone()));
        assert_eq!(gone.seal(ONE, contact, b"e", b"x").await, Err(erased.clone()));
        assert_eq!(gone.aliases(ONE, contact).await, Err(erased.clone()));
        assert_eq!(gone.add_alias(ONE, contact, &ann).await, Err(erased));
        assert_eq!(gone.find(ONE, &ann).await, Ok(None));
        assert!(gone.seal(ONE, other, b"e", b"x").await.is_ok(), "the neighbour is untouched");
        drop(gone);
        stage.reopen().await;
    }
    let vault = stage.vault();
    let again = vault.contact(ONE, &ann).await.expect("made");
    assert_ne!(again, contact, "a person who comes back is somebody new");
    assert_eq!(vault.aliases(ONE, again).await, Ok(vec![ann]));
}

/// Of whom a mark remains, something is known when they come back, and nothing of who they were.
async fn a_mark_leads_to_who_takes_the_place(mut stage: impl Stage) {
    let vault = stage.vault();
    let (ann, bsuid) = (phone("491510000001"), Alias::bsuid("DE.1234").expect("a bsuid"));
    let contact = vault.contact(ONE, &ann).await.expect("made");
    vault.add_alias(ONE, contact, &bsuid).await.expect("added");
    let sealed = vault.seal(ONE, contact, b"e", b"hello").await.expect("sealed");
    let heir = vault.destroy(ONE, contact, true).await.expect("destroyed").expect("somebody in its place");
    assert_ne!(heir, contact);
    assert_eq!(partition_of(&heir.0), partition_of(&contact.0), "its mailbox is where the old one was");
    let kept = vault.seal(ONE, heir, b"e", b"what is said of it").await.expect("it has a key");
    drop(vault);
    for _ in 0..2 {
        let vault = stage.vault();
        assert_eq!(vault.destroy(ONE, contact, true).await, Ok(Some(heir)), "however often it is asked");
        assert_eq!(vault.open(ONE, contact, b"e", &sealed.bytes).await, Err(VaultError::Erased { contact }));
        assert!(vault.open(ONE, heir, b"e", &sealed.bytes).await.is_err(), "its key opens nothing of before");
        assert_eq!(vault.open(ONE, heir, b"e", &kept.bytes).await, Ok(b"what is said of it".to_vec()));
        assert_eq!(vault.find(ONE, &ann).await, Ok(Some(heir)));
        assert_eq!(vault.contact(ONE, &bsuid).await, Ok(heir));
        assert_eq!(vault.aliases(ONE, heir).await, Ok(Vec::new()), "nobody knows who it was");
        drop(vault);
        stage.reopen().await;
    }
    let vault = stage.vault();
    assert_eq!(vault.destroy(ONE, heir, false).await, Ok(None), "the mark may go as well");
    for name in [&ann, &bsuid] {
        assert_eq!(vault.find(ONE, name).await, Ok(None));
    }
    let again = vault.contact(ONE, &ann).await.expect("made");
    assert!(again != contact && again != heir);
}

async fn limits_are_kept(stage: impl Stage) {
    let vault = stage.vault();
    let long = Alias { kind: crate::domain::event::contact::AliasKind::Bsuid, value: "x".repeat(129) };
    let contact = vault.contact(ONE, &phone("491510000001")).await.expect("made");
    let too_large = |error: VaultError| assert!(matches!(error, VaultError::TooLarge { .. }), "{error}");
    too_large(vault.contact(ONE, &long).await.expect_err("too long"));
    too_large(vault.add_alias(ONE, contact, &long).await.expect_err("too long"));
    too_large(vault.seal(ONE, contact, b"", &vec![0; 1024 * 1024 + 1]).await.expect_err("too long"));
    let (large, small) = (SecretBytes::new(vec![0; 64 * 1024 + 1]), SecretBytes::new(vec![0; 64 * 1024]));
    too_large(vault.put_secret(None, "n", &large).await.expect_err("too long"));
    too_large(vault.put_secret(None, &"n".repeat(257), &small).await.expect_err("too long"));
    vault.put_secret(None, "n", &small).await.expect("the limit itself is taken");
}

async fn a_broken_vault_keeps_nothing_new(mut stage: impl Stage) {
    let vault = stage.vault();
    let ann = phone("491510000001");
    let contact = vault.contact(ONE, &ann).await.expect("made");
    assert_eq!(vault.failed(), None);
    stage.break_it();
    for _ in 0..2 {
        let found = vault.contact(ONE, &phone("491510000002")).await;
        assert!(matches!(found, Err(VaultError::Failed(_))), "{found:?}");
    }
    assert!(vault.failed().is_some());
    let put = vault.put_secret(None, "n", &SecretBytes::new(vec![1])).await;
    assert!(matches!(put, Err(VaultError::Failed(_))), "{put:?}");
    assert_eq!(vault.find(ONE, &phone("491510000002")).await, Ok(None), "what is not durable is not visible");
    assert_eq!(vault.contact(ONE, &ann).await, Ok(contact), "what was durable is still found");
    assert!(vault.seal(ONE, contact, b"", b"x").await.is_ok());
}

async fn a_closed_vault_keeps_nothing_new(stage: impl Stage) {
    let vault = stage.vault();
    vault.close().await.expect("closed");
    vault.close().await.expect("a second time does nothing");
    assert_eq!(vault.contact(ONE, &phone("491510000002")).await, Err(VaultError::Closed));
    assert_eq!(vault.put_secret(None, "n", &SecretBytes::new(vec![1])).await, Err(VaultError::Closed));
}
