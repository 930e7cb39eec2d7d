//! Every byte of a journal, flipped, cut off, zeroed: found, with file and offset, and nothing wrong ever given out.

use super::super::format::BATCH;
use super::media::Lazy;
use super::*;

fn lazy() -> Folder {
    Folder::new(two(), Options { medium: Arc::new(Lazy), verify: Verify::All, ..small() })
}

/// Where the batches of the only segment begin, and where the last one ends.
fn batches(folder: &Folder) -> Vec<u64> {
    let bytes = read(&folder.segment(1));
    let mut at = 4096;
    let mut all = vec![at as u64];
    while let Some(header) = super::super::format::BatchHeader::decode(&bytes[at..]) {
        at += header.length() as usize;
        all.push(at as u64);
    }
    all
}

#[tokio::test]
async fn every_flipped_byte_of_a_closed_journal_is_found() {
    let folder = lazy().filled(4, 60).await;
    let path = folder.segment(1);
    let whole = read(&path);
    let before = contents(&folder.found().expect("whole"));
    let ends = batches(&folder);
    let (marker, end) = (ends[ends.len() - 2], ends[ends.len() - 1]);
    assert_eq!(end - marker, BATCH as u64, "the clean-close marker");
    let padding = (end..whole.len() as u64).step_by(499).chain([whole.len() as u64 - 1]);
    for at in (0..end).chain(padding) {
        let mut flipped = whole.clone();
        flipped[at as usize] ^= 0x55;
        write(&path, &flipped);
        match folder.found() {
            Err(JournalError::Corrupt { file, offset, .. }) => {
                assert!(at < marker, "byte {at} is behind everything, and is no corruption");
                assert!(file == path && offset <= at, "byte {at} was found at {offset}");
                assert_eq!(read(&path), flipped, "a refused journal is not touched");
            }
            Err(JournalError::Version { .. }) => assert!((8..10).contains(&at), "byte {at}"),
            Err(other) => panic!("byte {at}: {other}"),
            Ok(found) => {
                let cut = found.report.cut.clone().unwrap_or_else(|| panic!("byte {at} was not found"));
                assert!(at >= marker && cut.file == path && (marker..=at).contains(&cut.offset), "{at} {cut:?}");
                assert_eq!(contents(&found), before, "byte {at}");
                assert!(folder.found().expect("cut once").report.cut.is_none(), "cut for good");
            }
        }
    }
}

#[tokio::test]
async fn a_journal_that_lost_its_end_is_refused_and_can_be_extended() {
    let folder = lazy().filled(4, 60).await;
    let path = folder.segment(1);
    let whole = read(&path);
    let before = contents(&folder.found().expect("whole"));
    let ends = batches(&folder);
    for length in (0..ends[ends.len() - 1]).chain([whole.len() as u64 - 1]) {
        let mut bytes = whole[..length as usize].to_vec();
        write(&path, &bytes);
        let refused = folder.found().err();
        assert!(matches!(refused, Some(JournalError::Corrupt { .. })), "{length} bytes: {refused:?}");
        // What the error proposes.
        bytes.resize(whole.len(), 0);
        write(&path, &bytes);
        match folder.found() {
            Ok(found) => assert!(is_prefix(&contents(&found), &before), "{length} bytes"),
            // Without its genesis records there is no journal.
            Err(error) => assert!(length < ends[1], "{length} bytes: {error}"),
        }
    }
}

#[tokio::test]
async fn a_torn_last_batch_is_cut_wherever_it_was_torn() {
    let folder = lazy();
    let journal = folder.open();
    fill(&journal, 0, 5, 60).await;
    drop(journal);
    let path = folder.segment(1);
    let whole = read(&path);
    let ends = batches(&folder);
    let (last, end) = (ends[ends.len() - 2] as usize, ends[ends.len() - 1] as usize);
    let before = contents(&folder.found().expect("whole"));
    let of_last = |entry: &Arc<Entry>| entry.position.0 > 0 && contract::number(entry) >= 16;
    let acknowledged: Vec<_> = before.iter().filter(|entry| !of_last(entry)).cloned().collect();
    for middle in last..end {
        for torn in [last..middle, middle + 1..end] {
            let mut bytes = whole.clone();
            bytes[last..end].fill(0);
            bytes[torn.clone()].copy_from_slice(&whole[torn.clone()]);
            let any = bytes[last..end].iter().any(|&byte| byte != 0);
            let complete = bytes == whole;
            write(&path, &bytes);
            let found = folder.found().unwrap_or_else(|error| panic!("{torn:?}: {error}"));
            assert_eq!(found.report.cut.is_some(), any && !complete, "{torn:?}");
            let expected = if complete { &before } else { &acknowledged };
            assert_eq!(&contents(&found), expected, "{torn:?}");
            if let Some(cut) = found.report.cut {
                assert_eq!((cut.file, cut.offset), (path.clone(), last as u64));
                assert!(cut.offset + cut.bytes <= end as u64);
            }
        }
    }
}

#[tokio::test]
async fn a_hole_before_something_later_is_refused() {
    let folder = lazy();
    let journal = folder.open();
    fill(&journal, 0, 6, 60).await;
    drop(journal);
    let path = folder.segment(1);
    let whole = read(&path);
    let ends = batches(&folder);
    for pair in ends[1..ends.len() - 1].windows(2) {
        let (from, to) = (pair[0] as usize, pair[1] as usize);
        for hole in [from..to, from..from + 8, to - 8..to, from + 40..to + 40] {
            let mut bytes = whole.clone();
            bytes[hole.clone()].fill(0);
            write(&path, &bytes);
            match folder.found().err() {
                Some(JournalError::Corrupt { file, offset, what, remedy }) => {
                    assert!(file == path && (from as u64..to as u64).contains(&offset), "{hole:?}: {offset} {what}");
                    assert!(remedy.contains("Restore"));
                }
                other => panic!("{hole:?}: {other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn a_batch_in_another_ones_place_is_refused() {
    let folder = lazy();
    let journal = folder.open();
    fill(&journal, 0, 4, 60).await;
    drop(journal);
    let path = folder.segment(1);
    let whole = read(&path);
    let ends: Vec<usize> = batches(&folder).into_iter().map(|at| at as usize).collect();
    let (second, third, fourth) = (ends[2]..ends[3], ends[3]..ends[4], ends[4]..ends[5]);
    // The last batch twice; the last batch instead of the one before; two swapped.
    let twice = [&whole[..fourth.end], &whole[fourth.clone()]].concat();
    let missing = [&whole[..third.start], &whole[fourth.clone()]].concat();
    let swapped = [&whole[..second.start], &whole[third], &whole[second], &whole[fourth]].concat();
    for mut bytes in [twice, missing, swapped] {
        bytes.resize(whole.len(), 0);
        write(&path, &bytes);
        let refused = folder.found().err();
        assert!(matches!(refused, Some(JournalError::Corrupt { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn damage_that_open_did_not_look_at_is_found_on_reading() {
    let folder = Folder::small().filled(120, 300).await;
    let path = folder.segment(1);
    let mut bytes = read(&path);
    let at = 20_000;
    bytes[at] ^= 1;
    write(&path, &bytes);
    let journal = folder.open();
    let mut tails: Vec<_> = (0..2).map(|partition| journal.tail(partition, Position(0))).collect();
    let mut damage = None;
    for tail in &mut tails {
        let error = soon(tail.next()).await.err();
        damage = damage.or(error);
    }
    let Some(JournalError::Corrupt { file, offset, .. }) = damage else { panic!("{damage:?}") };
    assert!(file == path && offset <= at as u64, "{offset}");
    let all = Folder { options: Options { verify: Verify::All, ..small() }, dir: folder.dir };
    drop(journal);
    assert!(matches!(all.found().err(), Some(JournalError::Corrupt { file, .. }) if file == path));
}
