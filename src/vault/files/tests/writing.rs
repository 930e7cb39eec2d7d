//! The writer: few syncs, nothing visible before it is durable, marks at most once a second.

use std::time::Duration;

use super::*;
use crate::domain::record::Position;
use crate::vault::SecretBytes;
use crate::vault::files::format::Contact;
use crate::vault::files::marks;

/// Lets other tasks run until the condition holds.
async fn until(condition: impl Fn() -> bool) {
    for _ in 0..50_000_000 {
        if condition() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it never came to that");
}

#[tokio::test]
async fn a_thousand_new_contacts_cost_a_handful_of_syncs() {
    const CALLS: usize = 1000;
    let stage = InFiles::new();
    stage.hand().contact(TENANT, &phone(0)).await.expect("made");
    let syncs = stage.moods.syncs.clone();
    let before = syncs.load(Ordering::SeqCst);
    let held = stage.moods.hold_syncs();
    let mut calls = tokio::task::JoinSet::new();
    for n in 1..=CALLS {
        let vault = stage.vault();
        calls.spawn(async move { vault.contact(TENANT, &phone(n)).await });
    }
    until(|| stage.hand().waiting() == CALLS).await;
    assert_eq!(syncs.load(Ordering::SeqCst), before);
    assert_eq!(stage.hand().find(TENANT, &phone(1)).await, Ok(None), "visible before it is durable");
    drop(held);
    let found: Vec<_> = calls.join_all().await;
    assert!(found.iter().all(Result::is_ok));
    // The first batch may have held one call only; then 999 in batches of 256.
    let cost = syncs.load(Ordering::SeqCst) - before;
    assert!((4..=5).contains(&cost), "{cost} syncs");
}

#[tokio::test]
async fn more_callers_than_places_wait_their_turn() {
    let stage = InFiles::new();
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..3000 {
        let vault = stage.vault();
        calls.spawn(async move { vault.contact(TENANT, &phone(n)).await });
    }
    let keys: std::collections::BTreeSet<_> =
        calls.join_all().await.into_iter().map(|found| found.expect("made")).collect();
    assert_eq!(keys.len(), 3000);
}

#[tokio::test]
async fn a_caller_that_goes_away_leaves_a_contact_and_no_harm() {
    let stage = InFiles::new();
    let held = stage.moods.hold_syncs();
    {
        let alias = phone(1);
        let call = stage.hand().contact(TENANT, &alias);
        assert!(tokio::time::timeout(Duration::ZERO, call).await.is_err());
    }
    drop(held);
    let again = stage.hand().contact(TENANT, &phone(1)).await.expect("made");
    assert_eq!(stage.hand().find(TENANT, &phone(1)).await, Ok(Some(again)));
    until(|| stage.hand().waiting() == 0).await;
}

#[tokio::test]
async fn marks_are_written_at_most_once_a_second_and_on_close() {
    let mut stage = InFiles::new();
    let path = stage.dir().join(marks::FILE);
    let stored = || marks::read(path.parent().expect("a folder"), INSTALLATION).expect("read").expect("there");
    let nudge = SecretBytes::new(vec![1]);
    // Two calls: when the second is answered, what the writer does after the first is done.
    for _ in 0..2 {
        stage.hand().raise_marks(&[(1, Position(5))]);
        stage.hand().put_secret(None, "n", &nudge).await.expect("kept");
    }
    assert_eq!(stored().positions, []);
    stage.clock.advance(Duration::from_secs(1));
    for _ in 0..2 {
        stage.hand().put_secret(None, "n", &nudge).await.expect("kept");
    }
    assert_eq!(stored().positions, [(1, Position(5))]);
    stage.hand().raise_marks(&[(1, Position(6))]);
    stage.close().await;
    let length = fs::metadata(stage.keys()).expect("there").len();
    assert_eq!((stored().positions, stored().keys_len), (vec![(1, Position(6))], length));
}

#[tokio::test]
async fn marks_that_cannot_be_written_are_told_and_tried_again() {
    let stage = InFiles::new();
    let obstacle = stage.dir().join("marks.new");
    fs::create_dir(&obstacle).expect("a folder where the file is to be");
    stage.hand().raise_marks(&[(1, Position(5))]);
    let nudge = SecretBytes::new(vec![1]);
    let kick = async || {
        stage.clock.advance(Duration::from_secs(1));
        for _ in 0..2 {
            stage.hand().put_secret(None, "n", &nudge).await.expect("keys are still kept");
        }
    };
    kick().await;
    assert!(stage.hand().failed().is_some_and(|why| why.contains("marks.new")));
    fs::remove_dir(&obstacle).expect("removed");
    kick().await;
    assert_eq!(stage.hand().failed(), None);
}

#[tokio::test]
async fn a_failed_sync_acknowledges_nothing_of_its_batch() {
    let mut stage = InFiles::new();
    stage.hand().contact(TENANT, &phone(0)).await.expect("made");
    let held = stage.moods.hold_syncs();
    let mut calls = tokio::task::JoinSet::new();
    for n in 1..=50 {
        let vault = stage.vault();
        calls.spawn(async move { vault.contact(TENANT, &phone(n)).await });
    }
    until(|| stage.hand().waiting() == 50).await;
    *stage.moods.broken.lock() = Some(Broken::Sync);
    drop(held);
    for found in calls.join_all().await {
        assert!(matches!(found, Err(VaultError::Failed(_))), "{found:?}");
    }
    assert_eq!(stage.hand().find(TENANT, &phone(1)).await, Ok(None));
    stage.crash();
    // What was written may be there after all; whoever asked will ask again and find it.
    assert!((1..=51).contains(&stage.open().contacts));
}

/// The second batch waits in the queue while the first one's sync fails, and the disk works again when its turn comes.
#[tokio::test]
async fn after_a_failed_sync_nothing_that_waited_is_written() {
    let mut stage = InFiles::new();
    stage.hand().contact(TENANT, &phone(0)).await.expect("made");
    let begun = stage.moods.begun.load(Ordering::SeqCst);
    let held = stage.moods.hold_syncs();
    let mut calls = tokio::task::JoinSet::new();
    for n in 1..=20 {
        let vault = stage.vault();
        calls.spawn(async move { vault.contact(TENANT, &phone(n)).await });
        until(|| stage.hand().waiting() == n && stage.moods.begun.load(Ordering::SeqCst) > begun).await;
    }
    *stage.moods.broken.lock() = Some(Broken::SyncOnce);
    drop(held);
    for found in calls.join_all().await {
        assert!(matches!(found, Err(VaultError::Failed(_))), "{found:?}");
    }
    stage.crash();
    assert_eq!(stage.open().contacts, 2, "the first, and the one whose sync failed after it was written");
}

/// Two nodes that met a person at once: both keys are in the file, the first is used, both open what they sealed.
#[tokio::test]
async fn several_keys_for_one_name_are_kept_and_the_first_is_used() {
    let mut stage = InFiles::new();
    let first = stage.hand().contact(TENANT, &phone(1)).await.expect("made");
    let second = stage.hand().contact(TENANT, &phone(2)).await.expect("made");
    let sealed = stage.hand().seal(TENANT, second, b"e", b"hello").await.expect("sealed");
    let third = stage.hand().contact(TENANT, &phone(3)).await.expect("made");
    stage.close().await;
    let entries = stage.entries();
    let tag = tag_of(&entries, first);
    stage.rewrite(entries, |entry| match entry {
        Entry::Contact(contact) if contact.key == second => Entry::Contact(Contact { tag, ..contact }),
        other => other,
    });
    assert_eq!(stage.open().contacts, 3);
    assert_eq!(stage.hand().find(TENANT, &phone(1)).await, Ok(Some(first)));
    assert_eq!(stage.hand().find(TENANT, &phone(2)).await, Ok(None));
    assert_eq!(stage.hand().find(TENANT, &phone(3)).await, Ok(Some(third)));
    assert_eq!(stage.hand().open(TENANT, second, b"e", &sealed.bytes).await, Ok(b"hello".to_vec()));
    assert_eq!(stage.hand().destroy(TENANT, first, false).await, Ok(None));
    let next = stage.hand().contact(TENANT, &phone(1)).await.expect("made");
    assert!(![first, second].contains(&next), "a new key for whoever comes back: {next}");
}

fn tag_of(entries: &[Entry], contact: KeyId) -> crate::domain::id::Tag {
    let tag = |entry: &Entry| match entry {
        Entry::Contact(record) if record.key == contact => Some(record.tag),
        _ => None,
    };
    entries.iter().find_map(tag).expect("a contact's record")
}
