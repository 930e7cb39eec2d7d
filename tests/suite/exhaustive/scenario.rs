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

const QUIET: Limits = Limits { claims: 1, attempts: 2, faults: [0; super::world::FAULTS], answers: &[], reports: &[] };

#[test]
fn one_message_small() {
    let limits = Limits { faults: Limits::faults(&[(Fault::Crash, 1)]), ..QUIET };
    holds("one message", Stage::with(1), limits, 1_000);
}
