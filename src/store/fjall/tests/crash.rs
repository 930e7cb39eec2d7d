//! Crashes: the process killed in mid-commit, and the log cut anywhere. What is found again is a prefix of the commits.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use super::*;

/// Set for the child that is to be killed: the folder it writes to.
const VICTIM: &str = "WAYBILL_TEST_STORE_TO_KILL";

/// A copy of a store that is not in use.
pub(super) fn copy(from: &Path) -> tempfile::TempDir {
    let to = tempfile::tempdir().expect("a folder");
    for file in walk(from) {
        let target = to.path().join(file.strip_prefix(from).expect("below"));
        std::fs::create_dir_all(target.parent().expect("has one")).expect("creates");
        std::fs::copy(&file, &target).expect("copies");
    }
    to
}

#[tokio::test]
async fn a_store_dropped_without_closing_is_found_as_a_prefix() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path());
    for n in 0..100 {
        store.commit(step(n)).await.expect("commit");
    }
    // On its way when the store goes: it stands as a whole or not at all.
    let mut last = store.commit(step(100));
    tokio::select! {
        biased;
        _ = &mut last => {}
        () = std::future::ready(()) => {}
    }
    drop(last);
    drop(store);
    let mark = assert_prefix(&open(dir.path())).await;
    assert!(mark >= Some(99), "{mark:?}");
}

/// Takes the room off the log's end that the engine reserves, so that a copy is small.
pub(super) fn trim_log(dir: &Path) -> (std::path::PathBuf, Vec<u8>) {
    let log = dir.join("rows").join("0.jnl");
    let mut bytes = std::fs::read(&log).expect("reads");
    bytes.truncate(bytes.iter().rposition(|byte| *byte != 0).expect("not empty") + 1);
    std::fs::write(&log, &bytes).expect("writes");
    (log, bytes)
}

#[tokio::test]
async fn lives_too_short_to_fill_a_memtable_do_not_pile_up() {
    let dir = tempfile::tempdir().expect("a folder");
    let patient = Options { memtable: 1 << 30, ..TINY };
    let mut next = 0;
    for life in 0..4 {
        let options = if life < 3 { patient } else { TINY };
        let store = FjallStore::open(dir.path(), OURS, &options).expect("opens");
        let held = store.buffered();
        match life {
            0 => assert_eq!(held, 0),
            // Written down beside everything else that the engine does; a busy machine takes its time.
            3 => assert!(empties(&store).await, "three lives' rows are still in memory: {held} bytes"),
            _ => assert!(held > TINY.memtable / 4, "life {life} read {held} bytes back"),
        }
        for _ in 0..400 {
            store.commit(step(next)).await.expect("commit");
            next += 1;
        }
        drop(store);
    }
    assert_prefix(&open(dir.path())).await;
}

/// Whether nothing stands in memory only, soon.
async fn empties(store: &FjallStore) -> bool {
    for _ in 0..1_000 {
        if store.buffered() == 0 {
            return true;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    false
}

#[tokio::test]
async fn a_long_log_ends_with_the_next_start() {
    let dir = tempfile::tempdir().expect("a folder");
    let patient = Options { memtable: 1 << 30, ..TINY };
    let store = FjallStore::open(dir.path(), OURS, &patient).expect("opens");
    let large = vec![7; 512 * 1024];
    for n in 0..140 {
        store.commit(commit(n, &[(message(n), &large)])).await.expect("commit");
    }
    drop(store);
    let length = || -> u64 {
        let names = walk(dir.path()).into_iter().filter(|path| path.extension().is_some_and(|end| end == "jnl"));
        names.map(|path| path.metadata().expect("there").len()).sum()
    };
    assert!(length() > 70_000_000, "{}", length());
    drop(FjallStore::open(dir.path(), OURS, &patient).expect("opens"));
    assert!(length() <= Options::MIN_LOG, "{}", length());
    let store = open(dir.path());
    assert_eq!(store.get(&message(139)).await.expect("get"), Some(large));
}

#[tokio::test]
async fn a_log_cut_anywhere_gives_a_prefix() {
    let dir = tempfile::tempdir().expect("a folder");
    let large = Options { memtable: 1 << 20, ..TINY };
    let store = FjallStore::open(dir.path(), OURS, &large).expect("opens");
    for n in 0..20 {
        store.commit(step(n)).await.expect("commit");
    }
    store.close().await.expect("close");
    let (log, bytes) = trim_log(dir.path());
    let mut marks = Vec::new();
    // A prime step, so that cuts fall into all parts of an entry; and the whole.
    for len in (0..bytes.len()).step_by(397).chain([bytes.len()]) {
        std::fs::write(&log, &bytes[..len]).expect("writes");
        let copy = copy(dir.path());
        marks.push(assert_prefix(&open(copy.path())).await);
    }
    assert!(marks.is_sorted(), "a longer log gives no less: {marks:?}");
    assert_eq!((marks.first(), marks.last()), (Some(&None), Some(&Some(19))));
}

/// What the other process does until it is killed: commits, and tells its parent how far it is.
async fn commit_until_killed(dir: &Path) {
    let store = open(dir);
    let from = assert_prefix(&store).await.map_or(0, |mark| mark + 1);
    for n in from.. {
        store.commit(step(n)).await.expect("commit");
        // Fails, and so ends this process too, when the parent has gone.
        writeln!(std::io::stdout(), "committed {n}").expect("the parent reads");
    }
}

#[tokio::test]
async fn a_killed_process_leaves_a_prefix() {
    // This test runs itself once more, as the process that is killed.
    if let Ok(dir) = std::env::var(VICTIM) {
        return commit_until_killed(Path::new(&dir)).await;
    }
    let dir = tempfile::tempdir().expect("a folder");
    let mut before = None;
    // Commits from the start of each life until its end: in the first memtable, while it is turned, while tables merge.
    for commits in [3, 40, 150, 333, 700] {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["store::fjall::tests::crash::a_killed_process_leaves_a_prefix", "--exact", "--nocapture"])
            .env(VICTIM, dir.path())
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let said = lines.map_while(Result::ok).filter_map(|line| line.strip_prefix("committed ")?.parse::<u64>().ok());
        let last = said.take(commits).last();
        child.kill().expect("kills");
        child.wait().expect("ends");
        let mark = assert_prefix(&open(dir.path())).await;
        assert!(last.is_some() && mark >= before, "{mark:?} after {before:?}, {last:?} answered");
        before = mark;
    }
    assert!(before > Some(500), "most of it must have been written out: {before:?}");
}

#[tokio::test]
async fn an_engine_that_cannot_write_out_latches_and_hangs_nobody() {
    let dir = tempfile::tempdir().expect("a folder");
    let store = open(dir.path());
    store.commit(step(0)).await.expect("commit");
    std::fs::remove_dir_all(dir.path().join("rows").join("keyspaces")).expect("removes");
    let mut committed = 0;
    // 20,000 commits are over a hundred memtables: it must be noticed long before.
    while store.commit(step(committed + 1)).await.is_ok() && committed < 20_000 {
        committed += 1;
    }
    assert!((1..20_000).contains(&committed), "{committed}");
    assert!(store.failed().is_some());
    let refused = store.commit(step(committed + 1)).await;
    assert!(matches!(refused, Err(crate::store::StoreError::Failed(_))), "{refused:?}");
    assert_eq!(store.applied(0).await.expect("still reads"), Some(Position(committed)));
    assert!(store.close().await.is_err(), "what was not written is not called written");
}
