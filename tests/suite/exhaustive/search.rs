//! Breadth first through all states, so that the first violation has the shortest trace.

use std::collections::{HashSet, VecDeque};

use super::action::Action;
use super::choice::{Limits, homeward, is_home};
use super::fold::{Fold, Violation};
use super::mutation::Mutation;
use super::symbol::Sym;
use super::world::World;

/// Longest way home: far more than any takes, so that a circle is seen as one.
const LONGEST_WAY: usize = 300;

/// What a search has seen.
#[derive(Debug)]
pub struct Seen {
    /// Different states.
    pub states: usize,
    /// Actions taken.
    pub actions: u64,
    /// Different prefixes of the log.
    pub prefixes: usize,
    /// Events applied once more.
    pub copies: u64,
    /// States, faults left out, from which the way home was gone.
    pub home: usize,
}

/// A rule was broken, and how it came to that.
#[derive(Debug)]
pub struct Found {
    /// The rule.
    pub violation: Violation,
    /// The way there.
    pub trace: Vec<String>,
}

/// A search under way.
pub struct Search {
    fold: Fold,
    limits: Limits,
    steps: Vec<(u32, Action)>,
    known: HashSet<[u8; 16]>,
    home: HashSet<[u8; 16]>,
    queue: VecDeque<(u32, World)>,
    actions: u64,
}

impl Search {
    /// From this state.
    pub fn new(fold: Fold, limits: Limits, start: World) -> Self {
        let known = HashSet::from([start.digest(true)]);
        Self {
            fold,
            limits,
            steps: vec![(0, Action::Resume)],
            known,
            home: HashSet::new(),
            queue: VecDeque::from([(0, start)]),
            actions: 0,
        }
    }

    /// All of it. Boxed, because a trace is large and rare.
    pub fn run(mut self) -> Result<Seen, Box<Found>> {
        while let Some((at, world)) = self.queue.pop_front() {
            if let Err((violation, more)) = self.look(&world) {
                return Err(self.found(at, &more, violation));
            }
            for action in self.limits.choices(&world, &self.fold) {
                self.actions += 1;
                match world.act(action, &mut self.fold) {
                    Ok(next) => self.enqueue(at, action, next),
                    Err(violation) => return Err(self.found(at, &[action], violation)),
                }
            }
        }
        Ok(Seen {
            states: self.known.len(),
            actions: self.actions,
            prefixes: self.fold.len(),
            copies: self.fold.copies,
            home: self.home.len(),
        })
    }

    fn enqueue(&mut self, from: u32, action: Action, next: World) {
        if self.known.insert(next.digest(true)) {
            let at = u32::try_from(self.steps.len()).expect("fewer than 2^32 states");
            self.steps.push((from, action));
            self.queue.push_back((at, next));
        }
    }

    /// The rules of a state itself.
    fn look(&mut self, world: &World) -> Result<(), (Violation, Vec<Action>)> {
        if !matches!(self.fold.mutation, Mutation::None | Mutation::AbsentIsOver) {
            return Ok(());
        }
        one_owner(world, &self.fold).map_err(|violation| (violation, Vec::new()))?;
        self.way_home(world)
    }

    /// From here, without any further fault, somebody owns the partition and every message is settled or visibly
    /// unknown.
    fn way_home(&mut self, world: &World) -> Result<(), (Violation, Vec<Action>)> {
        let mut way = Vec::new();
        let mut passed = Vec::new();
        let mut at = world.clone();
        loop {
            let here = at.digest(false);
            let arrived = self.home.contains(&here) || is_home(&at, &self.fold);
            passed.push(here);
            if arrived {
                self.home.extend(passed);
                return Ok(());
            }
            let next = homeward(&at, &self.fold).filter(|_| way.len() < LONGEST_WAY);
            let Some(action) = next else {
                let what = format!("stuck in {at:?}");
                return Err((Violation::new("there is a way home", what), way));
            };
            way.push(action);
            at = match at.act(action, &mut self.fold) {
                Ok(next) => next,
                Err(violation) => return Err((violation, way)),
            };
        }
    }

    fn found(&self, at: u32, more: &[Action], violation: Violation) -> Box<Found> {
        let mut actions = more.to_vec();
        let mut at = at;
        while at > 0 {
            let (before, action) = self.steps[at as usize];
            actions.insert(0, action);
            at = before;
        }
        let trace = actions.iter().map(|action| self.say(*action)).collect();
        Box::new(Found { violation, trace })
    }

    fn say(&self, action: Action) -> String {
        match action {
            Action::Land(number) | Action::Double(number) | Action::Lose(number) | Action::Unsent(number) => {
                let word = format!("{action:?}");
                let word = word.split('(').next().unwrap_or_default();
                format!("{word} {}", self.spell(number))
            }
            other => format!("{other:?}"),
        }
    }

    fn spell(&self, number: u16) -> String {
        match self.fold.alphabet.name(number) {
            Sym::Intent { life, nth, batch } => {
                format!("Intent {batch:?} no. {nth} of {}", self.spell(life))
            }
            Sym::Started { claim, nth } => format!("Started no. {nth} under {}", self.spell(claim)),
            Sym::Claimed { process, nth, .. } => format!("Claimed no. {nth} by process {process}"),
            Sym::Closed { of, how, claim } => {
                format!("Closed {of:?} {how:?} under {}", self.spell(claim))
            }
            other => format!("{other:?}"),
        }
    }
}

/// Whoever believes to hold the partition is right about the prefix it has read; so no two do at the same one.
fn one_owner(world: &World, fold: &Fold) -> Result<(), Violation> {
    for node in &world.nodes {
        let Some(memory) = &node.memory else { continue };
        let claim = fold.prefix(memory.at).view.claim;
        if memory.holding.is_some() && memory.holding != claim {
            let what = format!("believes {:?}, the rows say {claim:?}", memory.holding);
            return Err(Violation::new("one owner at each prefix", what));
        }
    }
    Ok(())
}
