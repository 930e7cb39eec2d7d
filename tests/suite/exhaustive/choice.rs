//! Which actions are open in a state: with faults, as far as their budgets go; and without any, for the way home.

use waybill::domain::event::Status;
use waybill::domain::message::State;

use super::action::{Action, Answer};
use super::fold::Fold;
use super::moved::{Known, is_owed};
use super::symbol::{MESSAGES, Of, Sym};
use super::world::{Actor, FAULTS, Fault, REPORTED, Stage, TAKEN, World};

/// What a scenario allows.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Claims of each node.
    pub claims: [u8; 2],
    /// Events that a node may lag behind.
    pub lag: usize,
    /// Attempts of each message.
    pub attempts: u8,
    /// Faults in all.
    pub total: u8,
    /// How often each fault may happen.
    pub faults: [u8; FAULTS],
    /// Answers beside *sent*.
    pub answers: &'static [Answer],
    /// What the provider may report.
    pub reports: &'static [Status],
}

impl Limits {
    fn allows(&self, world: &World, action: Action) -> bool {
        let all: u8 = world.spent.iter().sum();
        action.fault().is_none_or(|fault| {
            let spent = world.spent[fault as usize];
            all < self.total && spent < self.faults[fault as usize]
        })
    }

    /// Everything that may happen next.
    pub fn choices(&self, world: &World, fold: &Fold) -> Vec<Action> {
        let mut open = Vec::new();
        let mut flying = world.flying.clone();
        flying.dedup();
        for number in flying {
            open.extend([Action::Land(number), Action::Double(number), Action::Lose(number)]);
            if written_by_the_dead(world, number, fold) {
                open.push(Action::Unsent(number));
            }
        }
        for node in 0..2 {
            match &world.nodes[node].memory {
                None => open.push(Action::Restart(node)),
                Some(_) => {
                    self.owner(world, node, fold, &mut open);
                    self.tasks(world, node, fold, &mut open);
                }
            }
        }
        self.reports(world, &mut open);
        let full = world.tail.len() >= self.lag;
        let lands = |action: &Action| matches!(action, Action::Land(_) | Action::Double(_));
        open.retain(|action| self.allows(world, *action) && !(full && lands(action)));
        open
    }

    fn owner(&self, world: &World, node: usize, fold: &Fold, open: &mut Vec<Action>) {
        let memory = world.memory(node);
        if memory.read < world.tail.len() {
            open.push(Action::Read(node));
        }
        let own_claim = |number: &u16| {
            matches!(fold.alphabet.name(*number), Sym::Claimed { process, .. }
                if process == world.process(node))
        };
        let unread = &world.tail[memory.read..];
        let coming = world.flying.iter().chain(unread).any(own_claim);
        // One that has nothing in memory is as good as new.
        if memory.holding.is_some() || coming || !memory.tasks.is_empty() {
            open.extend([Action::Crash(node), Action::Rebirth(node)]);
        }
        if memory.holding.is_none() {
            // A life does not know what an earlier one has on its way.
            let coming = coming && world.spent[Fault::Rebirth as usize] == 0;
            if world.nodes[node].claims < self.claims[node] && !coming {
                open.push(Action::Claim(node));
            }
            return;
        }
        if self.attempts == 0 {
            return;
        }
        match memory.actor {
            Actor::Gone => open.push(Action::Start(node)),
            Actor::Starting(number) if !world.is_coming(node, number) => {
                open.push(Action::Start(node));
            }
            Actor::Starting(_) => {}
            Actor::Alive(_) => self.actor(world, node, fold, open),
        }
    }

    fn actor(&self, world: &World, node: usize, fold: &Fold, open: &mut Vec<Action>) {
        let memory = world.memory(node);
        open.push(Action::CrashActor(node));
        let within =
            |batch: [u8; MESSAGES]| batch != [0; MESSAGES] && batch.iter().all(|attempt| *attempt <= self.attempts);
        if within(world.batch(node, fold, false)) {
            open.push(Action::Intend(node));
        } else if within(world.batch(node, fold, true)) {
            open.push(Action::IntendAnew(node));
        }
        let waiting = |stage: &Stage| *stage == Stage::ReadBack;
        if !memory.proposals.is_empty() || memory.tasks.iter().any(|task| waiting(&task.stage)) {
            open.push(Action::Freeze(node));
        }
        if (0u8..).zip([(); MESSAGES]).any(|(message, ())| world.waits(node, message, fold)) {
            open.push(Action::Wait(node));
        }
        decisions(world, node, fold, open);
        for message in (0u8..).zip([(); MESSAGES]).map(|(message, ())| message) {
            if world.looks(node, message, fold) {
                let known = [Known::Behind, Known::Nothing].into_iter();
                open.extend(known.map(|known| Action::ArriveBehind(node, message, known)));
            }
        }
    }

    fn tasks(&self, world: &World, node: usize, fold: &Fold, open: &mut Vec<Action>) {
        for (at, task) in world.memory(node).tasks.iter().enumerate() {
            match task.stage {
                Stage::ReadBack if task.age.expired => open.push(Action::GiveUp(node, at)),
                Stage::ReadBack => {
                    open.push(Action::Write(node, at, Answer::Sent));
                    open.push(Action::Check(node, at));
                    let answers = self.answers.iter();
                    open.extend(answers.map(|answer| Action::Write(node, at, *answer)));
                }
                Stage::Checked => open.push(Action::Write(node, at, Answer::Sent)),
                Stage::Answered(_) if closes(world, node, at, fold) => {
                    open.push(Action::Close(node, at));
                }
                Stage::Answered(_) => {}
            }
        }
    }

    fn reports(&self, world: &World, open: &mut Vec<Action>) {
        for (message, wire) in (0u8..).zip(world.wire) {
            for (attempt, mark) in (1u8..).zip(wire) {
                if mark & TAKEN != 0 && mark & REPORTED == 0 {
                    let of = Of { message, attempt };
                    let reports = self.reports.iter();
                    open.extend(reports.map(|status| Action::Report(of, *status)));
                }
            }
        }
    }

    /// Budgets, by name.
    pub fn faults(budgets: &[(Fault, u8)]) -> [u8; FAULTS] {
        let mut faults = [0; FAULTS];
        for (fault, budget) in budgets {
            faults[*fault as usize] = *budget;
        }
        faults
    }
}

/// Whether this is an outcome whose process has died, perhaps before it could append it.
fn written_by_the_dead(world: &World, number: u16, fold: &Fold) -> bool {
    let Sym::Closed { claim, .. } = fold.alphabet.name(number) else {
        return false;
    };
    let process = fold.alphabet.process(claim);
    let mut running = (0..2).filter(|node| world.nodes[*node].memory.is_some());
    running.all(|node| process != Some(world.process(node)))
}

/// Whether an outcome has to be appended (again): it is neither on its way nor waiting to be read.
fn closes(world: &World, node: usize, task: usize, fold: &Fold) -> bool {
    let outcome = world.memory(node).tasks[task].outcome();
    let number = outcome.and_then(|sym| fold.alphabet.known(sym));
    number.is_none_or(|number| !world.is_coming(node, number))
}

/// What the owner may decide about attempts that are not its own or unknown.
fn decisions(world: &World, node: usize, fold: &Fold, open: &mut Vec<Action>) {
    let coming = |sym: Sym| {
        let known = fold.alphabet.known(sym);
        known.is_some_and(|number| world.is_coming(node, number))
    };
    for message in 0u8..3 {
        if world.unknown(node, message, fold).is_some_and(|sym| !coming(sym)) {
            open.push(Action::CallUnknown(node, message));
        }
        if world.resend(node, message, fold).is_some_and(|sym| !coming(sym)) {
            open.push(Action::Resend(node, message));
        }
        if world.gated(node, message, fold).is_some_and(|sym| !coming(sym)) {
            open.push(Action::SayGated(node, message));
        }
        if world.arrival(node, message, Known::All, fold).is_some_and(|sym| !coming(sym)) {
            open.push(Action::Arrive(node, message));
        }
        if world.let_out(node, message, fold).is_some_and(|sym| !coming(sym)) {
            open.push(Action::LetOut(node, message));
        }
    }
}

/// Whether nothing is owed: a running node holds the partition, and every message is settled or visibly unknown.
pub fn is_home(world: &World, fold: &Fold) -> bool {
    let view = &fold.prefix(world.end).view;
    let held = (0..2).any(|node| {
        let memory = world.nodes[node].memory.as_ref();
        memory.is_some_and(|memory| memory.holding.is_some() && memory.holding == view.claim)
    });
    let settled = view
        .messages
        .iter()
        .flatten()
        .all(|message| message.state.is_settled() || (message.state == State::Unknown && fold.alphabet.hold));
    held && settled && !is_owed(fold.prefix(world.end))
}

/// The next step of a fault-free way home, or `None` if there is none.
pub fn homeward(world: &World, fold: &Fold) -> Option<Action> {
    let running: Vec<usize> = (0..2).filter(|at| world.nodes[*at].memory.is_some()).collect();
    let Some(&first) = running.first() else {
        return Some(Action::Restart(0));
    };
    for &node in &running {
        let memory = world.memory(node);
        if memory.read < world.tail.len() {
            return Some(Action::Read(node));
        }
        for (at, task) in memory.tasks.iter().enumerate() {
            match task.stage {
                Stage::ReadBack if task.age.expired => return Some(Action::GiveUp(node, at)),
                Stage::ReadBack | Stage::Checked => {
                    return Some(Action::Write(node, at, Answer::Sent));
                }
                Stage::Answered(_) if closes(world, node, at, fold) => {
                    return Some(Action::Close(node, at));
                }
                Stage::Answered(_) => {}
            }
        }
    }
    if let Some(&number) = world.flying.first() {
        return Some(Action::Land(number));
    }
    let view = &fold.prefix(world.end).view;
    let owner = running.iter().copied().find(|node| {
        let holding = world.memory(*node).holding;
        holding.is_some() && holding == view.claim
    });
    let Some(owner) = owner else {
        return Some(Action::Claim(first));
    };
    let memory = world.memory(owner);
    if view.suspended {
        return Some(Action::Resume);
    }
    if view.gate.is_some_and(|(_, closing)| closing.is_some()) {
        return Some(Action::Open);
    }
    if !matches!(memory.actor, Actor::Alive(_)) {
        return Some(Action::Start(owner));
    }
    let mut open = Vec::new();
    if (0u8..).zip([(); MESSAGES]).any(|(message, ())| world.waits(owner, message, fold)) {
        open.push(Action::Wait(owner));
    }
    decisions(world, owner, fold, &mut open);
    if world.batch(owner, fold, false) != [0; MESSAGES] {
        open.push(Action::Intend(owner));
    }
    open.first().copied()
}
