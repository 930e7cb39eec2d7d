//! The scenarios and the mutants.

use waybill::domain::event::Status;

use super::action::Answer;
use super::choice::Limits;
use super::fold::Fold;
use super::mutation::Mutation;
use super::search::{Search, Seen};
use super::symbol::Sym;
use super::world::{Fault, World};

/// What stands in the log and what is on its way when a scenario begins.
struct Stage {
    log: Vec<Sym>,
    flying: Vec<Sym>,
    hold: bool,
    apart: bool,
}

impl Stage {
    fn with(messages: u8) -> Self {
        let accepted = (0..messages).map(|message| Sym::Accepted { message, nonce: 0 });
        let log = [Sym::Genesis, Sym::Declared].into_iter().chain(accepted);
        Self { log: log.collect(), flying: Vec::new(), hold: false, apart: false }
    }

    fn search(self, mutation: Mutation, limits: Limits) -> Search {
        let mut fold = Fold::new(mutation, self.apart);
        fold.alphabet.hold = self.hold;
        let mut end = 0;
        for sym in self.log {
            let number = fold.alphabet.number(sym);
            end = fold.step(end, number).expect("the beginning is sound").to;
        }
        let mut world = World::new(end);
        for sym in self.flying {
            world.fly(fold.alphabet.number(sym));
        }
        Search::new(fold, limits, world)
    }
}

fn holds(name: &str, stage: Stage, limits: Limits, floor: usize) {
    let seen = match stage.search(Mutation::None, limits).run() {
        Ok(seen) => seen,
        Err(found) => {
            panic!("{name}: {}: {}\n  {}", found.violation.rule, found.violation.what, found.trace.join("\n  "))
        }
    };
    let Seen { states, actions, prefixes, copies, beyond } = seen;
    println!(
        "{name}: {states} states, {actions} actions, {prefixes} logs, {copies} copies, {beyond} states on ways home"
    );
    assert!(states >= floor, "{name}: {states} states, at least {floor}: what became unreachable?");
}

const QUIET: Limits =
    Limits { claims: 1, attempts: 2, total: 0, faults: [0; super::world::FAULTS], answers: &[], reports: &[] };

/// One message, two nodes, every fault once, so many in all.
fn one_message(total: u8) -> Limits {
    Limits {
        claims: 1,
        attempts: 2,
        total,
        faults: Limits::faults(&[
            (Fault::Crash, 1),
            (Fault::ActorCrash, 1),
            (Fault::Gap, 1),
            (Fault::Double, 1),
            (Fault::Lose, 1),
            (Fault::Late, 1),
            (Fault::Freeze, 1),
            (Fault::Answer, 1),
            (Fault::Callback, 1),
        ]),
        answers: &[Answer::SentUnheard, Answer::Lost, Answer::Retry, Answer::Refused, Answer::Barred],
        reports: &[Status::Sent, Status::Delivered, Status::Failed],
    }
}

#[test]
fn one_message_all_faults() {
    holds("one message", Stage::with(1), one_message(faults_in_all()), 20_000);
}

#[test]
fn three_messages_called_off_and_stopped() {
    let limits = Limits {
        total: faults_in_all(),
        faults: Limits::faults(&[(Fault::ActorCrash, 1), (Fault::Answer, 1), (Fault::Double, 1)]),
        answers: &[Answer::Retry, Answer::Lost],
        ..QUIET
    };
    let mut stage = Stage::with(3);
    stage.flying = vec![
        Sym::Cancelled { message: 0 },
        Sym::Suspended,
        Sym::Resumed { nth: 0 },
        Sym::Withdrawn { message: 1, nonce: 0 },
    ];
    holds("three messages", stage, limits, 1_000);
}

#[test]
fn claims_race() {
    let limits = Limits {
        claims: 2,
        total: faults_in_all(),
        faults: Limits::faults(&[(Fault::Double, 1), (Fault::Lose, 1), (Fault::Crash, 2)]),
        attempts: 0,
        ..QUIET
    };
    for apart in [false, true] {
        let mut stage = Stage::with(0);
        stage.apart = apart;
        holds("claims", stage, limits.clone(), 1_000);
    }
}

/// Faults on one path, over all kinds: each further one multiplies the states by about ten.
fn faults_in_all() -> u8 {
    if std::env::var_os("WAYBILL_LONG").is_some() { 2 } else { 1 }
}

/// A mutant must be found; how, is printed.
fn found(mutation: Mutation) {
    let Err(found) = Stage::with(1).search(mutation, one_message(2)).run() else {
        panic!("{mutation:?} was not found");
    };
    println!("{mutation:?} found after {} actions: {}", found.trace.len(), found.violation.rule);
}

#[test]
fn a_house_without_claims_is_found() {
    found(Mutation::NoClaimCheck);
}

#[test]
fn a_house_without_incarnations_is_found() {
    found(Mutation::NoIncarnation);
}

#[test]
fn deduplication_by_position_only_is_found() {
    found(Mutation::PositionOnlyDedup);
}

#[test]
fn outcomes_of_old_claims_ignored_are_found() {
    found(Mutation::OldOutcomesIgnored);
}

#[test]
fn a_new_owner_that_does_not_wait_is_found() {
    found(Mutation::NoDeadline);
}
