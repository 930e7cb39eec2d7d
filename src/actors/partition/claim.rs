//! Becoming the owner of a partition, and noticing when another one has.
//!
//! A claim names the last valid one it knows and is valid only if that is still so when it is read back. Whoever was void
//! tries again with what it has read meanwhile: a claim is only void because somebody else's was valid, and whose claim
//! was valid once and was overtaken does not claim again unless it is asked anew. So of any number of nodes that were all
//! told to own a partition one is left.
//!
//! **Each life claims anew**, also where the last valid claim is of an earlier life in this very process: what that one has
//! still on its way (intents, lives of sessions, reports of its trees) is then fenced as another node's would be. A life holds a
//! claim that stands where its journal ended when it began, or later: no earlier life has read that one back, so none has ever
//! acted under it, whoever of them proposed it. Calls of an earlier life that are under way here are awaited all the same.
//! There is one claim for each life that has caught up, and a partition that dies again and again rests longer each time.

use std::time::Duration;

use super::Notice;
use super::actor::{Phase, State};
use super::apply::Told;
use crate::actors::session::standing::Tenure;
use crate::domain::address::Address;
use crate::domain::draft::Draft;
use crate::domain::event::{ClaimedV1, Event};
use crate::domain::id::EventId;
use crate::domain::projection::Note;
use crate::domain::record::{Position, Principal};
use crate::journal::Appended;

/// What a batch, or a claim's answer, meant for ownership.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// Nothing.
    Stays,
    /// The partition has just become ours.
    Begins,
    /// Another one's claim, which stands here, has overtaken ours.
    Lost(Position),
}

impl State {
    /// Proposes to own the partition, once everything before is applied.
    pub(super) fn propose_claim(&mut self) {
        let row = self.rows.knows(&crate::domain::row::RowId::Partition(self.number));
        let supersedes = row.then(|| self.rows.partition(self.number).and_then(|row| row.claim)).flatten();
        let event = EventId(self.hands.entropy.id());
        self.phase = Phase::Claiming(event, None);
        self.sealing.claimed = true;
        let facts = ClaimedV1 { node: self.hands.node, supersedes };
        let by = Principal::Node(self.hands.node);
        let draft =
            Draft::new(event, Address::partition(self.number), &Event::from(facts), by, self.hands.clock.wall());
        let Ok(record) = draft.record() else { return };
        let appending = self.hands.journal.append(self.number, vec![record]);
        let notices = std::sync::Arc::clone(&self.notices);
        crate::runtime::spawn("claim", async move {
            match appending.await {
                Appended::Durable { first, .. } => notices.push(Notice::ClaimStands(event, first)),
                _ => {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    notices.push(Notice::ClaimAgain);
                }
            }
        });
    }

    /// Whether the last valid claim, as applied, is this life's.
    pub(super) fn owns(&self) -> bool {
        self.is_held_here() && self.epoch() >= self.target
    }

    /// Whether it is this process's: of this life, or of an earlier one.
    fn is_held_here(&self) -> bool {
        self.rows.partition(self.number).is_some_and(|row| row.node == Some(self.hands.node) && row.claim.is_some())
    }

    /// Whether an earlier life of it in this process had it, and nobody else has since, as far as is known here.
    pub(super) fn had_it(&self) -> bool {
        self.seats.lock().had(self.number)
    }

    /// Where the last valid claim stands, as applied.
    pub(super) fn epoch(&self) -> Position {
        self.rows.partition(self.number).and_then(|row| row.claim).unwrap_or_default()
    }

    /// Everything that stood in the journal when it began is applied.
    pub(super) fn is_caught_up(&self) -> bool {
        self.reached.map_or(0, |reached| reached.0 + 1) >= self.target.0
    }

    /// The claim's answer: where it stands. It may have been read by then.
    pub(super) fn claim_stands(&mut self, event: EventId, at: Position) -> Turn {
        if let Phase::Claiming(ours, place) = &mut self.phase
            && *ours == event
        {
            *place = Some(at);
        }
        self.follow_claims(&[])
    }

    /// Takes note of what a batch said about ownership.
    pub(super) fn follow_claims(&mut self, told: &[Told]) -> Turn {
        let read = |at: Option<Position>| at.is_some_and(|at| self.reached >= Some(at));
        let won = |ours: EventId| {
            let won = |told: &Told| told.event == ours && matches!(told.note, Note::Claimed { .. });
            told.iter().any(won)
        };
        match (&self.phase, self.owns()) {
            (Phase::Owning(tenure) | Phase::Draining(tenure), owns) if !owns || tenure.epoch != self.epoch() => {
                Turn::Lost(self.epoch())
            }
            (Phase::Owning(_) | Phase::Draining(_) | Phase::Lost(_), _) => Turn::Stays,
            // An earlier life had it, since it was wanted or when it died, and another node has it now: it is lost, whatever that
            // one died of.
            (Phase::CatchingUp | Phase::Claiming(..), false)
                if self.is_caught_up() && self.had_it() && !self.is_held_here() =>
            {
                Turn::Lost(self.epoch())
            }
            // It was valid, and overtaken before anybody here looked.
            (Phase::Claiming(ours, _), false) if won(*ours) && !self.is_held_here() => Turn::Lost(self.epoch()),
            (_, true) if self.is_caught_up() => {
                self.phase = Phase::Owning(Tenure { epoch: self.epoch(), since: self.hands.clock.wall() });
                Turn::Begins
            }
            (Phase::CatchingUp, false) if self.is_caught_up() => {
                self.propose_claim();
                Turn::Stays
            }
            // It was read, and void: somebody else's stood before it, and is known now.
            (Phase::Claiming(_, at), false) if read(*at) => {
                self.propose_claim();
                Turn::Stays
            }
            _ => Turn::Stays,
        }
    }
}
