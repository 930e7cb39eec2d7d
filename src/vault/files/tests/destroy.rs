//! The end of a contact in the files: its records are written over, whatever happens meanwhile.

use super::*;
use crate::vault::files::format::Wiped;

/// The records of a contact with two names, as they stand before its end.
async fn someone(stage: &InFiles) -> (KeyId, Vec<Vec<u8>>) {
    let contact = stage.hand().contact(TENANT, &phone(1)).await.expect("made");
    stage.hand().add_alias(TENANT, contact, &phone(2)).await.expect("added");
    let secrets = stage.entries().into_iter().flat_map(|entry| match entry {
        Entry::Contact(record) => vec![record.wrapped, record.alias, record.tag.0.to_vec()],
        Entry::Alias(record) => vec![record.alias, record.tag.0.to_vec()],
        _ => Vec::new(),
    });
    (contact, secrets.collect())
}

fn holds(stage: &InFiles, secret: &[u8]) -> bool {
    let bytes = fs::read(stage.keys()).expect("read");
    bytes.windows(secret.len()).any(|window| window == secret)
}

#[tokio::test]
async fn nothing_of_whoever_was_erased_is_in_the_file_any_more() {
    let mut stage = InFiles::new();
    let (contact, secrets) = someone(&stage).await;
    let neighbour = stage.hand().contact(TENANT, &phone(3)).await.expect("made");
    assert_eq!(secrets.len(), 5);
    assert!(secrets.iter().all(|secret| holds(&stage, secret)), "the search finds what is there to be found");
    assert_eq!(stage.hand().destroy(TENANT, contact, false).await, Ok(None));
    assert!(!secrets.iter().any(|secret| holds(&stage, secret)));
    stage.close().await;
    let report = stage.open();
    assert_eq!((report.contacts, report.erased, report.missing_bytes), (1, 1, 0));
    assert!(stage.hand().seal(TENANT, neighbour, b"e", b"x").await.is_ok(), "whoever stands beside it is untouched");
}

#[tokio::test]
async fn of_whoever_leaves_a_mark_the_tags_remain_and_nothing_else() {
    let stage = InFiles::new();
    let (contact, secrets) = someone(&stage).await;
    assert!(matches!(stage.hand().destroy(TENANT, contact, true).await, Ok(Some(_))));
    let left: Vec<usize> = secrets.iter().filter(|secret| holds(&stage, secret)).map(Vec::len).collect();
    assert_eq!(left, [16, 16], "two tags");
}

/// The word that somebody is erased is durable, and then the process dies: before the records are written over, and within.
#[tokio::test]
async fn what_a_crash_leaves_is_wiped_at_the_next_start() {
    let mut stage = InFiles::new();
    let (contact, secrets) = someone(&stage).await;
    let before = fs::read(stage.keys()).expect("read");
    assert_eq!(stage.hand().destroy(TENANT, contact, false).await, Ok(None));
    stage.crash();
    let after = fs::read(stage.keys()).expect("read");
    let touched = 0..before.len();
    let differs = |at: usize| before[at] != after[at];
    let (first, last) = (touched.clone().find(|at| differs(*at)), touched.rev().find(|at| differs(*at)));
    let (first, last) = (first.expect("wiped"), last.expect("wiped"));
    for written in (first..=last).step_by(7).chain([last + 1]) {
        let half = [&after[..written], &before[written..], &after[before.len()..]].concat();
        fs::write(stage.keys(), half).expect("written");
        let report = stage.look().unwrap_or_else(|error| panic!("{written} of {first} to {last} written: {error}"));
        assert_eq!((report.erased, report.contacts), (1, 0));
        assert_eq!(fs::read(stage.keys()).expect("read"), after, "{written} of {first} to {last} written");
        assert!(!secrets.iter().any(|secret| holds(&stage, secret)));
    }
}

/// A cut within the write that says so: either somebody is erased and has left a mark, or neither.
#[tokio::test]
async fn an_end_that_was_not_written_whole_is_no_end() {
    let mut stage = InFiles::new();
    let (contact, _) = someone(&stage).await;
    let before = fs::read(stage.keys()).expect("read");
    let heir = stage.hand().destroy(TENANT, contact, true).await.expect("destroyed");
    stage.crash();
    let after = fs::read(stage.keys()).expect("read");
    for len in before.len()..after.len() {
        fs::write(stage.keys(), [&before[..], &after[before.len()..len]].concat()).expect("written");
        stage.open();
        assert_eq!(stage.hand().destroy(TENANT, contact, true).await, Ok(heir), "{len}");
        assert_eq!(stage.hand().find(TENANT, &phone(2)).await, Ok(heir), "{len}");
        stage.crash();
    }
}

#[tokio::test]
async fn who_is_erased_while_it_is_read_is_erased_and_not_damaged() {
    let mut stage = InFiles::new();
    let (contact, _) = someone(&stage).await;
    stage.close().await;
    stage.open();
    assert_eq!(stage.hand().destroy(TENANT, contact, false).await, Ok(None));
    assert_eq!(stage.hand().aliases(TENANT, contact).await, Err(VaultError::Erased { contact }));
    let wiped = stage.entries().into_iter().filter(|entry| matches!(entry, Entry::Wiped(Wiped { .. }))).count();
    assert_eq!(wiped, 2);
}

#[tokio::test]
async fn calls_at_once_for_one_contact_have_one_end() {
    let stage = InFiles::new();
    let (contact, _) = someone(&stage).await;
    let mut calls = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let vault = stage.vault();
        calls.spawn(async move { vault.destroy(TENANT, contact, true).await });
    }
    let heirs = calls.join_all().await;
    assert!(matches!(heirs[0], Ok(Some(_))) && heirs.iter().all(|heir| *heir == heirs[0]), "{heirs:?}");
    let ends = stage.entries().into_iter().filter(|entry| matches!(entry, Entry::Erased(_) | Entry::Successor(_)));
    assert_eq!(ends.count(), 2, "one of each");
}
