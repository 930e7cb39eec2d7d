//! The contract: one suite that every journal passes. `suite!` makes a module of tests out of a [`Subject`].

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::{Appended, Entry, Genesis, Journal, Tail};
use crate::domain::address::Address;
use crate::domain::event::{Event, SessionSuspendedV1};
use crate::domain::id::{EventId, InstallationId, SessionId};
use crate::domain::record::{Header, Position, Principal, Record};

pub mod limits;
pub mod reading;
pub mod writing;

/// What every subject is made with.
pub fn genesis() -> Genesis {
    Genesis::new(InstallationId([9; 16]), 64)
}

/// An implementation under test: each call opens it (again); the one before was closed.
pub trait Subject {
    /// Opens it.
    fn open(&self) -> Arc<dyn Journal>;
}

/// A record that can be told from all others by `n`, with a body of `size` bytes that are never all zero.
pub fn record(n: u64, size: usize) -> Record {
    let session = SessionId([3; 16]);
    let event = Event::from(SessionSuspendedV1 { session, reason: format!("number {n}") });
    let header = Header {
        kind: event.kind(),
        id: named(n),
        cause: None,
        may_skip: false,
        address: Address::from(session),
        tenant: None,
        by: Principal::Operator,
        at: 1_700_000_000_000_000,
        feature: 1,
        epoch: None,
        key: None,
        body: None,
        commitment: None,
        subject: None,
        attempt: None,
        facts: event.facts(),
    };
    let body: Vec<u8> = (0..size).map(|i| (i as u64 ^ n) as u8 | 1).collect();
    Record::new(header, Bytes::from(body)).expect("a record of the allowed size")
}

fn named(n: u64) -> EventId {
    let mut id = [7; 16];
    id[..8].copy_from_slice(&n.to_be_bytes());
    EventId(id)
}

/// The number a record was made with.
pub fn number(entry: &Entry) -> u64 {
    let mut n = [0; 8];
    n.copy_from_slice(&entry.record.header.id.0[..8]);
    u64::from_be_bytes(n)
}

/// Fails instead of hanging.
pub async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(60), future).await.expect("an answer within a minute")
}

/// Appends, and insists on durability.
pub async fn durable(journal: &dyn Journal, partition: u16, records: Vec<Record>) -> (u64, u64) {
    match soon(journal.append(partition, records)).await {
        Appended::Durable { first, last } => (first.0, last.0),
        other => panic!("{other:?}"),
    }
}

/// The next page of a tail; checks that it is in order and in bounds.
pub async fn page(tail: &mut dyn Tail, partition: u16) -> Vec<Arc<Entry>> {
    let mut reached = tail.position();
    let page = soon(tail.next()).await.expect("a page");
    assert!((1..=1024).contains(&page.len()), "{}", page.len());
    for entry in &page {
        assert_eq!(entry.partition, partition);
        assert!(entry.position >= reached, "{:?} after {reached:?}", entry.position);
        reached = entry.position.next();
    }
    assert_eq!(tail.position(), reached);
    page
}

/// Everything a tail gives before position `end`.
pub async fn until(tail: &mut dyn Tail, partition: u16, end: u64) -> Vec<Arc<Entry>> {
    let mut all = Vec::new();
    while tail.position() < Position(end) {
        all.extend(page(tail, partition).await);
    }
    all
}

/// So many entries of a tail, which must not give more.
pub async fn take(tail: &mut dyn Tail, partition: u16, count: usize) -> Vec<Arc<Entry>> {
    let mut all = Vec::new();
    while all.len() < count {
        all.extend(page(tail, partition).await);
    }
    assert_eq!(all.len(), count);
    all
}

/// Everything that stands in a partition now.
pub async fn contents(journal: &dyn Journal, partition: u16) -> Vec<Arc<Entry>> {
    until(&mut *journal.tail(partition, Position(0)), partition, journal.end(partition).0).await
}

/// The answers to appends of three records each, numbered `3n..3n+3`, checked against what stands there: what was
/// answered durable stands where it was said to; what was refused stands nowhere; what is doubtful stands any number of
/// times; and whatever stands there is whole. Says how many were durable, refused, doubtful.
pub fn check_answers(answers: &[(u64, Appended)], entries: &[Arc<Entry>]) -> (usize, usize, usize) {
    let mut copies: HashMap<u64, usize> = HashMap::new();
    let mine = &entries[1..];
    assert!(mine.len().is_multiple_of(3));
    for group in mine.chunks(3) {
        let first = number(&group[0]);
        assert_eq!(first % 3, 0);
        assert_eq!([number(&group[1]), number(&group[2])], [first + 1, first + 2], "an append was torn apart");
        *copies.entry(first / 3).or_default() += 1;
    }
    let mut counts = (0, 0, 0);
    for (n, answer) in answers {
        match answer {
            Appended::Durable { first, last } => {
                counts.0 += 1;
                assert_eq!(last.0, first.0 + 2);
                let stands = entries.iter().find(|entry| entry.position == *first).map(|entry| number(entry));
                assert_eq!(stands, Some(3 * n), "durable, but not where it was said");
                copies.remove(n);
            }
            Appended::Refused(_) => {
                counts.1 += 1;
                assert_eq!(copies.remove(n), None, "refused, but there");
            }
            Appended::Doubtful => {
                counts.2 += 1;
                copies.remove(n);
            }
        }
    }
    assert_eq!(copies, HashMap::new(), "stands there, but nobody appended it");
    counts
}

/// A module of tests, one for each clause, over subjects that `$make` makes. A subject that needs something that
/// `cargo test` cannot bring says so: `suite!(needs "why", …)`.
macro_rules! suite {
    (@one [$($meta:tt)*] $make:expr, $room:ident :: $clause:ident) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        $($meta)*
        async fn $clause() {
            crate::journal::contract::$room::$clause(&$make).await;
        }
    };
    (@each $metas:tt $make:expr, [$($room:ident :: $clause:ident),* $(,)?]) => {
        $(crate::journal::contract::suite!(@one $metas $make, $room::$clause);)*
    };
    (needs $why:literal, $make:expr) => {
        crate::journal::contract::suite!(@all [#[ignore = $why]] $make);
    };
    (@all $metas:tt $make:expr) => {
        crate::journal::contract::suite!(@each $metas $make, [
            writing::the_genesis_stands_first,
            writing::appends_stand_together_and_where_they_were_said_to,
            writing::appends_of_one_task_keep_their_order_without_waiting,
            writing::eight_writers_over_all_partitions,
            writing::answers_are_true,
            writing::reopened_it_is_the_same_and_goes_on,
            writing::closed_it_takes_nothing_and_tails_end,
            reading::a_tail_starts_anywhere,
            reading::a_tail_is_handed_over_from_old_to_live,
            reading::a_tail_that_was_dropped_in_waiting_has_taken_nothing,
            reading::one_record_is_read_and_none_where_none_stands,
            reading::distances_count_what_stands_between,
            reading::neighbours_adjoin_and_nothing_adjoins_backwards,
            reading::the_end_asked_anew_is_that_of_the_last_record,
            reading::pages_are_bounded,
            limits::the_largest_record_passes_and_comes_back,
            limits::what_is_too_much_is_refused_and_never_appears,
            limits::what_makes_no_sense_is_refused,
        ]);
    };
    ($make:expr) => {
        crate::journal::contract::suite!(@all [] $make);
    };
}
pub(crate) use suite;
