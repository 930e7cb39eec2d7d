//! Becoming the owner of a partition, and noticing when another one has.
//!
//! A claim names the last valid one it knows and is valid only if that is still so when it is read back; whoever was
//! void tries again with what it has read meanwhile.

use std::time::Duration;

use super::Notice;
use super::actor::{Phase, State};
use crate::actors::session::standing::Tenure;
use crate::domain::address::Address;
use crate::domain::draft::Draft;
use crate::domain::event::{ClaimedV1, Event};
use crate::domain::id::EventId;
use crate::domain::record::Principal;
use crate::journal::Appended;

impl State {
    /// Proposes to own the partition, once everything before is applied.
    pub(super) fn propose_claim(&mut self) {
        let row = self.rows.knows(&crate::domain::row::RowId::Partition(self.number));
        let supersedes = row.then(|| self.rows.partition(self.number).and_then(|row| row.claim)).flatten();
        let event = EventId(self.hands.entropy.id());
        self.phase = Phase::Claiming(event);
        let facts = ClaimedV1 { node: self.hands.node, supersedes };
        let by = Principal::Node(self.hands.node);
        let draft =
            Draft::new(event, Address::partition(self.number), &Event::from(facts), by, self.hands.clock.wall());
        let Ok(record) = draft.record() else { return };
        let appending = self.hands.journal.append(self.number, vec![record]);
        let notices = std::sync::Arc::clone(&self.notices);
        crate::runtime::spawn("claim", async move {
            if !matches!(appending.await, Appended::Durable { .. }) {
                tokio::time::sleep(Duration::from_secs(1)).await;
                notices.push(Notice::ClaimAgain);
            }
        });
    }

    /// Whether the last valid claim, as applied, is this process's.
    pub(super) fn owns(&self) -> bool {
        self.rows.partition(self.number).is_some_and(|row| row.node == Some(self.hands.node) && row.claim.is_some())
    }

    /// Takes note of what a batch said about ownership. True when the partition has just become ours.
    pub(super) fn follow_claims(&mut self) -> bool {
        let caught_up = self.reached.map_or(0, |reached| reached.0 + 1) >= self.target.0;
        match (&self.phase, self.owns()) {
            (Phase::Owning(_), false) => {
                tracing::warn!(partition = self.number, "another node owns this partition now");
                self.children.stop_all("the claim is lost");
                self.phase = Phase::Lost;
                false
            }
            (Phase::Owning(_) | Phase::Lost, _) => false,
            (_, true) if caught_up => {
                let epoch = self.rows.partition(self.number).and_then(|row| row.claim).unwrap_or_default();
                self.phase = Phase::Owning(Tenure { epoch, since: self.hands.clock.wall() });
                true
            }
            (Phase::CatchingUp, false) if caught_up => {
                self.propose_claim();
                false
            }
            _ => false,
        }
    }
}
