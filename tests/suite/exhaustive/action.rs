//! What can happen next, and what it does.

use waybill::domain::event::Status;
use waybill::domain::message::State;
use waybill::domain::row::How;

use super::fold::{Fold, Violation};
use super::moved::Known;
use super::mutation::Mutation;
use super::symbol::{MESSAGES, Of, Sym, SymId};
use super::world::{Actor, Age, Fault, Memory, Proposal, REPORTED, RETURNED, Stage, TAKEN, WRITTEN, World};

/// What comes of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Taken, and we hear of it.
    Sent,
    /// Taken, and we hear nothing.
    SentUnheard,
    /// Not taken, and we hear nothing.
    Lost,
    /// Refused for now.
    Retry,
    /// Refused for good.
    Refused,
    /// A gate barred it before the write.
    Barred,
}

/// One thing that can happen. The first number is the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// An append lands.
    Land(SymId),
    /// It lands, and will land again.
    Double(SymId),
    /// It never lands.
    Lose(SymId),
    /// It was never sent: the node died between the answer and its append.
    Unsent(SymId),
    /// The next event is read.
    Read(usize),
    /// The partition is claimed.
    Claim(usize),
    /// A life of the actor is proposed.
    Start(usize),
    /// Intents are proposed: of all queued messages.
    Intend(usize),
    /// The same, although the last proposal may still land.
    IntendAnew(usize),
    /// A node stands still for longer than a deadline.
    Freeze(usize),
    /// The deadline of a task is checked, and the node stops before the first byte.
    Check(usize, usize),
    /// A task writes and is answered.
    Write(usize, usize, Answer),
    /// A task finds its deadline passed.
    GiveUp(usize, usize),
    /// An outcome that was lost is proposed again.
    Close(usize, usize),
    /// Somebody else's open attempt is called unknown.
    CallUnknown(usize, u8),
    /// A new owner has waited for one deadline.
    Wait(usize),
    /// An unknown attempt is to be sent again.
    Resend(usize, u8),
    /// A node dies.
    Crash(usize),
    /// A new process starts.
    Restart(usize),
    /// The actor alone dies.
    CrashActor(usize),
    /// The partition's actor dies with it, and begins anew in the same process.
    Rebirth(usize),
    /// The provider reports on an attempt.
    Report(Of, Status),
    /// An operator lets the session go on.
    Resume,
    /// The gate is opened.
    Open,
    /// The session says that a message stands behind the closed gate.
    SayGated(usize, u8),
    /// A message that waits for the gate is let out.
    LetOut(usize, u8),
    /// A message that left is taken in where it went.
    Arrive(usize, u8),
    /// The same is decided by rows that are behind.
    ArriveBehind(usize, u8, Known),
}

impl World {
    /// Does it.
    pub fn act(&self, action: Action, fold: &mut Fold) -> Result<Self, Violation> {
        let mut next = self.clone();
        if let Some(fault) = action.fault() {
            next.spent[fault as usize] += 1;
        }
        match action {
            Action::Land(number) | Action::Double(number) | Action::Lose(number) | Action::Unsent(number) => {
                next.arrive(action, number, fold)?
            }
            Action::Read(node) => next.read(node, fold)?,
            Action::Claim(node) => next.claim(node, fold),
            Action::Start(node) => next.start(node, fold),
            Action::Intend(node) | Action::IntendAnew(node) => next.intend(node, fold),
            Action::Freeze(node) => next.memory_mut(node).mark(|age| age.expired = true),
            Action::Check(node, task) => {
                next.memory_mut(node).tasks[task].stage = Stage::Checked;
            }
            Action::Write(node, task, answer) => next.write(node, task, answer, fold)?,
            Action::GiveUp(node, task) => next.answer(node, task, How::Retry, fold),
            Action::Close(node, task) => next.close(node, task, fold),
            Action::CallUnknown(node, message) => {
                let sym = next.unknown(node, message, fold);
                next.fly(fold.alphabet.number(sym.expect("was chosen")));
            }
            Action::Wait(node) => next.wait(node),
            Action::Resend(node, message) => {
                let sym = next.resend(node, message, fold);
                next.fly(fold.alphabet.number(sym.expect("was chosen")));
            }
            Action::Crash(node) => {
                next.nodes[node].memory = None;
                next.nodes[node].deaths += 1;
            }
            Action::Restart(node) => next.nodes[node].memory = Some(Memory::replayed(&next)),
            Action::CrashActor(node) => next.memory_mut(node).lose_actor(),
            Action::Rebirth(node) => {
                let (end, read) = (next.end, next.tail.len());
                next.memory_mut(node).reborn(end, read);
            }
            Action::Report(of, status) => {
                let returned = if status == Status::Failed { RETURNED } else { 0 };
                next.wire[usize::from(of.message)][usize::from(of.attempt) - 1] |= REPORTED | returned;
                next.fly(fold.alphabet.number(Sym::Status { of, status }));
            }
            Action::Open => {
                let last = fold.prefix(next.end).view.gate.map_or(0, |(nth, _)| nth);
                next.fly(fold.alphabet.number(Sym::Gate { nth: last + 1, closed: false }));
            }
            Action::SayGated(node, message) | Action::LetOut(node, message) | Action::Arrive(node, message) => {
                let sym = match action {
                    Action::SayGated(..) => next.gated(node, message, fold),
                    Action::Arrive(..) => next.arrival(node, message, Known::All, fold),
                    _ => next.let_out(node, message, fold),
                };
                next.fly(fold.alphabet.number(sym.expect("was chosen")));
            }
            Action::ArriveBehind(node, message, known) => match next.arrival(node, message, known, fold) {
                Some(sym) => next.fly(fold.alphabet.number(sym)),
                None => next.memory_mut(node).passed |= 1 << message,
            },
            Action::Resume => {
                let number = next.fresh(fold, |nth| Sym::Resumed { nth: nth + 1 });
                next.fly(number);
            }
        }
        next.settle(fold)?;
        Ok(next)
    }

    fn arrive(&mut self, action: Action, number: SymId, fold: &mut Fold) -> Result<(), Violation> {
        if !matches!(action, Action::Double(_)) {
            let at = self.flying.iter().position(|other| *other == number);
            self.flying.remove(at.expect("it is on its way"));
        }
        if matches!(action, Action::Land(_) | Action::Double(_)) {
            self.end = fold.step(self.end, number)?.to;
            self.tail.push(number);
        }
        Ok(())
    }

    fn claim(&mut self, node: usize, fold: &mut Fold) {
        let over = fold.prefix(self.memory(node).at).view.claim;
        let (process, nth) = (self.process(node), self.nodes[node].claims);
        let sym = Sym::Claimed { process, nth, over };
        self.nodes[node].claims += 1;
        self.fly(fold.alphabet.number(sym));
    }

    fn start(&mut self, node: usize, fold: &mut Fold) {
        let memory = self.memory_mut(node);
        let claim = memory.holding.expect("only owners start actors");
        let number = match memory.actor {
            Actor::Starting(number) => number,
            _ => {
                let nth = memory.lives;
                memory.lives += 1;
                fold.alphabet.number(Sym::Started { claim, nth })
            }
        };
        memory.actor = Actor::Starting(number);
        self.fly(number);
    }

    /// The first of several names for the same thing that neither stands in the log nor is on its way.
    fn fresh(&self, fold: &mut Fold, name: impl Fn(u8) -> Sym) -> SymId {
        let mut nth = 0;
        loop {
            let number = fold.alphabet.number(name(nth));
            if !fold.prefix(self.end).holds(number) && !self.flying.contains(&number) {
                return number;
            }
            nth += 1;
        }
    }

    fn intend(&mut self, node: usize, fold: &mut Fold) {
        let batch = self.batch(node, fold, true);
        let Actor::Alive(life) = self.memory(node).actor else { unreachable!("only living actors propose") };
        let number = self.fresh(fold, |nth| Sym::Intent { life, nth, batch });
        let coming: Vec<bool> = {
            let proposals = self.memory(node).proposals.iter();
            proposals.map(|proposal| self.is_coming(node, proposal.number)).collect()
        };
        let memory = self.memory_mut(node);
        let mut coming = coming.into_iter();
        memory.proposals.retain(|_| coming.next() == Some(true));
        memory.proposals.retain(|proposal| proposal.number != number);
        let age = Age::default();
        memory.proposals.push(Proposal { number, age });
        self.fly(number);
    }

    /// What the actor would propose now: every queued message that is not under way; `anew` also those whose proposal
    /// may still land.
    pub fn batch(&self, node: usize, fold: &Fold, anew: bool) -> [u8; MESSAGES] {
        let memory = self.memory(node);
        let view = &fold.prefix(memory.at).view;
        let Actor::Alive(life) = memory.actor else {
            return [0; MESSAGES];
        };
        let gated = view.gate.is_some_and(|(_, closing)| closing.is_some());
        if view.suspended || gated || view.life != Some(life) {
            return [0; MESSAGES];
        }
        let coming = memory.proposals.iter().filter(|p| self.is_coming(node, p.number));
        let coming: Vec<Sym> = coming.map(|p| fold.alphabet.name(p.number)).collect();
        let proposed = |message: usize| {
            let holds = |sym: &Sym| matches!(sym, Sym::Intent { batch, .. } if batch[message] > 0);
            !anew && coming.iter().any(holds)
        };
        let under_way = |message: usize| {
            let mut tasks = memory.tasks.iter();
            tasks.any(|task| usize::from(task.of.message) == message)
        };
        let mut batch = [0; MESSAGES];
        for (message, seen) in view.messages.iter().enumerate() {
            let queued = seen.filter(|seen| seen.state == State::Queued && seen.gated.is_none());
            if let Some(seen) = queued
                && !proposed(message)
                && !under_way(message)
            {
                batch[message] = seen.next;
            }
        }
        batch
    }

    /// The answer is there and goes to the journal, whatever became of the claim meanwhile.
    fn answer(&mut self, node: usize, task: usize, how: How, fold: &mut Fold) {
        self.memory_mut(node).tasks[task].stage = Stage::Answered(how);
        self.close(node, task, fold);
    }

    fn close(&mut self, node: usize, task: usize, fold: &mut Fold) {
        let outcome = self.memory(node).tasks[task].outcome().expect("answered");
        self.fly(fold.alphabet.number(outcome));
    }

    fn write(&mut self, node: usize, at: usize, answer: Answer, fold: &mut Fold) -> Result<(), Violation> {
        let task = self.memory(node).tasks[at];
        let how = match answer {
            Answer::Sent => How::Sent,
            Answer::SentUnheard | Answer::Lost => How::Unknown,
            Answer::Retry => How::Retry,
            Answer::Refused => How::Failed,
            Answer::Barred => How::Withdrawn,
        };
        self.answer(node, at, how, fold);
        if answer == Answer::Barred {
            return Ok(());
        }
        let taken = matches!(answer, Answer::Sent | Answer::SentUnheard);
        let of = task.of;
        let mark = &mut self.wire[usize::from(of.message)][usize::from(of.attempt) - 1];
        if *mark & WRITTEN != 0 {
            let what = format!("attempt {} is written a second time", of.attempt);
            return Err(Violation::new("an attempt is written once", what));
        }
        *mark |= WRITTEN | if taken { TAKEN } else { 0 };
        let people = self.people(of.message, fold.alphabet.one);
        if let Some(why) = task.forbidden {
            let what = format!("attempt {} left although {why} before its intent", of.attempt);
            return Err(Violation::new("what stops a send stops it", what));
        }
        let end = fold.prefix(self.end);
        let mut seen =
            end.view.messages.iter().enumerate().filter(|(at, _)| fold.alphabet.one || *at == usize::from(of.message));
        if people > 1 && !seen.any(|(_, seen)| seen.is_some_and(|seen| seen.listed)) {
            return Err(Violation::new("sent twice is listed", "nobody was told"));
        }
        let resent = fold.alphabet.known(Sym::Resent { of });
        let gone_on = resent.is_some_and(|number| end.holds(number));
        if gone_on && task.stage != Stage::Checked {
            let what = "an attempt left after it was given up for another, and no node had stopped";
            return Err(Violation::new("given up is not written", what));
        }
        Ok(())
    }

    /// How often somebody has this message, whatever it was called when it was sent.
    fn people(&self, message: u8, one: bool) -> usize {
        let wires = self.wire.iter().enumerate().filter(|(at, _)| one || *at == usize::from(message));
        wires.flat_map(|(_, wire)| wire).filter(|mark| **mark & (TAKEN | RETURNED) == TAKEN).count()
    }

    /// The wait of a new owner outlasts every intent from before it read its claim.
    fn wait(&mut self, node: usize) {
        self.memory_mut(node).waited = true;
        if let Some(other) = &mut self.nodes[1 - node].memory {
            other.mark(|age| age.expired |= age.earlier);
        }
    }

    /// The event that calls an open attempt unknown, if this node may say so: it is its owner, nobody here runs the
    /// attempt, and the actor that does is not the living one.
    pub fn unknown(&self, node: usize, message: u8, fold: &Fold) -> Option<Sym> {
        let memory = self.memory(node);
        let (claim, Actor::Alive(own)) = (memory.holding?, memory.actor) else {
            return None;
        };
        let view = &fold.prefix(memory.at).view;
        let (attempt, started_under, life, open) = view.messages[usize::from(message)]?.last?;
        let mine = started_under == claim && (life == own || fold.mutation == Mutation::NoIncarnation);
        let of = Of { message, attempt };
        let running = memory.tasks.iter().any(|task| task.of == of);
        let sending = view.messages[usize::from(message)]?.state == State::Sending;
        let how = How::Unknown;
        (open && sending && !mine && !running).then_some(Sym::Closed { of, how, claim })
    }

    /// The event that sends an unknown attempt again, if this node may say so: whoever could still be writing it has
    /// passed its deadline.
    pub fn resend(&self, node: usize, message: u8, fold: &Fold) -> Option<Sym> {
        let (of, under) = self.left_unknown(node, message, fold)?;
        let memory = self.memory(node);
        let over = memory.waited || memory.holding == Some(under) || fold.mutation == Mutation::NoDeadline;
        over.then_some(Sym::Resent { of })
    }

    /// Whether only the wait for a deadline keeps this node from sending an unknown attempt again. A wait is looked at
    /// where it matters: for a frozen node there is [`Action::Freeze`] at any time.
    pub fn waits(&self, node: usize, message: u8, fold: &Fold) -> bool {
        let unknown = self.left_unknown(node, message, fold).is_some();
        unknown && self.resend(node, message, fold).is_none()
    }

    /// An unknown attempt that nobody here still runs, and the claim it stood under.
    fn left_unknown(&self, node: usize, message: u8, fold: &Fold) -> Option<(Of, SymId)> {
        let memory = self.memory(node);
        let (Some(_), Actor::Alive(_)) = (memory.holding, memory.actor) else {
            return None;
        };
        let seen = fold.prefix(memory.at).view.messages[usize::from(message)]?;
        let (attempt, under, ..) = seen.last?;
        let of = Of { message, attempt };
        let running = memory.tasks.iter().any(|task| task.of == of);
        let left = seen.state == State::Unknown && !running && !fold.alphabet.hold;
        left.then_some((of, under))
    }
}

impl Action {
    /// The fault that it is, if it is one.
    pub fn fault(self) -> Option<Fault> {
        Some(match self {
            Self::Double(_) => Fault::Double,
            Self::Lose(_) => Fault::Lose,
            Self::IntendAnew(_) => Fault::Late,
            Self::Crash(_) => Fault::Crash,
            Self::CrashActor(_) => Fault::ActorCrash,
            Self::Rebirth(_) => Fault::Rebirth,
            Self::Check(..) => Fault::Gap,
            Self::Freeze(_) => Fault::Freeze,
            Self::Write(_, _, answer) if answer != Answer::Sent => Fault::Answer,
            Self::Report(..) => Fault::Callback,
            Self::ArriveBehind(..) => Fault::Behind,
            _ => return None,
        })
    }
}
