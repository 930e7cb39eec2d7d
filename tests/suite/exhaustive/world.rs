//! A state of the model: the log, what is on its way to it, two nodes, the wire, and what faults have been spent.

use std::hash::{Hash, Hasher};

use sha2::{Digest, Sha256};
use waybill::domain::row::How;

use super::fold::{Fold, PrefixId, Violation};
use super::prefix::short;
use super::symbol::{ATTEMPTS, MESSAGES, Of, Sym, SymId};

/// On the wire: an attempt was written.
pub const WRITTEN: u8 = 1;
/// On the wire: the provider took it, the person has it.
pub const TAKEN: u8 = 2;
/// On the wire: the provider reported on it.
pub const REPORTED: u8 = 4;

/// On the wire: the provider reported that nobody got it.
pub const RETURNED: u8 = 8;

/// What may go wrong, each with a budget of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fault {
    /// An append appears, and will appear again.
    Double,
    /// An append never appears.
    Lose,
    /// An append is taken for lost and still appears.
    Late,
    /// A node dies with all it has in memory.
    Crash,
    /// Only the session's actor dies.
    ActorCrash,
    /// A node stops between the check of the deadline and the first byte, and goes on at any later time.
    Gap,
    /// A node stops before the check, for longer than the deadline.
    Freeze,
    /// The provider answers anything but *sent*, or its answer is lost.
    Answer,
    /// The provider calls back.
    Callback,
    /// A node looks after what left while its rows of where that went are behind.
    Behind,
    /// The partition's actor dies and begins anew in the same process.
    Rebirth,
}

/// How many kinds of faults there are.
pub const FAULTS: usize = 11;

/// Where an attempt stands in the memory of its node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Its intent was read back and is valid.
    ReadBack,
    /// The deadline was checked; the first byte may leave at any time.
    Checked,
    /// The answer is there.
    Answered(How),
}

/// How an intent's deadline stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Age {
    /// It has passed.
    pub expired: bool,
    /// It was proposed before the other node read back its claim: that node's wait outlasts it.
    pub earlier: bool,
}

/// An intent that was not read back yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Proposal {
    /// Its name.
    pub number: SymId,
    /// Its deadline.
    pub age: Age,
}

/// An attempt under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Task {
    /// Which.
    pub of: Of,
    /// The claim its intent stood under.
    pub claim: SymId,
    /// How far it is.
    pub stage: Stage,
    /// Its deadline.
    pub age: Age,
    /// Why it should not leave, by what stood before its intent.
    pub forbidden: Option<&'static str>,
}

impl Task {
    /// The event that says how it ended, once that is known.
    pub fn outcome(&self) -> Option<Sym> {
        let Stage::Answered(how) = self.stage else {
            return None;
        };
        let (of, claim) = (self.of, self.claim);
        Some(Sym::Closed { of, how, claim })
    }
}

/// The session's actor on a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Actor {
    /// There is none.
    Gone,
    /// Its start is on its way.
    Starting(SymId),
    /// Its start was read back.
    Alive(SymId),
}

/// The memory of a running process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Memory {
    /// The prefix it has read.
    pub at: PrefixId,
    /// How many events of the tail that includes.
    pub read: usize,
    /// The claim it believes to hold.
    pub holding: Option<SymId>,
    /// Whether an intent's deadline has passed since it read that claim.
    pub waited: bool,
    /// The actor.
    pub actor: Actor,
    /// Lives begun.
    pub lives: u8,
    /// Intents on their way.
    pub proposals: Vec<Proposal>,
    /// Attempts under way.
    pub tasks: Vec<Task>,
    /// Messages that left and are looked after no more, one bit each.
    pub passed: u8,
}

/// A machine on which one process after the other runs.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Node {
    /// Processes that have died.
    pub deaths: u8,
    /// Claims made.
    pub claims: u8,
    /// The running one.
    pub memory: Option<Memory>,
}

/// A state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// The whole log.
    pub end: PrefixId,
    /// What the slowest running node has not read.
    pub tail: Vec<SymId>,
    /// Appends that are not in the log yet, and that may come there.
    pub flying: Vec<SymId>,
    /// Both nodes.
    pub nodes: [Node; 2],
    /// What happened to each attempt outside.
    pub wire: [[u8; ATTEMPTS]; MESSAGES],
    /// Faults so far.
    pub spent: [u8; FAULTS],
}

impl Memory {
    /// A process that has replayed the whole log.
    pub fn replayed(world: &World) -> Self {
        Self {
            at: world.end,
            read: world.tail.len(),
            holding: None,
            waited: false,
            actor: Actor::Gone,
            lives: 0,
            proposals: Vec::new(),
            tasks: Vec::new(),
            passed: 0,
        }
    }

    fn forget_unwritten(&mut self) {
        self.proposals.clear();
        self.tasks.retain(|task| task.stage != Stage::ReadBack);
    }

    /// The actor dies: attempts that are being written go on without it.
    pub fn lose_actor(&mut self) {
        self.actor = Actor::Gone;
        self.forget_unwritten();
    }

    /// The partition's actor dies, and another life of it reads the whole log: what is being written goes on without it.
    pub fn reborn(&mut self, at: PrefixId, read: usize) {
        self.lose_actor();
        (self.at, self.read) = (at, read);
        (self.holding, self.waited, self.passed) = (None, false, 0);
    }

    /// Marks every intent that is not written yet.
    pub fn mark(&mut self, mark: impl Fn(&mut Age)) {
        self.proposals.iter_mut().for_each(|p| mark(&mut p.age));
        let tasks = self.tasks.iter_mut();
        let waiting = tasks.filter(|task| task.stage == Stage::ReadBack);
        waiting.for_each(|task| mark(&mut task.age));
    }
}

impl World {
    /// The log as it is, both nodes running, nothing else.
    pub fn new(end: PrefixId) -> Self {
        let mut world = Self {
            end,
            tail: Vec::new(),
            flying: Vec::new(),
            nodes: [Node::default(), Node::default()],
            wire: [[0; ATTEMPTS]; MESSAGES],
            spent: [0; FAULTS],
        };
        for at in 0..2 {
            world.nodes[at].memory = Some(Memory::replayed(&world));
        }
        world
    }

    /// The number of the process that runs on a node, or would run.
    pub fn process(&self, node: usize) -> u8 {
        u8::try_from(node).expect("two nodes") * 16 + self.nodes[node].deaths
    }

    /// The memory of a running node.
    pub fn memory(&self, node: usize) -> &Memory {
        self.nodes[node].memory.as_ref().expect("only running nodes act")
    }

    /// The same, to be changed.
    pub fn memory_mut(&mut self, node: usize) -> &mut Memory {
        self.nodes[node].memory.as_mut().expect("only running nodes act")
    }

    /// Sends an append on its way.
    pub fn fly(&mut self, number: SymId) {
        let at = self.flying.partition_point(|other| *other <= number);
        self.flying.insert(at, number);
    }

    /// Whether this append may still come to a node, or has come and was not read by it.
    pub fn is_coming(&self, node: usize, number: SymId) -> bool {
        let unread = &self.tail[self.memory(node).read..];
        self.flying.contains(&number) || unread.contains(&number)
    }

    /// A digest of this state; with `faults` left out, of what can be done from it without any.
    pub fn digest(&self, faults: bool) -> [u8; 16] {
        let mut bytes = Bytes(Vec::with_capacity(256));
        (self.end, &self.tail, &self.flying, &self.nodes, self.wire).hash(&mut bytes);
        if faults {
            self.spent.hash(&mut bytes);
        }
        short(Sha256::new_with_prefix(bytes.0))
    }

    /// What has no choice in it: nodes without a claim read on until their own claim is next; what all have read is
    /// forgotten.
    pub fn settle(&mut self, fold: &mut Fold) -> Result<(), Violation> {
        for node in 0..2 {
            while self.nodes[node].memory.is_some() && self.reads_on(node, fold) {
                self.read(node, fold)?;
            }
        }
        let memories = self.nodes.iter().filter_map(|node| node.memory.as_ref());
        let all = memories.map(|memory| memory.read).min();
        let all = all.unwrap_or(self.tail.len());
        self.tail.drain(..all);
        for memory in self.nodes.iter_mut().filter_map(|node| node.memory.as_mut()) {
            memory.read -= all;
        }
        Ok(())
    }

    fn reads_on(&self, node: usize, fold: &Fold) -> bool {
        let memory = self.memory(node);
        let Some(next) = self.tail.get(memory.read) else {
            return false;
        };
        let own_claim = matches!(fold.alphabet.name(*next), Sym::Claimed { process, .. }
            if process == self.process(node));
        memory.holding.is_none() && !own_claim
    }
}

struct Bytes(Vec<u8>);

impl Hasher for Bytes {
    fn finish(&self) -> u64 {
        unreachable!("the bytes are what is wanted")
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }
}
