//! Taking over: reading rows that somebody else may still be writing.
//!
//! Rows at hand must all be of one moment, or an intent is judged by what came after it: an attempt that was made would
//! look as if it never was. Whoever is not the owner yet therefore looks at the mark after each batch. If somebody else
//! moved it, what is at hand may be mixed: it is forgotten, and applying goes on from there. The last owner stops when it
//! reads the claim, so the rows hold still before the new one begins. It is the mark as the store has it: one that this
//! process remembers is its own, and that says nothing of another's.

use std::collections::HashMap;
use std::sync::Arc;

use ractor::{ActorProcessingErr, ActorRef};

use super::Notice;
use super::actor::{Phase, State};
use super::apply::ApplyError;
use super::arrivals::Arrivals;
use super::poison::Poison;
use super::rows::load_own;
use crate::actors::inbox::Nudge;
use crate::domain::id::SessionId;
use crate::domain::record::Position;
use crate::domain::row::Rows;
use crate::journal::Journal;
use crate::store::{Store, StoreError, rows as stored};

#[cfg(test)]
mod tests;

/// How often rows are read again that move meanwhile, before they are taken as they are: whoever owns them goes on until it
/// reads the claim, and what is at hand is read anew after that.
const TRIES: usize = 2;

/// What the store holds of a partition, at one moment.
pub(super) struct Found {
    pub applied: Option<Position>,
    pub rows: Rows,
    pub open: HashMap<SessionId, Position>,
    pub poison: Poison,
    pub arrivals: Arrivals,
}

/// Reads where a partition stands; again while somebody moves it on, a few times.
///
/// # Errors
/// When journal or store cannot be read.
pub(super) async fn found(
    store: &dyn Store,
    journal: &dyn Journal,
    (number, reborn): (u16, bool),
    target: Position,
) -> Result<Found, ActorProcessingErr> {
    let mut tries = 0;
    loop {
        tries += 1;
        let applied = store.settled(number).await?;
        let from = applied.map_or(Position(0), Position::next);
        let ahead = Poison::read_ahead(journal, number, from, target).await?;
        let poison = match Poison::begin(store, number, applied, target, ahead, reborn).await {
            Err(StoreError::Backwards { .. }) => continue,
            begun => begun?,
        };
        let mut rows = Rows::default();
        load_own(store, number, &mut rows).await?;
        let open = stored::open_sessions(store, number).await?.into_iter().collect();
        let arrivals = Arrivals::open(store, number).await?;
        if tries >= TRIES || store.settled(number).await? == applied {
            return Ok(Found { applied, rows, open, poison, arrivals });
        }
    }
}

impl State {
    /// Makes sure that the rows at hand are of one moment: no one else has written any since. False when somebody writes
    /// so fast that it is not so yet.
    pub(super) async fn settle_rows(&mut self) -> Result<bool, ApplyError> {
        for _ in 0..TRIES {
            // Never the mark as it is remembered: who is not the owner yet moves it too, with what it cannot keep, and would not
            // see for a second what the owner has moved since. What it writes down next would be rows of two moments.
            let mark = self.store.settled(self.number).await?;
            if mark == self.applied {
                return Ok(true);
            }
            tracing::debug!(partition = self.number, ?mark, "somebody else applies here");
            self.applied = mark;
            let again = self.roll_back().await?;
            self.open = stored::open_sessions(self.store.as_ref(), self.number).await?.into_iter().collect();
            self.lows.clear();
            self.arrivals = Arrivals::open(self.store.as_ref(), self.number).await?;
            self.apply(&again).await?;
        }
        Ok(false)
    }

    /// A claim is to be tried, or what it waits for has come.
    pub(super) async fn claim_again(&mut self, myself: &ActorRef<Nudge>) -> Result<(), ActorProcessingErr> {
        if self.tenure().is_some() || matches!(self.phase, Phase::Lost(_)) {
            return Ok(());
        }
        let settled = self.settle_rows().await?;
        if self.owns() {
            if settled {
                let turn = self.follow_claims(&[]);
                return self.turn(turn, Vec::new(), myself).await;
            }
            let notices = Arc::clone(&self.notices);
            crate::runtime::spawn("claim", async move {
                tokio::time::sleep(super::commit::WINDOW).await;
                notices.push(Notice::ClaimAgain);
            });
            return Ok(());
        }
        if matches!(self.phase, Phase::Claiming(_, None)) && self.is_caught_up() {
            // Nobody knows what became of it: another one, of which one is void.
            self.phase = Phase::CatchingUp;
        }
        let turn = self.follow_claims(&[]);
        self.turn(turn, Vec::new(), myself).await
    }

    /// What the last owner told of its outboxes, and of who left for other mailboxes, is told again, under our claim: a frozen one that wakes up later must not
    /// have the last word on what it has not seen.
    pub(super) fn take_over_lows(&mut self, open: &[(SessionId, Position)]) {
        for (session, low) in open {
            self.lows.entry(*session).or_insert(Some(*low));
        }
        self.arrivals.take_over();
    }
}
