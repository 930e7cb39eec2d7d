//! Clauses about reading.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::{Subject, contents, durable, number, page, record, soon, take, until};
use crate::domain::record::Position;
use crate::journal::{JournalError, Tail};

/// From every position, also right at the end.
pub async fn a_tail_starts_anywhere(subject: &impl Subject) {
    let journal = subject.open();
    for n in 0..30 {
        durable(&*journal, 1, vec![record(n, 10)]).await;
        durable(&*journal, 2, vec![record(n + 100, 10)]).await;
    }
    let all = contents(&*journal, 1).await;
    let end = journal.end(1);
    assert_eq!((all.len(), all.last().map(|last| last.position.next())), (31, Some(end)));
    for place in all.iter().map(|entry| entry.position.0) {
        for from in [place.saturating_sub(1), place, place + 1] {
            let mut tail = journal.tail(1, Position(from));
            assert_eq!(tail.position(), Position(from));
            let expected = all.partition_point(|entry| entry.position.0 < from);
            assert_eq!(until(&mut *tail, 1, end.0).await, all[expected..]);
        }
    }
    let mut ahead = journal.tail(1, end.next());
    let (first, _) = durable(&*journal, 1, vec![record(31, 10), record(32, 10)]).await;
    let next = if first > end.0 { 31 } else { 32 };
    assert_eq!(number(&page(&mut *ahead, 1).await[0]), next, "a tail from beyond the end waits");
    let error = soon(journal.tail(64, Position(0)).next()).await.expect_err("no such partition");
    assert_eq!(error, JournalError::NoSuchPartition { partition: 64, count: 64 });
}

/// Tails that begin at different times while somebody writes see everything once.
pub async fn a_tail_is_handed_over_from_old_to_live(subject: &impl Subject) {
    let journal = subject.open();
    let mut readers = Vec::new();
    for n in 0..600 {
        if n % 60 == 0 {
            let mut tail = journal.tail(0, Position(0));
            readers.push(tokio::spawn(async move { take(&mut *tail, 0, 1 + 600 * 2).await }));
        }
        let begun = [journal.append(0, vec![record(n, 200)]), journal.append(0, vec![record(n + 1000, 3)])];
        for appending in begun {
            soon(appending).await;
        }
    }
    let expected: Vec<u64> = (0..600).flat_map(|n| [n, n + 1000]).collect();
    for reader in readers {
        let entries = reader.await.expect("a reader");
        assert_eq!(entries[1..].iter().map(|entry| number(entry)).collect::<Vec<_>>(), expected);
    }
}

fn poll_once(tail: &mut dyn Tail) {
    let mut next = tail.next();
    let polled = next.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    assert!(matches!(polled, Poll::Pending), "{polled:?}");
}

/// `next` is cancel-safe.
pub async fn a_tail_that_was_dropped_in_waiting_has_taken_nothing(subject: &impl Subject) {
    let journal = subject.open();
    let mut tail = journal.tail(9, Position(1));
    poll_once(&mut *tail);
    assert_eq!(tail.position(), Position(1));
    durable(&*journal, 9, vec![record(1, 5)]).await;
    assert_eq!(number(&take(&mut *tail, 9, 1).await[0]), 1);
    poll_once(&mut *tail);
    durable(&*journal, 9, vec![record(2, 5)]).await;
    assert_eq!(number(&take(&mut *tail, 9, 1).await[0]), 2);
}

/// `read` gives what `tail` gives.
pub async fn one_record_is_read_and_none_where_none_stands(subject: &impl Subject) {
    let journal = subject.open();
    for n in 0..20 {
        durable(&*journal, 3, vec![record(n, 100)]).await;
    }
    for entry in contents(&*journal, 3).await {
        assert_eq!(soon(journal.read(3, entry.position)).await, Ok(Arc::clone(&entry)));
    }
    let (end, all) = (journal.end(3), contents(&*journal, 3).await);
    let between = (0..end.0).map(Position).find(|place| all.iter().all(|entry| entry.position != *place));
    for position in [end, Position(u64::MAX)].into_iter().chain(between) {
        let missing = JournalError::Missing { partition: 3, position, end };
        assert_eq!(soon(journal.read(3, position)).await, Err(missing));
    }
    let nowhere = JournalError::NoSuchPartition { partition: 64, count: 64 };
    assert_eq!(soon(journal.read(64, Position(0))).await, Err(nowhere));
}

/// A page has at most 1,024 entries (checked in `until`) and about 4 MiB.
pub async fn pages_are_bounded(subject: &impl Subject) {
    let journal = subject.open();
    for n in 0..12 {
        durable(&*journal, 0, vec![record(n, 900_000)]).await;
    }
    for n in 0..30 {
        durable(&*journal, 0, (0..100).map(|m| record(n * 100 + m, 0)).collect()).await;
    }
    let mut tail = journal.tail(0, Position(1));
    let first = page(&mut *tail, 0).await;
    assert!(first.iter().map(|entry| entry.record.len()).sum::<usize>() <= 4 * 1024 * 1024);
    take(&mut *tail, 0, 12 + 3000 - first.len()).await;
}

/// Of single appends every one counts; of what stands together at least one, and at most all.
pub async fn distances_count_what_stands_between(subject: &impl Subject) {
    let journal = subject.open();
    for n in 0..10 {
        durable(&*journal, 6, vec![record(n, 10)]).await;
    }
    let all = contents(&*journal, 6).await;
    for (n, from) in all.iter().enumerate() {
        for (m, to) in all.iter().enumerate() {
            let distance = journal.distance(6, from.position, to.position);
            assert_eq!(distance, m.saturating_sub(n) as u64);
        }
        assert_eq!(journal.distance(6, from.position, journal.end(6)), (all.len() - n) as u64);
    }
    let before = journal.end(6);
    durable(&*journal, 6, (0..9).map(|n| record(n, 10)).collect()).await;
    assert!((1..=9).contains(&journal.distance(6, before, journal.end(6))));
}

/// What stands next to each other is never taken for a gap.
pub async fn neighbours_adjoin_and_nothing_adjoins_backwards(subject: &impl Subject) {
    let journal = subject.open();
    for n in 0..10 {
        durable(&*journal, 8, (0..=n % 3).map(|m| record(10 * n + m, 10)).collect()).await;
    }
    let all = contents(&*journal, 8).await;
    for pair in all.windows(2) {
        let (before, after) = (pair[0].position, pair[1].position);
        assert!(journal.adjoins(8, before, after), "{before:?} {after:?}");
        assert!(!journal.adjoins(8, after, before) && !journal.adjoins(8, after, after));
    }
}

/// Whatever stands last, and however many records were appended with it.
pub async fn the_end_asked_anew_is_that_of_the_last_record(subject: &impl Subject) {
    let journal = subject.open();
    assert_eq!(soon(journal.fresh_end(3)).await, Ok(Position(1)), "the genesis");
    for n in 0..3 {
        let (_, last) = durable(&*journal, 3, vec![record(2 * n, 10), record(2 * n + 1, 10)]).await;
        assert_eq!(soon(journal.fresh_end(3)).await, Ok(Position(last).next()));
        assert_eq!(journal.end(3), Position(last).next());
    }
}
