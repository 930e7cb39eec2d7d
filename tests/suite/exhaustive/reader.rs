//! What a node does when it reads: it follows claims and lives, and takes up its own intents that are valid.
//!
//! This is the thin shell around the pure core, made small: it acts on an intent only if it read it back under its own
//! claim and from its own living actor, and if the real functions judged it valid.

use super::fold::{Fold, PrefixId, Violation};
use super::mutation::Mutation;
use super::symbol::{MESSAGES, Of, Sym, SymId};
use super::world::{Actor, Age, Stage, Task, World};

impl World {
    /// A node reads the next event of the log and acts on it.
    pub fn read(&mut self, node: usize, fold: &mut Fold) -> Result<(), Violation> {
        let process = self.process(node);
        let memory = self.memory(node);
        let number = self.tail[memory.read];
        let before = memory.at;
        let step = fold.step(before, number)?;
        let memory = self.memory_mut(node);
        memory.at = step.to;
        memory.read += 1;
        let own = fold.alphabet.process(number) == Some(process);
        match fold.alphabet.name(number) {
            Sym::Claimed { .. } if step.claimed && own => self.take_over(node, number),
            Sym::Claimed { .. } if step.claimed && fold.mutation != Mutation::NoClaimCheck => {
                memory.holding = None;
                memory.lose_actor();
            }
            Sym::Started { .. } if step.started => self.live(node, number, fold),
            Sym::Intent { life, batch, .. } if own => {
                self.read_back(node, number, life, batch, step.valid, before, fold);
            }
            name @ Sym::Closed { .. } => {
                memory.tasks.retain(|task| task.outcome() != Some(name));
            }
            _ => {}
        }
        Ok(())
    }

    fn take_over(&mut self, node: usize, claim: SymId) {
        let memory = self.memory_mut(node);
        memory.holding = Some(claim);
        memory.waited = false;
        memory.lose_actor();
        if let Some(other) = &mut self.nodes[1 - node].memory {
            other.mark(|age| age.earlier = true);
        }
    }

    /// A life began: the own one, or one that fences it.
    fn live(&mut self, node: usize, life: SymId, fold: &Fold) {
        let memory = self.memory_mut(node);
        if memory.actor != Actor::Starting(life) {
            return memory.lose_actor();
        }
        memory.actor = Actor::Alive(life);
        if fold.mutation == Mutation::NoIncarnation {
            self.adopt(node, fold);
        }
    }

    /// The mutant's reborn actor takes the open attempts of its claim for its own.
    fn adopt(&mut self, node: usize, fold: &Fold) {
        let memory = self.memory_mut(node);
        let views = fold.prefix(memory.at).view.messages;
        for (message, view) in (0u8..).zip(views) {
            let Some((attempt, claim, _, true)) = view.and_then(|view| view.last) else {
                continue;
            };
            if memory.holding == Some(claim) {
                memory.tasks.push(Task {
                    of: Of { message, attempt },
                    claim,
                    stage: Stage::ReadBack,
                    age: Age::default(),
                    forbidden: None,
                });
            }
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one place, and all of it from one event")]
    fn read_back(
        &mut self,
        node: usize,
        number: SymId,
        life: SymId,
        batch: [u8; MESSAGES],
        valid: u8,
        before: PrefixId,
        fold: &Fold,
    ) {
        let claim = fold.alphabet.claim_of(life);
        let reading = &fold.prefix(before).reading;
        let memory = self.memory_mut(node);
        let living = match memory.actor {
            Actor::Alive(own) => own == life || fold.mutation == Mutation::NoIncarnation,
            _ => false,
        };
        let known = memory.proposals.iter().find(|proposal| proposal.number == number);
        let age = known.map_or(Age::default(), |proposal| proposal.age);
        memory.proposals.retain(|proposal| proposal.number != number);
        if !living || memory.holding != Some(claim) {
            return;
        }
        for (message, attempt) in (0u8..).zip(batch) {
            if valid & (1 << message) != 0 {
                let forbidden = reading.forbids(message);
                memory.tasks.push(Task { of: Of { message, attempt }, claim, stage: Stage::ReadBack, age, forbidden });
            }
        }
    }
}
