//! Crashes, failing disks, lost power: what was acknowledged is there, what was refused is not.

use std::io::ErrorKind;

use super::super::super::{Appended, Refusal};
use super::media::{Call, Gate, PowerLoss, Refusing};
use super::*;
use crate::runtime::{Entropy, SeededEntropy};

async fn answer(journal: &EmbeddedJournal, n: u64) -> (u64, Appended) {
    (n, soon(journal.append(0, (3 * n..3 * n + 3).map(|n| record(n, 200)).collect())).await)
}

#[tokio::test]
async fn dropped_without_closing_it_keeps_what_was_acknowledged() {
    let folder = Folder::small();
    let journal = folder.open();
    fill(&journal, 0, 20, 100).await;
    drop(journal);
    let (journal, report) = folder.try_open().expect("it opens");
    assert_eq!((report.clean, report.cut, report.records), (false, None, 2 + 80));
    journal.close().await.expect("closed");
    drop(journal);
    assert!(folder.try_open().expect("it opens").1.clean);
}

#[tokio::test]
async fn a_full_disk_under_a_batch_lets_the_latch_fall() {
    let mut folder = Folder::small();
    // The first such write is that of opening; three batches pass.
    let mut full = Refusing::new(Call::Write(b"WBBA"), 4, ErrorKind::StorageFull);
    full.partial = 300;
    folder.options.medium = Arc::new(full);
    let journal = folder.open();
    let mut answers = Vec::new();
    for n in 0..6 {
        answers.push(answer(&journal, n).await);
    }
    let why = journal.failed().expect("the latch");
    assert!(why.contains("00000001.wbj") && why.contains("free space"), "{why}");
    assert_eq!(answers[3].1, Appended::Doubtful, "some of it was written");
    assert_eq!(answers[5].1, Appended::Refused(Refusal::Failed(why.clone())));
    assert_eq!(soon(journal.tail(0, Position(10)).next()).await, Err(JournalError::Failed(why.clone())));
    assert_eq!(journal.close().await, Err(JournalError::Failed(why)));
    drop(journal);
    folder.options.medium = Options::default().medium;
    let (journal, report) = folder.try_open().expect("it opens");
    assert_eq!(report.cut.map(|cut| cut.bytes), Some(300));
    assert_eq!(contract::check_answers(&answers, &contract::contents(&journal, 0).await), (3, 2, 1));
}

#[tokio::test]
async fn a_failed_sync_is_never_tried_again() {
    let mut folder = Folder::small();
    // The first sync is that of opening; two batches pass.
    let failing = Arc::new(Refusing::new(Call::Sync, 3, ErrorKind::Other));
    folder.options.medium = Arc::clone(&failing) as Arc<_>;
    let journal = folder.open();
    let mut answers = Vec::new();
    for n in 0..5 {
        answers.push(answer(&journal, n).await);
    }
    journal.close().await.expect_err("nothing can be closed");
    drop(journal);
    assert_eq!(*failing.seen.lock(), 4, "opening, two batches, and the one that failed");
    folder.options.medium = Options::default().medium;
    let journal = folder.open();
    assert_eq!(contract::check_answers(&answers, &contract::contents(&journal, 0).await), (2, 2, 1));
}

#[tokio::test]
async fn opening_writes_the_last_batch_once_more_before_anybody_sees_it() {
    let mut folder = Folder::small();
    let journal = folder.open();
    fill(&journal, 0, 3, 100).await;
    drop(journal);
    let seen = Arc::new(Refusing::new(Call::Write(b"WBBA"), u64::MAX, ErrorKind::Other));
    folder.options.medium = Arc::clone(&seen) as Arc<_>;
    folder.found().expect("whole");
    assert_eq!(*seen.seen.lock(), 1);
    folder.options.medium = Arc::new(Refusing::new(Call::Sync, 0, ErrorKind::Other));
    assert!(matches!(folder.found().err(), Some(JournalError::Io { doing: "sync", .. })));
}

#[tokio::test]
async fn a_full_disk_under_the_next_segment_refuses_and_loses_nothing() {
    let mut folder = Folder::small();
    folder.options.medium = Arc::new(Refusing::new(Call::Write(&[0; 4096]), 0, ErrorKind::StorageFull));
    let journal = folder.open();
    let mut answers = Vec::new();
    while journal.failed().is_none() {
        answers.push(answer(&journal, answers.len() as u64).await);
    }
    assert!(
        matches!(&answers.last().expect("one").1, Appended::Refused(Refusal::Failed(why)) if why.contains("space"))
    );
    assert!(journal.stats().next_segment_error.is_some_and(|why| why.contains("space")));
    assert!(answers.len() > 20);
    drop(journal);
    folder.options.medium = Options::default().medium;
    let journal = folder.open();
    let (durable, refused, doubtful) = contract::check_answers(&answers, &contract::contents(&journal, 0).await);
    assert_eq!((durable, refused, doubtful), (answers.len() - 1, 1, 0));
    fill(&journal, 5000, 30, 1000).await;
    assert!(journal.stats().segments > 1);
}

#[tokio::test]
async fn a_crash_between_two_segments_is_completed() {
    for partial in [0, 20, 64] {
        let mut folder = Folder::small();
        let mut broken = Refusing::new(Call::Write(b"WBSE"), 0, ErrorKind::Other);
        broken.partial = partial;
        folder.options.medium = Arc::new(broken);
        let journal = folder.open();
        let mut answers = Vec::new();
        while journal.failed().is_none() {
            answers.push(answer(&journal, answers.len() as u64).await);
        }
        drop(journal);
        folder.options.medium = Options::default().medium;
        let (journal, report) = folder.try_open().expect("it opens");
        assert_eq!((report.segments, report.cut), (2, None));
        assert_eq!(report.completed_seal.map(|(file, _)| file), (partial < 64).then(|| folder.segment(1)));
        contract::check_answers(&answers, &contract::contents(&journal, 0).await);
        fill(&journal, 9000, 80, 1000).await;
        journal.close().await.expect("closed");
        drop(journal);
        folder.options.verify = Verify::All;
        assert_eq!(folder.try_open().expect("whole").1.completed_seal, None);
    }
}

#[tokio::test]
async fn power_fails_at_any_call_and_nothing_acknowledged_is_lost() {
    let (mut cuts, mut lost) = (0, 0);
    for seed in 0..80 {
        let mut folder = Folder::small();
        let chance = SeededEntropy::new(seed);
        let power = Arc::new(PowerLoss::new(seed, 20 + chance.number() % 100));
        folder.options.medium = Arc::clone(&power) as Arc<_>;
        let mut answers = Vec::new();
        // Without power it may not even open.
        if let Ok((journal, _)) = folder.try_open() {
            for n in 0..40 {
                answers.push(answer(&journal, n).await);
            }
        }
        power.cut();
        folder.options.medium = Options::default().medium;
        let (journal, report) = folder.try_open().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let (.., doubtful) = contract::check_answers(&answers, &contract::contents(&journal, 0).await);
        assert!(doubtful <= 1, "one batch at a time");
        cuts += usize::from(report.cut.is_some());
        lost += usize::from(answers.iter().any(|(_, answer)| !matches!(answer, Appended::Durable { .. })));
    }
    assert!(cuts > 3 && lost > 25, "the power went out too rarely in mid-write: {cuts} cuts, {lost} of 80");
}

#[tokio::test]
async fn a_full_queue_refuses_and_what_waits_goes_out_in_one_batch() {
    let (gate, keeper) = Gate::new();
    let gate = Arc::new(gate);
    let sizes = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let seen = Arc::clone(&sizes);
    let options = Options {
        batch_events: 10,
        queue_events: 10,
        medium: Arc::clone(&gate) as Arc<_>,
        observer: Some(Arc::new(move |batch| seen.lock().push(batch.records))),
        ..small()
    };
    // Two segments of room first: the gate would hold the one that makes segments ready, too.
    let folder = Folder::new(two(), options);
    let journal = folder.open();
    contract::durable(&journal, 1, vec![record(1, 10)]).await;
    gate.arm(true);
    let first = journal.append(0, vec![record(0, 10)]);
    keeper.entered.recv().expect("the writer syncs");
    let waiting: Vec<_> = (1..=10).map(|n| journal.append(0, vec![record(n, 10)])).collect();
    assert_eq!(journal.stats().queue_records, 10);
    assert_eq!(soon(journal.append(0, vec![record(11, 10)])).await, Appended::Refused(Refusal::Overloaded));
    gate.arm(false);
    keeper.go.send(()).expect("the writer waits");
    for (n, appending) in (1..).zip([first].into_iter().chain(waiting)) {
        assert_eq!(soon(appending).await, Appended::Durable { first: Position(n), last: Position(n) });
    }
    journal.close().await.expect("closed");
    assert_eq!(*sizes.lock(), [1, 1, 10]);
    assert_eq!(journal.stats().batches, 3);
}

#[cfg(feature = "mutants")]
#[tokio::test]
async fn the_mutant_loses_what_it_acknowledged() {
    let mut folder = Folder::small();
    folder.options.durability = super::super::Durability::AckBeforeSync(std::time::Duration::from_millis(1));
    // The first such write is that of opening; one batch passes.
    folder.options.medium = Arc::new(Refusing::new(Call::Write(b"WBBA"), 2, ErrorKind::Other));
    let journal = folder.open();
    answer(&journal, 0).await;
    let acknowledged = answer(&journal, 1).await;
    assert!(matches!(acknowledged.1, Appended::Durable { .. }));
    drop(journal);
    folder.options.medium = Options::default().medium;
    assert_eq!(folder.open().end(0), Position(4), "the second append is gone");
}
