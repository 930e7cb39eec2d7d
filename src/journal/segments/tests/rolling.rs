//! Several segments: sealed, chained, none of them missing.

use super::*;

async fn several() -> Folder {
    let options = Options { medium: Arc::new(super::media::Lazy), ..small() };
    let folder = Folder::new(two(), options).filled(150, 300).await;
    assert!(folder.found().expect("whole").report.segments >= 4);
    folder
}

fn refused(folder: &Folder, verify: Verify) -> Option<(PathBuf, String)> {
    let options = Options { verify, ..folder.options.clone() };
    match recover(folder.dir.path(), &options).map(|found| found.report) {
        Err(JournalError::Corrupt { file, what, .. }) => Some((file, what)),
        Err(other) => panic!("{other}"),
        Ok(_) => None,
    }
}

#[tokio::test]
async fn both_ways_of_checking_find_the_same_journal() {
    let folder = several().await;
    let tail = folder.found().expect("whole");
    let all = recover(folder.dir.path(), &Options { verify: Verify::All, ..folder.options.clone() }).expect("whole");
    assert_eq!(tail.report, all.report);
    assert_eq!(contents(&tail), contents(&all));
    assert_eq!(contents(&tail).len(), 2 + 600);
    let numbers: u64 =
        contents(&all).iter().filter(|entry| entry.position.0 > 0).map(|entry| contract::number(entry)).sum();
    assert_eq!((0..600).sum::<u64>(), numbers);
}

#[tokio::test]
async fn every_missing_segment_is_missed() {
    let folder = several().await;
    let count = folder.found().expect("whole").report.segments as u64;
    for number in 1..=count {
        let (path, aside) = (folder.segment(number), folder.dir.path().join("aside"));
        std::fs::rename(&path, &aside).expect("moved");
        for verify in [Verify::All, Verify::Tail] {
            let (file, what) = refused(&folder, verify).expect("refused");
            assert!(what.contains("missing"), "{what}");
            assert!(file == path || number == count, "{}", file.display());
        }
        std::fs::rename(&aside, &path).expect("moved back");
    }
    assert_eq!(refused(&folder, Verify::All), None);
}

#[tokio::test]
async fn a_flipped_byte_of_a_sealed_segment_is_found() {
    let folder = several().await;
    for number in 1..=2 {
        let path = folder.segment(number);
        let whole = read(&path);
        let tail = whole.len() - 200..whole.len();
        for at in (0..whole.len()).step_by(311).chain(tail) {
            let mut flipped = whole.clone();
            flipped[at] ^= 0x10;
            write(&path, &flipped);
            let found = recover(folder.dir.path(), &Options { verify: Verify::All, ..folder.options.clone() }).err();
            match found {
                Some(JournalError::Corrupt { file, .. }) => assert_eq!(file, path, "byte {at}"),
                Some(JournalError::Version { .. }) => assert!((8..10).contains(&at)),
                other => panic!("byte {at} of segment {number}: {other:?}"),
            }
        }
        write(&path, &whole);
    }
}

#[tokio::test]
async fn a_sealed_segment_that_lost_its_end_is_refused() {
    let folder = several().await;
    let path = folder.segment(2);
    let whole = read(&path);
    for length in (0..whole.len()).step_by(97).chain(whole.len() - 70..whole.len()) {
        write(&path, &whole[..length]);
        for verify in [Verify::All, Verify::Tail] {
            assert_eq!(refused(&folder, verify).expect("refused").0, path, "{length} bytes");
        }
    }
    // Zeros behind the seal are what a crash right after sealing leaves.
    let mut padded = whole.clone();
    padded.resize(64 * 1024, 0);
    write(&path, &padded);
    assert_eq!(refused(&folder, Verify::All).or(refused(&folder, Verify::Tail)), None);
}

#[tokio::test]
async fn a_segment_of_another_history_is_refused() {
    let (one, other) = (several().await, Folder::small().filled(150, 301).await);
    for number in [2, 3] {
        let kept = read(&one.segment(number));
        write(&one.segment(number), &read(&other.segment(number)));
        for verify in [Verify::All, Verify::Tail] {
            assert!(refused(&one, verify).is_some(), "segment {number}");
        }
        write(&one.segment(number), &kept);
    }
    // Under a wrong name.
    let (second, third) = (read(&one.segment(2)), read(&one.segment(3)));
    write(&one.segment(2), &third);
    write(&one.segment(3), &second);
    assert!(refused(&one, Verify::Tail).expect("refused").1.contains("another one's name"));
}

#[tokio::test]
async fn many_openings_and_closings_do_not_grow_an_idle_journal() {
    let folder = Folder::small().filled(1, 10).await;
    let before = read(&folder.segment(1));
    for _ in 0..5 {
        let (journal, report) = folder.try_open().expect("it opens");
        assert!(report.clean);
        journal.close().await.expect("closed");
    }
    assert_eq!(read(&folder.segment(1)), before);
}
