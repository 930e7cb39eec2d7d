//! How one node's handle behaves: its script, its odds, its slow tails, its latch.

use std::collections::VecDeque;

use parking_lot::Mutex;

use super::super::error::{JournalError, Refusal};
use super::log::Log;
use crate::domain::record::Record;
use crate::runtime::{Entropy, SeededEntropy};

/// When a copy of an append comes to stand in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before the answer.
    Now,
    /// After this many later appends, of any node to any partition.
    After(u64),
    /// When the test says so ([`super::Unruly::land`]).
    Held,
}

/// What one append does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deed {
    /// Not tried at all, and answered so.
    pub refused: Option<Refusal>,
    /// When each copy lands; none means lost.
    pub copies: Vec<When>,
    /// Answered doubtful even though a copy has landed.
    pub doubtful: bool,
}

impl Deed {
    fn of(copies: &[When], doubtful: bool) -> Self {
        Self { refused: None, copies: copies.to_vec(), doubtful }
    }

    /// Durable, and says so.
    #[must_use]
    pub fn honest() -> Self {
        Self::of(&[When::Now], false)
    }

    /// Durable, but answered doubtful.
    #[must_use]
    pub fn durable_but_doubtful() -> Self {
        Self::of(&[When::Now], true)
    }

    /// Answered doubtful, lands after `n` later appends.
    #[must_use]
    pub fn late(n: u64) -> Self {
        Self::of(&[When::After(n)], true)
    }

    /// Answered doubtful, lands when the test says so.
    #[must_use]
    pub fn held() -> Self {
        Self::of(&[When::Held], true)
    }

    /// Answered doubtful, never lands.
    #[must_use]
    pub fn lost() -> Self {
        Self::of(&[], true)
    }

    /// Lands twice, back to back, answered doubtful.
    #[must_use]
    pub fn twice() -> Self {
        Self::of(&[When::Now, When::Now], true)
    }

    /// Durable and says so; a second copy lands after `n` later appends.
    #[must_use]
    pub fn again_after(n: u64) -> Self {
        Self::of(&[When::Now, When::After(n)], false)
    }

    /// Not taken, for this reason.
    #[must_use]
    pub fn refused(refusal: Refusal) -> Self {
        Self { refused: Some(refusal), copies: Vec::new(), doubtful: false }
    }
}

/// How often, out of a thousand appends, each misdeed happens. The rest is honest; more than a thousand is cut off in
/// the order of the fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Odds {
    /// [`Deed::durable_but_doubtful`].
    pub doubtful: u64,
    /// [`Deed::late`], by one to eight appends.
    pub late: u64,
    /// [`Deed::twice`] or [`Deed::again_after`], by one to eight appends.
    pub twice: u64,
    /// [`Deed::lost`].
    pub lost: u64,
    /// Refused as overloaded.
    pub overloaded: u64,
}

impl Odds {
    fn draw(&self, chance: &SeededEntropy) -> Deed {
        let mut left = chance.number() % 1000;
        let delay = 1 + chance.number() % 8;
        let twice = if delay.is_multiple_of(2) { Deed::twice() } else { Deed::again_after(delay) };
        let table = [
            (self.doubtful, Deed::durable_but_doubtful()),
            (self.late, Deed::late(delay)),
            (self.twice, twice),
            (self.lost, Deed::lost()),
            (self.overloaded, Deed::refused(Refusal::Overloaded)),
        ];
        for (share, deed) in table {
            if left < share {
                return deed;
            }
            left -= share;
        }
        Deed::honest()
    }
}

/// One node's behaviour.
pub(super) struct Node(Mutex<Behaviour>);

struct Behaviour {
    script: VecDeque<Deed>,
    odds: Option<(SeededEntropy, Odds)>,
    overtaking: Vec<(u16, Vec<Record>)>,
    /// Ends that tails may see, while held.
    held: Option<Vec<u64>>,
    failed: Option<String>,
    closed: bool,
    count: u16,
}

impl Node {
    pub(super) fn new(count: u16) -> Self {
        Self(Mutex::new(Behaviour {
            script: VecDeque::new(),
            odds: None,
            overtaking: Vec::new(),
            held: None,
            failed: None,
            closed: false,
            count,
        }))
    }

    pub(super) fn script(&self, deeds: impl IntoIterator<Item = Deed>) {
        self.0.lock().script.extend(deeds);
    }

    pub(super) fn misbehave(&self, seed: u64, odds: Odds) {
        self.0.lock().odds = Some((SeededEntropy::new(seed), odds));
    }

    pub(super) fn overtake(&self, partition: u16, records: Vec<Record>) {
        self.0.lock().overtaking.push((partition, records));
    }

    pub(super) fn draw(&self) -> Deed {
        let mut it = self.0.lock();
        if let Some(deed) = it.script.pop_front() {
            return deed;
        }
        it.odds.as_ref().map_or_else(Deed::honest, |(chance, odds)| odds.draw(chance))
    }

    /// Takes what was said to stand right before the next append to `partition`.
    pub(super) fn overtaking(&self, partition: u16) -> Vec<Record> {
        let mut it = self.0.lock();
        let (mine, others) = std::mem::take(&mut it.overtaking).into_iter().partition(|(at, _)| *at == partition);
        it.overtaking = others;
        let mine: Vec<(u16, Vec<Record>)> = mine;
        mine.into_iter().flat_map(|(_, records)| records).collect()
    }

    pub(super) fn hold(&self, log: &Log) {
        let mut it = self.0.lock();
        if it.held.is_none() {
            it.held = Some((0..it.count).map(|partition| log.end(partition)).collect());
        }
    }

    pub(super) fn release(&self, log: &Log, partition: u16, entries: u64) {
        let mut it = self.0.lock();
        if let Some(end) = it.held.as_mut().and_then(|ends| ends.get_mut(usize::from(partition))) {
            *end = log.beyond(partition, *end, entries);
        }
    }

    pub(super) fn release_all(&self) {
        self.0.lock().held = None;
    }

    /// How far this node sees a partition.
    pub(super) fn visible(&self, log: &Log, partition: u16) -> u64 {
        let end = log.end(partition);
        let it = self.0.lock();
        it.held.as_ref().and_then(|ends| ends.get(usize::from(partition))).map_or(end, |&held| held.min(end))
    }

    pub(super) fn fail(&self, why: &str) {
        self.0.lock().failed.get_or_insert_with(|| why.to_owned());
    }

    pub(super) fn failed(&self) -> Option<String> {
        self.0.lock().failed.clone()
    }

    pub(super) fn close(&self) -> Result<(), JournalError> {
        let mut it = self.0.lock();
        it.closed = true;
        it.failed.clone().map_or(Ok(()), |why| Err(JournalError::Failed(why)))
    }

    /// Why nothing is taken, if nothing is.
    pub(super) fn check_open(&self) -> Result<(), Refusal> {
        let it = self.0.lock();
        match &it.failed {
            Some(why) => Err(Refusal::Failed(why.clone())),
            None if it.closed => Err(Refusal::Closed),
            None => Ok(()),
        }
    }

    /// Why nothing more will come, if nothing will.
    pub(super) fn ended(&self) -> Option<JournalError> {
        match self.check_open() {
            Err(Refusal::Failed(why)) => Some(JournalError::Failed(why)),
            Err(_) => Some(JournalError::Closed),
            Ok(()) => None,
        }
    }
}
