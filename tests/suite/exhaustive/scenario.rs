//! The scenarios and the mutants.

mod lives;

use waybill::domain::event::Status;

use super::action::{Action, Answer};
use super::choice::Limits;
use super::fold::Fold;
use super::mutation::Mutation;
use super::search::{Found, Search, Seen};
use super::symbol::Sym;
use super::world::{FAULTS, Fault, World};

/// What stands in the log and what is on its way when a scenario begins.
struct Stage {
    log: Vec<Sym>,
    flying: Vec<Sym>,
    hold: bool,
    /// All messages are one, in several mailboxes.
    one: bool,
    apart: bool,
    /// The first node holds the partition and its actor lives.
    owned: bool,
}

impl Stage {
    fn with(messages: u8) -> Self {
        let accepted = (0..messages).map(|message| Sym::Accepted { message, nonce: 0 });
        let log = [Sym::Genesis, Sym::Declared].into_iter().chain(accepted);
        Self { log: log.collect(), flying: Vec::new(), hold: false, one: false, apart: false, owned: true }
    }

    fn search(self, mutation: Mutation, limits: Limits) -> Search {
        let mut fold = Fold::new(mutation, self.apart);
        fold.alphabet.hold = self.hold;
        fold.alphabet.one = self.one;
        let mut end = 0;
        for sym in self.log {
            let number = fold.alphabet.number(sym);
            end = fold.step(end, number).expect("the beginning is sound").to;
        }
        let mut world = World::new(end);
        if self.owned {
            world = owned(world, &mut fold);
        }
        for sym in self.flying {
            world.fly(fold.alphabet.number(sym));
        }
        Search::new(fold, limits, world)
    }
}

fn owned(world: World, fold: &mut Fold) -> World {
    let mut world = world;
    for begin in [Action::Claim(0), Action::Start(0)] {
        world = world.act(begin, fold).expect("sound");
        let number = world.flying[0];
        for action in [Action::Land(number), Action::Read(0)] {
            world = world.act(action, fold).expect("sound");
        }
    }
    world
}

/// How far to go: a debug build looks at less, a long run at more.
fn depth(debug: u8, usual: u8, long: u8) -> u8 {
    match std::env::var_os("WAYBILL_LONG") {
        Some(_) => long,
        None if cfg!(debug_assertions) => debug,
        None => usual,
    }
}

fn refused(name: &str, found: &Found) -> String {
    let (violation, way) = (&found.violation, found.trace.join("\n  "));
    format!("{name}: {}: {}\n  {way}", violation.rule, violation.what)
}

/// Every rule holds in every state, and there are at least so many of them in the smallest size.
fn holds(name: &str, stage: Stage, limits: Limits, floor: usize) {
    let total = limits.total;
    let seen = match stage.search(Mutation::None, limits).run() {
        Ok(seen) => seen,
        Err(found) => panic!("{}", refused(name, &found)),
    };
    let Seen { states, actions, prefixes, copies, home } = seen;
    println!(
        "{name}, faults at most {total}: {states} states, {actions} actions, {prefixes} logs, \
         {copies} copies of events, {home} ways home"
    );
    assert!(states >= floor, "{name}: {states} states, at least {floor} expected: what became unreachable?");
}

const QUIET: Limits =
    Limits { claims: [1, 1], lag: usize::MAX, attempts: 2, total: 0, faults: [0; FAULTS], answers: &[], reports: &[] };

/// All but a partition that begins anew in its process, which needs a claim more and has a scenario of its own.
const ALL_FAULTS: [(Fault, u8); FAULTS - 1] = [
    (Fault::Crash, 1),
    (Fault::ActorCrash, 1),
    (Fault::Gap, 1),
    (Fault::Double, 1),
    (Fault::Lose, 1),
    (Fault::Late, 1),
    (Fault::Freeze, 1),
    (Fault::Answer, 1),
    (Fault::Callback, 1),
    (Fault::Behind, 1),
];

const ALL_ANSWERS: &[Answer] = &[Answer::SentUnheard, Answer::Lost, Answer::Retry, Answer::Refused, Answer::Barred];

fn all(total: u8) -> Limits {
    Limits {
        total,
        faults: Limits::faults(&ALL_FAULTS),
        answers: ALL_ANSWERS,
        reports: &[Status::Sent, Status::Delivered, Status::Failed],
        ..QUIET
    }
}

/// One message, two owners, and every pair of faults.
#[test]
fn one_message() {
    holds("one message", Stage::with(1), all(depth(1, 2, 2)), 45_000);
}

/// One message, while it is called off and the session is stopped and let go.
#[test]
fn one_message_called_off_and_stopped() {
    let mut stage = Stage::with(1);
    stage.flying = vec![Sym::Cancelled { message: 0 }, Sym::Suspended, Sym::Resumed { nth: 0 }];
    let limits = Limits { lag: 2, ..all(depth(0, 1, 1)) };
    holds("one message, called off and stopped", stage, limits, 10_000);
}

/// Two acceptances of one message under one idempotency key, the first doubtful and withdrawn.
#[test]
fn a_doubtful_acceptance() {
    let mut stage = Stage::with(0);
    stage.flying = vec![
        Sym::Accepted { message: 0, nonce: 0 },
        Sym::Withdrawn { message: 0, nonce: 0 },
        Sym::Accepted { message: 0, nonce: 1 },
    ];
    let limits = Limits { lag: 2, ..all(depth(0, 1, 1)) };
    holds("a doubtful acceptance", stage, limits, 100);
}

/// One message that fails or runs out of time and is queued again, while earlier words of it land late and twice.
#[test]
fn one_message_queued_again() {
    let limits = Limits {
        claims: [2, 0],
        lag: 2,
        attempts: 3,
        total: depth(2, 2, 3),
        faults: Limits::faults(&[
            (Fault::ActorCrash, 1),
            (Fault::Double, 1),
            (Fault::Late, 1),
            (Fault::Answer, 1),
            (Fault::Callback, 1),
        ]),
        answers: ALL_ANSWERS,
        reports: &[Status::Sent, Status::Delivered, Status::Failed],
    };
    let mut stage = Stage::with(1);
    stage.flying = vec![Sym::Expired { message: 0, round: 0 }, Sym::Requeued { message: 0, round: 1 }];
    if depth(0, 1, 1) == 1 {
        stage.flying.extend([Sym::Cancelled { message: 0 }, Sym::Requeued { message: 0, round: 2 }]);
    }
    holds("one message, queued again", stage, limits, 50_000);
}

/// One message while its gate is closed, opened and closed again, with words on it in any order.
#[test]
fn one_message_behind_a_gate() {
    let mut stage = Stage::with(1);
    stage.flying = vec![Sym::Gate { nth: 1, closed: true }, Sym::Gate { nth: 2, closed: false }];
    if depth(0, 1, 1) == 1 {
        stage.flying.push(Sym::Gate { nth: 3, closed: true });
    }
    let limits = Limits { lag: 2, ..all(depth(0, 1, 1)) };
    holds("one message behind a gate", stage, limits, 1_000);
}

/// A message that is accepted while the gate is closed, perhaps.
#[test]
fn a_message_accepted_behind_a_gate() {
    let mut stage = Stage::with(0);
    let accepted = Sym::Accepted { message: 0, nonce: 0 };
    stage.flying = vec![Sym::Gate { nth: 1, closed: true }, accepted, Sym::Gate { nth: 2, closed: false }];
    let limits = Limits { lag: 2, ..all(depth(0, 1, 1)) };
    holds("a message accepted behind a gate", stage, limits, 1_000);
}

/// One message that is moved to another mailbox, asked for twice, while its attempts are made and their outcomes land late.
#[test]
fn one_message_moved() {
    let mut stage = Stage::with(1);
    stage.one = true;
    stage.flying = vec![Sym::MovedOut { message: 0, nth: 1 }];
    if depth(0, 1, 1) == 1 {
        stage.flying.push(Sym::MovedOut { message: 0, nth: 2 });
    }
    let limits = Limits {
        lag: 2,
        total: depth(1, 1, 2),
        faults: Limits::faults(&ALL_FAULTS),
        answers: ALL_ANSWERS,
        reports: &[Status::Sent, Status::Delivered],
        ..QUIET
    };
    holds("one message, moved", stage, limits, 1_000);
}

/// One message in the mailbox it moved to, and asked back from there.
fn asked_back() -> Stage {
    let mut stage = Stage::with(1);
    stage.one = true;
    stage.log.extend([Sym::MovedOut { message: 0, nth: 1 }, Sym::MovedIn { message: 0 }]);
    stage.flying = vec![Sym::MovedHome { message: 1, nth: 1 }];
    stage
}

/// The same while its attempts are made there, rows are behind, and owners die.
#[test]
fn one_message_moved_there_and_back() {
    let limits = Limits {
        lag: 2,
        attempts: depth(1, 2, 2),
        total: depth(1, 1, 2),
        faults: Limits::faults(&ALL_FAULTS),
        answers: ALL_ANSWERS,
        reports: &[Status::Sent, Status::Delivered],
        ..QUIET
    };
    holds("one message, moved there and back", asked_back(), limits, 40_000);
}

/// Three messages whose unknown attempts are held, while one owner takes over from the other.
#[test]
fn three_messages_of_two_owners() {
    let limits = Limits {
        lag: 1,
        attempts: 1,
        total: depth(0, 0, 1),
        faults: Limits::faults(&[(Fault::Crash, 1), (Fault::Double, 1), (Fault::Gap, 1)]),
        ..QUIET
    };
    let mut stage = Stage::with(3);
    stage.hold = true;
    stage.flying = vec![Sym::Cancelled { message: 0 }];
    if depth(0, 1, 1) == 1 {
        stage.flying.extend([Sym::Suspended, Sym::Resumed { nth: 0 }]);
    }
    holds("three messages, two owners", stage, limits, 10_000);
}

/// Two messages that are sent again, one called off, while one owner takes over from the other.
#[test]
fn two_messages_of_two_owners() {
    let limits = Limits {
        lag: 1,
        total: depth(0, 1, 1),
        faults: Limits::faults(&[
            (Fault::Crash, 1),
            (Fault::ActorCrash, 1),
            (Fault::Answer, 1),
            (Fault::Double, 1),
            (Fault::Gap, 1),
        ]),
        answers: &[Answer::Retry, Answer::Lost],
        ..QUIET
    };
    let mut stage = Stage::with(2);
    stage.flying = vec![Sym::Cancelled { message: 0 }];
    holds("two messages, two owners", stage, limits, 10_000);
}

/// Claims alone, twice: with logs of one meaning taken together, and with every log apart.
#[test]
fn claims_race() {
    let limits = Limits {
        claims: [2, 2],
        attempts: 0,
        total: depth(4, 4, 5),
        faults: Limits::faults(&[(Fault::Double, 1), (Fault::Lose, 1), (Fault::Crash, 2)]),
        ..QUIET
    };
    for apart in [false, true] {
        let mut stage = Stage::with(0);
        stage.apart = apart;
        stage.owned = false;
        let name = if apart { "claims, every log apart" } else { "claims" };
        holds(name, stage, limits.clone(), 20_000);
    }
}

/// Runs a mutant until a rule breaks.
fn found(mutation: Mutation, faults: &[(Fault, u8)]) -> Box<Found> {
    found_while(mutation, faults, &[])
}

/// The same while these events are on their way.
fn found_while(mutation: Mutation, faults: &[(Fault, u8)], flying: &[Sym]) -> Box<Found> {
    let one = flying.iter().any(|sym| matches!(sym, Sym::MovedOut { .. }));
    let stage = || Stage { flying: flying.to_vec(), one, ..Stage::with(1) };
    let limits = Limits { total: 1, faults: Limits::faults(faults), ..QUIET };
    let name = format!("{mutation:?}");
    let found = match stage().search(mutation, limits.clone()).run() {
        Err(found) => found,
        Ok(seen) => panic!("{name} lives: nothing is wrong in {} states", seen.states),
    };
    println!("{} steps. {}", found.trace.len(), refused(&name, &found));
    let sound = stage().search(Mutation::None, limits).run();
    sound.unwrap_or_else(|found| panic!("{}", refused("without the mutant", &found)));
    found
}

#[test]
fn a_mutant_without_claims_is_found() {
    let found = found(Mutation::NoClaimCheck, &[]);
    assert_eq!(found.violation.rule, "given up is not written");
}

#[test]
fn a_mutant_without_incarnations_is_found() {
    let found = found(Mutation::NoIncarnation, &[(Fault::ActorCrash, 1)]);
    assert_eq!(found.violation.rule, "an attempt is written once");
}

#[test]
fn a_mutant_that_tells_copies_by_position_is_found() {
    let found = found(Mutation::PositionOnlyDedup, &[(Fault::Double, 1)]);
    assert_eq!(found.violation.rule, "an attempt is written once");
}

#[test]
fn a_mutant_that_ignores_old_outcomes_is_found() {
    let found = found(Mutation::OldOutcomesIgnored, &[]);
    assert_eq!(found.violation.rule, "what stops a send stops it");
}

#[test]
fn a_mutant_that_ignores_gates_is_found() {
    let found = found_while(Mutation::GateIgnored, &[], &[Sym::Gate { nth: 1, closed: true }]);
    assert_eq!(found.violation.rule, "what stops a send stops it");
}

#[test]
fn a_mutant_that_does_not_wait_is_found() {
    let found = found(Mutation::NoDeadline, &[]);
    assert_eq!(found.violation.rule, "given up is not written");
}

#[test]
fn a_mutant_that_moves_what_is_under_way_is_found() {
    let found = found_while(Mutation::MovesUnderWay, &[], &[Sym::MovedOut { message: 0, nth: 1 }]);
    assert_eq!(found.violation.rule, "sent twice is listed");
}

#[test]
fn a_mutant_that_takes_what_it_does_not_see_for_over_is_found() {
    let limits = Limits { total: 1, faults: Limits::faults(&[(Fault::Behind, 1)]), ..QUIET };
    let Err(found) = asked_back().search(Mutation::AbsentIsOver, limits).run() else {
        panic!("it lives");
    };
    assert_eq!(found.violation.rule, "there is a way home");
}
