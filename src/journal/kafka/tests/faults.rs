//! Brokers that die, stand still and come back, under appends.

use std::sync::Arc;
use std::time::Duration;

use super::super::super::contract::{check_answers, contents, genesis, record, soon};
use super::super::super::{Appended, Journal};
use super::*;

/// The broker of these tests, and what may be done to it. One test at a time has it.
struct Broker {
    printed: Printed,
    _alone: tokio::sync::MutexGuard<'static, ()>,
}

impl Broker {
    async fn take() -> Self {
        static ALONE: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());
        let alone = ALONE.lock().await;
        let printed = tokio::task::spawn_blocking(|| {
            // Without what an earlier run left behind: a broker that was killed reads all of it before it takes anything.
            static FRESH: OnceLock<String> = OnceLock::new();
            FRESH.get_or_init(|| script("faults", &["up", "--fresh", "kafka"]));
            up("faults", "kafka")
        });
        let printed = printed.await.expect("a broker");
        Self { printed, _alone: alone }
    }

    async fn does(&self, action: &'static str) {
        let done = tokio::task::spawn_blocking(move || script("faults", &["node", "kafka", "1", action])).await;
        done.expect("a broker that can be tormented");
    }

    async fn journal(&self, change: impl FnOnce(&mut KafkaOptions)) -> (KafkaOptions, Arc<KafkaJournal>) {
        let mut options = options(&self.printed, fresh("faults"));
        change(&mut options);
        init(&options, few()).await.expect("a new topic");
        let journal = Arc::new(open(&options).await);
        (options, journal)
    }
}

/// A killed broker goes through each partition before it takes anything again: a few are enough here.
fn few() -> Genesis {
    Genesis { count: 4, ..genesis() }
}

/// Appends of three records each, one after the other, until told to stop.
fn appending(
    journal: &Arc<KafkaJournal>,
    from: u64,
    stop: &Arc<std::sync::atomic::AtomicBool>,
) -> tokio::task::JoinHandle<Vec<(u64, Appended)>> {
    let (journal, stop) = (Arc::clone(journal), Arc::clone(stop));
    tokio::spawn(async move {
        let mut answers = Vec::new();
        for n in from.. {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let records = (3 * n..3 * n + 3).map(|n| record(n, 100)).collect();
            answers.push((n, soon(journal.append(1, records)).await));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        answers
    })
}

/// How often each append stands there.
fn copies(answers: &[(u64, Appended)], entries: &[Arc<super::super::super::Entry>]) {
    for (n, answer) in answers {
        let id = record(3 * n, 100).header.id;
        let stand = entries.iter().filter(|entry| entry.record.header.id == id).count();
        match answer {
            Appended::Durable { .. } => assert_eq!(stand, 1, "append {n} was durable"),
            Appended::Refused(_) => assert_eq!(stand, 0, "append {n} was refused"),
            Appended::Doubtful => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn a_broker_killed_under_appends_loses_and_doubles_nothing_that_was_durable() {
    let broker = Broker::take().await;
    let (options, journal) = broker.journal(|options| options.delivery = Duration::from_secs(50)).await;
    let mut tail = journal.tail(1, Position(1));
    let stop = Arc::default();
    let tasks: Vec<_> = (0..4).map(|task| appending(&journal, task * 1_000_000, &stop)).collect();
    for _ in 0..2 {
        tokio::time::sleep(Duration::from_millis(500)).await;
        broker.does("kill").await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        broker.does("start").await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    stop.store(true, Ordering::Relaxed);
    let mut answers = Vec::new();
    for task in tasks {
        answers.extend(task.await.expect("a writer"));
    }
    let entries = contents(&*journal, 1).await;
    let (durable, refused, doubtful) = check_answers(&answers, &entries);
    copies(&answers, &entries);
    assert!(durable > 100, "{durable} {refused} {doubtful}");
    assert_eq!((refused, journal.failed()), (0, None));
    println!("killed twice: durable {durable}, doubtful {doubtful}");
    let live = super::super::super::contract::until(&mut *tail, 1, journal.end(1).0).await;
    assert_eq!(live, entries[1..], "a tail that was open all the time has seen the same");
    journal.close().await.expect("closed");
    assert_eq!(contents(&open(&options).await, 1).await, entries);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn a_broker_that_stands_still_beyond_the_delivery_time_leaves_appends_doubtful_and_then_goes_on() {
    let broker = Broker::take().await;
    let (_, journal) = broker.journal(|options| options.delivery = Duration::from_secs(2)).await;
    let begun = record(1, 10);
    assert!(matches!(soon(journal.append(1, vec![begun])).await, Appended::Durable { .. }));
    let stop = Arc::default();
    let task = appending(&journal, 100, &stop);
    tokio::time::sleep(Duration::from_millis(300)).await;
    broker.does("pause").await;
    let paused = SystemClock.steady();
    let late = soon(journal.append(2, vec![record(9, 10)])).await;
    let waited = SystemClock.steady().saturating_sub(paused);
    assert_eq!(late, Appended::Doubtful);
    assert!(waited < Duration::from_secs(10), "{waited:?}");
    tokio::time::sleep(Duration::from_secs(3)).await;
    broker.does("resume").await;
    let resumed = SystemClock.steady();
    while !matches!(soon(journal.append(2, vec![record(9, 10)])).await, Appended::Durable { .. }) {
        // A broker that stood still has to find its way back into its own cluster first.
        let waited = SystemClock.steady().saturating_sub(resumed);
        assert!(waited < Duration::from_secs(60) && journal.failed().is_none(), "{waited:?} {:?}", journal.failed());
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    stop.store(true, Ordering::Relaxed);
    let answers = task.await.expect("a writer");
    let entries = contents(&*journal, 1).await;
    let mine: Vec<_> = entries.iter().filter(|entry| entry.position.0 != 256).cloned().collect();
    let (durable, refused, doubtful) = check_answers(&answers, &mine);
    copies(&answers, &entries);
    assert!(durable > 10 && doubtful > 0, "{durable} {refused} {doubtful}");
    assert!(matches!(answers.last(), Some((_, Appended::Durable { .. }))), "{:?}", answers.last());
    assert_eq!((refused, journal.failed()), (0, None));
    journal.close().await.expect("closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn closing_ends_in_time_with_the_broker_gone() {
    let broker = Broker::take().await;
    let (_, journal) = broker.journal(|options| options.delivery = Duration::from_secs(2)).await;
    let mut tail = journal.tail(0, Position(0));
    assert!(!soon(tail.next()).await.expect("the genesis").is_empty());
    broker.does("kill").await;
    let appending = journal.append(0, vec![record(1, 10)]);
    let begun = SystemClock.steady();
    journal.close().await.expect("closed");
    assert_eq!(soon(appending).await, Appended::Doubtful);
    assert_eq!(soon(tail.next()).await, Err(JournalError::Closed));
    drop(tail);
    drop(journal);
    let waited = SystemClock.steady().saturating_sub(begun);
    assert!(waited < Duration::from_secs(15), "{waited:?}");
    broker.does("start").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs a Kafka: tests/run cluster"]
async fn with_its_queue_full_it_refuses_and_what_it_took_is_answered() {
    let broker = Broker::take().await;
    let (_, journal) = broker.journal(|options| options.queue_records = 300).await;
    broker.does("pause").await;
    let begun: Vec<_> = (0..400).map(|n| journal.append(3, vec![record(n, 10)])).collect();
    assert_eq!(journal.depth().0, 300);
    broker.does("resume").await;
    let mut answers = [0; 2];
    for appending in begun {
        match soon(appending).await {
            Appended::Durable { .. } => answers[0] += 1,
            Appended::Refused(super::super::super::Refusal::Overloaded) => answers[1] += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((answers, journal.depth()), ([300, 100], (0, 0)));
    assert_eq!(contents(&*journal, 3).await.len(), 301);
}
