//! The double passes the contract while it behaves, and does what its script says when it does not.

use std::sync::Arc;

use super::super::contract::{Subject, check_answers, contents, genesis, number, record, soon, suite, until};
use super::*;

struct InMemory(Unruly);

impl Subject for InMemory {
    fn open(&self) -> Arc<dyn Journal> {
        Arc::new(self.0.another_node())
    }
}

mod contract {
    use super::*;

    suite!(InMemory(Unruly::new(genesis())));
}

mod contract_with_gaps {
    use super::*;

    suite!(InMemory(Unruly::with_gaps(genesis())));
}

async fn append(journal: &Unruly, n: u64) -> Appended {
    soon(journal.append(0, (3 * n..3 * n + 3).map(|n| record(n, 10)).collect())).await
}

fn groups(journal: &Unruly) -> Vec<u64> {
    journal.contents(0)[1..].chunks(3).map(|group| number(&group[0]) / 3).collect()
}

#[tokio::test]
async fn each_deed_does_what_it_says() {
    let journal = Unruly::new(genesis());
    journal.script([
        Deed::durable_but_doubtful(),
        Deed::lost(),
        Deed::late(2),
        Deed::twice(),
        Deed::refused(Refusal::Overloaded),
        Deed::again_after(1),
        Deed::held(),
    ]);
    let mut doubtful = Vec::new();
    for n in 0..8 {
        doubtful.push(append(&journal, n).await == Appended::Doubtful);
    }
    assert_eq!(doubtful, [true, true, true, true, false, false, true, false]);
    // 2 lands after two appends that reached the log (3 and 5; 4 was refused), the second 5 after one more.
    assert_eq!(groups(&journal), [0, 3, 3, 5, 2, 5, 7]);
    assert_eq!((journal.land(), journal.land()), (1, 0));
    assert_eq!(groups(&journal), [0, 3, 3, 5, 2, 5, 7, 6]);
}

async fn misbehaved(journal: Unruly, seed: u64) -> (Vec<(u64, Appended)>, Vec<Arc<Entry>>) {
    journal.misbehave(seed, Odds { doubtful: 100, late: 200, twice: 100, lost: 100, overloaded: 50 });
    let mut answers = Vec::new();
    for n in 0..500 {
        answers.push((n, append(&journal, n).await));
    }
    journal.land();
    (answers, contents(&journal, 0).await)
}

#[tokio::test]
async fn even_misbehaving_its_three_answers_are_true_and_a_seed_repeats_itself() {
    for new in [Unruly::new, Unruly::with_gaps] {
        let (answers, entries) = misbehaved(new(genesis()), 11).await;
        let (durable, refused, doubtful) = check_answers(&answers, &entries);
        assert!(durable > 200 && refused > 5 && doubtful > 100, "{durable} {refused} {doubtful}");
        assert_eq!(misbehaved(new(genesis()), 11).await, (answers.clone(), entries));
        assert_ne!(misbehaved(new(genesis()), 12).await.0, answers);
    }
}

#[tokio::test]
async fn two_nodes_share_a_log_but_neither_script_nor_latch() {
    let first = Unruly::new(genesis());
    let second = first.another_node();
    first.script([Deed::lost()]);
    assert_eq!(append(&second, 1).await, Appended::Durable { first: Position(1), last: Position(3) });
    assert_eq!(append(&first, 2).await, Appended::Doubtful);
    first.fail("its disk is gone");
    let why = "its disk is gone".to_owned();
    assert_eq!(append(&first, 3).await, Appended::Refused(Refusal::Failed(why.clone())));
    assert_eq!((first.failed(), second.failed()), (Some(why.clone()), None));
    let mut tail = first.tail(0, Position(0));
    assert_eq!(until(&mut *tail, 0, 4).await.len(), 4);
    assert_eq!(soon(tail.next()).await, Err(JournalError::Failed(why)));
    append(&second, 4).await;
    assert_eq!(groups(&second), [1, 4]);
}

#[tokio::test]
async fn a_claim_is_overtaken_right_before_it_lands() {
    let journal = Unruly::new(genesis());
    journal.overtake(0, vec![record(90, 0)]);
    journal.overtake(1, vec![record(91, 0)]);
    journal.overtake(0, vec![record(92, 0)]);
    assert_eq!(append(&journal, 1).await, Appended::Durable { first: Position(3), last: Position(5) });
    let numbers: Vec<u64> = journal.contents(0)[1..].iter().map(|entry| number(entry)).collect();
    assert_eq!(numbers, [90, 92, 3, 4, 5]);
    assert_eq!(journal.contents(1).len(), 1);
}

#[tokio::test]
async fn a_slow_tail_shows_what_was_released() {
    let fast = Unruly::new(genesis());
    let slow = fast.another_node();
    slow.hold_tails();
    let mut tail = slow.tail(0, Position(1));
    append(&fast, 1).await;
    assert_eq!((slow.end(0), fast.end(0)), (Position(1), Position(4)));
    let waiting = tokio::spawn(async move {
        let page = soon(tail.next()).await.expect("a page");
        (page.len(), tail)
    });
    slow.release(0, 2);
    let (seen, mut tail) = waiting.await.expect("a reader");
    assert_eq!((seen, slow.end(0)), (2, Position(3)));
    slow.release_all();
    append(&fast, 2).await;
    assert_eq!(until(&mut *tail, 0, 7).await.len(), 4);
}

#[tokio::test]
async fn with_gaps_what_is_released_are_entries_all_the_same() {
    let fast = Unruly::with_gaps(genesis());
    let slow = fast.another_node();
    slow.hold_tails();
    append(&fast, 1).await;
    append(&fast, 2).await;
    assert_eq!((slow.end(0), fast.end(0)), (Position(1), Position(515)));
    slow.release(0, 4);
    assert_eq!(slow.end(0), Position(513));
    assert_eq!(until(&mut *slow.tail(0, Position(1)), 0, 513).await.len(), 4);
}
