//! Clauses about what is too much.

use super::{Subject, contents, durable, record, soon};
use crate::domain::record::{MAX_RECORD, Position};
use crate::journal::{Appended, Refusal};

/// One mebibyte of header and body.
pub async fn the_largest_record_passes_and_comes_back(subject: &impl Subject) {
    let journal = subject.open();
    // The same header: from 65,536 on the body's length takes the same bytes.
    let header = record(1, 70_000).raw.len();
    let largest = record(1, MAX_RECORD - header);
    assert_eq!(largest.len(), MAX_RECORD);
    let mut end = 0;
    for _ in 0..3 {
        let records = vec![largest.clone(), largest.clone(), largest.clone()];
        let (first, last) = durable(&*journal, 7, records).await;
        assert_eq!((first > end, last), (true, first + 2));
        end = last;
    }
    assert!(contents(&*journal, 7).await[1..].iter().all(|entry| entry.record == largest));
    assert_eq!(soon(journal.read(7, Position(end))).await.expect("a record").record, largest);
}

/// More than a batch holds, by number or by bytes.
pub async fn what_is_too_much_is_refused_and_never_appears(subject: &impl Subject) {
    let journal = subject.open();
    let many: Vec<_> = (0..257).map(|n| record(n, 1)).collect();
    let large: Vec<_> = (0..5).map(|n| record(n, 900_000)).collect();
    for records in [many, large] {
        let answer = soon(journal.append(0, records)).await;
        assert!(matches!(answer, Appended::Refused(Refusal::TooLarge { .. })), "{answer:?}");
    }
    let (first, last) = durable(&*journal, 0, (0..256).map(|n| record(n, 1)).collect()).await;
    assert_eq!((last - first, journal.end(0)), (255, Position(last + 1)));
    assert_eq!(contents(&*journal, 0).await.len(), 257);
}

/// No records, no such partition, a body that is not the header's.
pub async fn what_makes_no_sense_is_refused(subject: &impl Subject) {
    let journal = subject.open();
    let refused = |refusal| Appended::Refused(refusal);
    assert_eq!(soon(journal.append(0, Vec::new())).await, refused(Refusal::Empty));
    let nowhere = Refusal::NoSuchPartition { partition: 64, count: 64 };
    assert_eq!(soon(journal.append(64, vec![record(1, 1)])).await, refused(nowhere));
    let mut wrong = record(1, 10);
    wrong.body = wrong.body.slice(..9);
    let body = Refusal::Body { index: 1, found: 9, expected: 10 };
    assert_eq!(soon(journal.append(0, vec![record(0, 4), wrong])).await, refused(body));
    assert_eq!(journal.end(0), Position(1));
}
