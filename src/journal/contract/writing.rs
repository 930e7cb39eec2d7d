//! Clauses about appending.

use std::sync::Arc;

use super::{Subject, check_answers, contents, durable, genesis, number, record, soon, take};
use crate::domain::record::Position;
use crate::journal::{Appended, Genesis, JournalError, Refusal};

/// Position 0 of every partition is its genesis.
pub async fn the_genesis_stands_first(subject: &impl Subject) {
    let journal = subject.open();
    assert_eq!(journal.genesis(), genesis());
    for partition in 0..genesis().count {
        assert_eq!(journal.end(partition), Position(1));
        let first = soon(journal.read(partition, Position(0))).await.expect("the genesis");
        assert_eq!(Genesis::read(&first.record, partition), Some(genesis()));
    }
    assert_eq!(journal.end(genesis().count), Position(0));
}

/// Many at once: every append is whole, in order, at the positions its answer named, and nothing else stands there.
pub async fn appends_stand_together_and_where_they_were_said_to(subject: &impl Subject) {
    let journal = subject.open();
    let mut tasks = Vec::new();
    for task in 0..8u64 {
        let journal = Arc::clone(&journal);
        tasks.push(tokio::spawn(async move {
            let mut answers = Vec::new();
            for n in (task * 100)..(task * 100 + 50) {
                let records = (3 * n..3 * n + 3).map(|n| record(n, 20)).collect();
                answers.push((n, soon(journal.append(5, records)).await));
            }
            answers
        }));
    }
    let mut answers = Vec::new();
    for task in tasks {
        answers.extend(task.await.expect("a writer"));
    }
    let all = contents(&*journal, 5).await;
    assert_eq!((all.len(), all.last().map(|last| last.position.next())), (1 + 8 * 50 * 3, Some(journal.end(5))));
    assert_eq!(check_answers(&answers, &all), (400, 0, 0));
    assert_eq!(journal.end(4), Position(1), "nothing leaks into a neighbour");
}

/// Appends that were all begun before any was answered stand in the order in which they were begun.
pub async fn appends_of_one_task_keep_their_order_without_waiting(subject: &impl Subject) {
    let journal = subject.open();
    let begun: Vec<_> = (0..1000).map(|n| journal.append((n % 2) as u16, vec![record(n, 50)])).collect();
    let mut said = [Vec::new(), Vec::new()];
    for (n, appending) in begun.into_iter().enumerate() {
        match soon(appending).await {
            Appended::Durable { first, last } if first == last => said[n % 2].push((first, n as u64)),
            other => panic!("{other:?}"),
        }
    }
    for (partition, said) in (0..).zip(said) {
        let stand: Vec<_> =
            contents(&*journal, partition).await[1..].iter().map(|entry| (entry.position, number(entry))).collect();
        assert_eq!(stand, said);
    }
}

/// Eight writers, all partitions, tails running beside them: each partition holds what was sent to it, in each writer's
/// order.
pub async fn eight_writers_over_all_partitions(subject: &impl Subject) {
    let journal = subject.open();
    let count = genesis().count;
    let each = 20u64;
    let readers: Vec<_> = (0..count)
        .map(|partition| {
            let mut tail = journal.tail(partition, Position(1));
            tokio::spawn(async move { take(&mut *tail, partition, 8 * each as usize).await })
        })
        .collect();
    let writers: Vec<_> = (0..8u64)
        .map(|writer| {
            let journal = Arc::clone(&journal);
            tokio::spawn(async move {
                for n in 0..each {
                    for partition in 0..count {
                        durable(&*journal, partition, vec![record(writer * 1000 + n, 30)]).await;
                    }
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.expect("a writer");
    }
    for reader in readers {
        let entries = reader.await.expect("a reader");
        for writer in 0..8 {
            let numbers: Vec<u64> =
                entries.iter().map(|entry| number(entry)).filter(|n| n / 1000 == writer).map(|n| n % 1000).collect();
            assert_eq!(numbers, (0..each).collect::<Vec<_>>());
        }
    }
}

/// A journal that behaves answers durable, and that is true.
pub async fn answers_are_true(subject: &impl Subject) {
    let journal = subject.open();
    let mut answers = Vec::new();
    for n in 0..100 {
        let records = (3 * n..3 * n + 3).map(|n| record(n, 10)).collect();
        answers.push((n, soon(journal.append(0, records)).await));
    }
    assert_eq!(check_answers(&answers, &contents(&*journal, 0).await), (100, 0, 0));
}

/// Closed and opened again it holds the same, and goes on behind it.
pub async fn reopened_it_is_the_same_and_goes_on(subject: &impl Subject) {
    let journal = subject.open();
    for n in 0..200 {
        durable(&*journal, (n % 7) as u16, vec![record(n, 64), record(n + 1000, 0)]).await;
    }
    let mut before = Vec::new();
    for partition in 0..8 {
        before.push(contents(&*journal, partition).await);
    }
    journal.close().await.expect("closed");
    drop(journal);
    let journal = subject.open();
    for (partition, before) in (0..).zip(before) {
        assert_eq!(Some(journal.end(partition)), before.last().map(|last| last.position.next()));
        assert_eq!(contents(&*journal, partition).await, before);
    }
    let end = journal.end(3).0;
    assert!(durable(&*journal, 3, vec![record(1, 1)]).await.0 >= end);
}

/// After closing: appends are refused, what was begun before is answered, tails give everything and then end.
pub async fn closed_it_takes_nothing_and_tails_end(subject: &impl Subject) {
    let journal = subject.open();
    let mut waiting = journal.tail(2, Position(1));
    let waiting = tokio::spawn(async move {
        let got = take(&mut *waiting, 2, 100).await;
        (got.len(), soon(waiting.next()).await)
    });
    let begun: Vec<_> = (0..100).map(|n| journal.append(2, vec![record(n, 10)])).collect();
    journal.close().await.expect("closed");
    for appending in begun {
        assert!(matches!(soon(appending).await, Appended::Durable { .. }));
    }
    assert_eq!(soon(journal.append(2, vec![record(0, 1)])).await, Appended::Refused(Refusal::Closed));
    assert_eq!(waiting.await.expect("a reader"), (100, Err(JournalError::Closed)));
    journal.close().await.expect("closing twice is closing once");
    assert_eq!(journal.failed(), None);
}
