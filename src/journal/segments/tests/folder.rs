//! Folders: none, taken, foreign, not writable.

use super::*;

#[tokio::test]
async fn a_second_opening_is_refused_until_the_first_is_closed() {
    let folder = Folder::small();
    let journal = folder.open();
    let refused = folder.try_open().err().expect("refused");
    assert!(matches!(&refused, JournalError::Locked { holder, .. } if holder.contains("process")), "{refused}");
    journal.close().await.expect("closed");
    let again = folder.open();
    assert!(matches!(folder.try_open().err(), Some(JournalError::Locked { .. })));
    drop((journal, again));
    folder.open();
}

#[test]
fn no_journal_a_second_init_and_impossible_settings_are_refused() {
    let empty = tempfile::tempdir().expect("a folder");
    let nowhere = empty.path().join("nowhere");
    for dir in [empty.path(), &nowhere] {
        let refused = EmbeddedJournal::open(dir, small(), Arc::new(SystemClock)).err();
        assert_eq!(refused, Some(JournalError::NotInitialised { dir: dir.to_owned() }));
    }
    assert!(!nowhere.exists() && !empty.path().join("LOCK").exists(), "a failed opening leaves nothing behind");
    let folder = Folder::small();
    let again = EmbeddedJournal::init(folder.dir.path(), two(), 5, &small());
    assert_eq!(again, Err(JournalError::AlreadyInitialised { dir: folder.dir.path().to_owned() }));
    let tiny = Options { segment_bytes: 64 * 1024, ..Options::default() };
    let none = Genesis::new(InstallationId([9; 16]), 0);
    for (genesis, options) in [(two(), tiny), (none, small())] {
        let refused = EmbeddedJournal::init(&nowhere, genesis, 5, &options);
        assert!(matches!(refused, Err(JournalError::Options(_))), "{refused:?}");
    }
}

#[test]
fn a_foreign_journal_is_refused() {
    let mut folder = Folder::small();
    folder.options.expect = Some(two());
    folder.found().expect("our own");
    for expected in [Genesis::new(InstallationId([8; 16]), 2), Genesis::new(InstallationId([9; 16]), 3)] {
        folder.options.expect = Some(expected);
        assert_eq!(folder.found().err(), Some(JournalError::Foreign { found: two(), expected }));
    }
}

#[test]
fn errors_of_the_system_say_what_where_and_why() {
    let dir = tempfile::tempdir().expect("a folder");
    let file = dir.path().join("file");
    write(&file, b"no folder");
    let refused = EmbeddedJournal::init(&file.join("data"), two(), 5, &small()).expect_err("refused");
    let text = refused.to_string();
    assert!(text.starts_with("cannot create") && text.contains("file/data") && text.contains("folder"), "{text}");
}

#[test]
fn an_init_that_was_cut_short_can_be_repeated() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(dir.path().join("journal")).expect("made");
    write(&dir.path().join("journal/prepared.new"), b"left over");
    EmbeddedJournal::init(dir.path(), two(), 5, &small()).expect("made");
    let folder = Folder { dir, options: small() };
    assert_eq!(folder.try_open().expect("it opens").1.records, 2);
}
