//! Folders that are ours, another's, newer, older, in use, torn or damaged.

use std::fs;

use super::*;
use crate::store::StoreError;
use crate::store::fjall::open::FORMAT;

fn refused(dir: &Path) -> StoreError {
    FjallStore::open(dir, OURS, &TINY).expect_err("must be refused")
}

fn with_marker(change: impl Fn(String) -> String) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    drop(open(dir.path()));
    let path = dir.path().join("FORMAT");
    let text = fs::read_to_string(&path).expect("reads");
    fs::write(&path, change(text)).expect("writes");
    dir
}

#[test]
fn an_absent_folder_is_made_and_says_what_it_is() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("deep").join("store");
    drop(open(&path));
    let text = fs::read_to_string(path.join("FORMAT")).expect("reads");
    let installation = format!("waybill store\nformat {FORMAT}\ninstallation {OURS}\n");
    assert!(text.starts_with(&installation) && text.contains("may be deleted"), "{text}");
}

#[test]
fn newer_and_older_formats_are_refused_with_the_remedy() {
    let newer = with_marker(|text| text.replace(&format!("format {FORMAT}"), "format 65000"));
    let error = refused(newer.path());
    assert!(matches!(error, StoreError::Newer { found: 65_000, known: FORMAT, .. }), "{error}");
    assert!(error.to_string().contains(&format!("delete {}: it is rebuilt", newer.path().display())), "{error}");
    let older = with_marker(|text| text.replace(&format!("format {FORMAT}"), "format 1"));
    assert!(matches!(refused(older.path()), StoreError::Older { found: 1, known: FORMAT, .. }));
}

#[test]
fn another_installations_store_is_refused() {
    let dir = tempfile::tempdir().expect("a folder");
    drop(open(dir.path()));
    let other = InstallationId([8; 16]);
    let error = FjallStore::open(dir.path(), other, &TINY).expect_err("not theirs");
    assert_eq!(error, StoreError::OtherInstallation { path: dir.path().to_owned(), found: OURS, expected: other });
    drop(open(dir.path()));
}

#[test]
fn a_store_is_open_once() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path());
    assert_eq!(refused(dir.path()), StoreError::InUse { path: dir.path().to_owned() });
    drop(store);
    open(dir.path());
}

#[test]
fn a_folder_of_something_else_is_left_alone() {
    let dir = tempfile::tempdir().expect("a folder");
    fs::write(dir.path().join("letters.txt"), "dear").expect("writes");
    assert!(matches!(refused(dir.path()), StoreError::Corrupt { .. }));
    assert_eq!(walk(dir.path()).len(), 1, "nothing was added");
    let stranger = format!("waybill store\nformat {FORMAT}\ninstallation x\n");
    for text in ["", "waybill store\n", "waybill store\nformat one\n", &stranger] {
        let dir = with_marker(|_| text.to_owned());
        assert!(matches!(refused(dir.path()), StoreError::Corrupt { .. }), "{text:?}");
    }
}

#[test]
fn a_first_start_that_was_cut_short_is_repeated() {
    let dir = tempfile::tempdir().expect("a folder");
    drop(open(dir.path()));
    // The engine writes its version file last.
    fs::remove_file(dir.path().join("rows").join("version")).expect("removes");
    drop(open(dir.path()));
    fs::remove_dir_all(dir.path().join("rows")).expect("removes");
    drop(open(dir.path()));
}

#[tokio::test]
async fn damage_is_an_error_with_the_remedy_or_a_prefix_but_never_a_wrong_row() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path());
    for n in 0..600 {
        store.commit(step(n)).await.expect("commit");
    }
    store.close().await.expect("close");
    super::crash::trim_log(dir.path());
    let mut refused = 0;
    for file in walk(&dir.path().join("rows")) {
        let sound = fs::read(&file).expect("reads");
        if file.ends_with("lock") || sound.is_empty() {
            continue;
        }
        // The file cut to half, and the file lost.
        for keep in [Some(sound.len() / 2), None] {
            let copy = super::crash::copy(dir.path());
            let same = copy.path().join(file.strip_prefix(dir.path()).expect("below"));
            match keep {
                Some(len) => fs::write(&same, &sound[..len]).expect("writes"),
                None => fs::remove_file(&same).expect("removes"),
            }
            match FjallStore::open(copy.path(), OURS, &TINY) {
                Ok(store) => outcome(&store, &file, keep).await,
                Err(StoreError::Corrupt { why, .. }) => refused += usize::from(!why.is_empty()),
                Err(other) => panic!("{}: {other}", file.display()),
            }
        }
    }
    assert!(refused > 0, "some damage must show at once");
}

/// A store that opened in spite of damage gives a prefix, or an error when it comes upon it.
async fn outcome(store: &FjallStore, file: &Path, keep: Option<usize>) {
    let Ok(mark) = store.applied(0).await else { return };
    for n in 0..mark.map_or(0, |mark| mark.0 + 1) {
        match store.get(&message(n)).await {
            Ok(Some(value)) => assert_eq!(value, vec![n as u8; 300], "row {n}"),
            Ok(None) => panic!("row {n} of mark {mark:?} is missing with {} cut to {keep:?}", file.display()),
            Err(_) => return,
        }
    }
}
