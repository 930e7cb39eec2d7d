//! How many messages of a partition wait, and for what: counted as their rows change, so that nobody has to read them.

use serde::{Deserialize, Serialize};

use super::super::event::UnknownPolicy;
use super::super::gate::Gate;
use super::super::id::EventId;
use super::super::message::State;
use super::super::record::Position;
use super::MessageRow;

/// Messages that are not settled, by what they wait for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    /// For their turn, or for a retry.
    pub queued: u64,
    /// For the answer to an attempt.
    pub sending: u64,
    /// Nobody knows whether they were sent: for a callback, or for their policy.
    pub unknown: u64,
    /// Nobody knows, and nothing but a callback or a person will tell.
    pub held: u64,
}

impl Waiting {
    fn slot(&mut self, row: &MessageRow) -> Option<&mut u64> {
        let policy = row.accepted.as_ref()?.unknown;
        match row.state() {
            State::Queued => Some(&mut self.queued),
            State::Sending => Some(&mut self.sending),
            State::Unknown if policy == UnknownPolicy::Hold => Some(&mut self.held),
            State::Unknown => Some(&mut self.unknown),
            _ => None,
        }
    }

    fn slots(&mut self) -> [&mut u64; 4] {
        [&mut self.queued, &mut self.sending, &mut self.unknown, &mut self.held]
    }

    /// All of them.
    #[must_use]
    pub fn all(mut self) -> u64 {
        self.slots().into_iter().map(|slot| *slot).sum()
    }

    /// What two partitions have together.
    #[must_use]
    pub fn and(mut self, mut other: Self) -> Self {
        for (slot, more) in self.slots().into_iter().zip(other.slots()) {
            *slot += *more;
        }
        self
    }
}

/// What rows that were written mean for the count.
#[derive(Debug, Default)]
pub struct Moves {
    came: Waiting,
    went: Waiting,
    /// By how much the messages behind each closing have become more.
    behind: Vec<(EventId, i64)>,
    /// Campaigns for whose start something came to wait, each once at a time.
    met: Vec<Gate>,
    /// The claims that attempts stood under which are not open any more.
    closed: Vec<Position>,
}

impl Moves {
    /// A message's row is written over.
    pub(super) fn note(&mut self, before: Option<&MessageRow>, after: &MessageRow) {
        for (waiting, row) in [(&mut self.went, before), (&mut self.came, Some(after))] {
            if let Some(slot) = row.and_then(|row| waiting.slot(row)) {
                *slot += 1;
            }
        }
        let sending = |row: &&MessageRow| row.state() == State::Sending;
        if !sending(&after) {
            self.closed.extend(before.filter(sending).and_then(MessageRow::open_attempt).map(|attempt| attempt.epoch));
        }
        let (was, is) = (before.and_then(MessageRow::waits_since), after.waits_since());
        if was != is {
            self.behind.extend(was.map(|closing| (closing, -1)));
            self.behind.extend(is.map(|closing| (closing, 1)));
            self.met.extend(unstarted(after, is).filter(|gate| self.met.last() != Some(gate)));
        }
    }

    /// How many attempts were closed that stood under an older claim than this one.
    #[must_use]
    pub fn closed_before(&self, claim: Position) -> u64 {
        self.closed.iter().filter(|epoch| **epoch < claim).count() as u64
    }

    /// Campaigns for whose start something came to wait.
    pub fn take_met(&mut self) -> Vec<Gate> {
        std::mem::take(&mut self.met)
    }

    /// By how much the messages behind each closing have become more, each closing once.
    pub fn take_behind(&mut self) -> Vec<(EventId, i64)> {
        let mut moves = std::mem::take(&mut self.behind);
        moves.sort_unstable();
        moves.dedup_by(|next, sum| {
            let same = next.0 == sum.0;
            sum.1 += if same { next.1 } else { 0 };
            same
        });
        moves.retain(|(_, by)| *by != 0);
        moves
    }

    /// The count after them; `None` when it is the same.
    #[must_use]
    pub fn onto(mut self, mut before: Waiting) -> Option<Waiting> {
        let mut after = before;
        let moved = self.came.slots().into_iter().zip(self.went.slots());
        for (slot, (came, went)) in after.slots().into_iter().zip(moved) {
            *slot = (*slot + *came).saturating_sub(*went);
        }
        (after.slots() != before.slots()).then_some(after)
    }
}

/// The campaign for whose start a message waits.
fn unstarted(row: &MessageRow, closing: Option<EventId>) -> Option<Gate> {
    let accepted = row.accepted.as_ref()?;
    let campaign = accepted.campaign.filter(|campaign| closing == Some(campaign.first_closing()))?;
    Some(Gate::Campaign { tenant: accepted.tenant, campaign, session: accepted.session, pool: None })
}
