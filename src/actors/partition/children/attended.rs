//! Sessions that live once more while their partition is left: to hear how their calls ended, and say it.
//!
//! A session may die then, or be over in the middle of its calls; or the partition itself died, begins anew and finds its claim
//! lost, while calls of its earlier life are under way here. Nobody else hears their answers: whoever has the partition now
//! would call them unknown. Such a life takes no new work, reads no outbox, and says nothing of where that is unsettled.

use ractor::{ActorProcessingErr, ActorRef};

use super::{Child, Mailbox};
use crate::actors::inbox::Nudge;
use crate::actors::partition::actor::{Phase, State};
use crate::actors::session::standing::Tenure;
use crate::domain::address::{Address, AddressKind};
use crate::domain::id::SessionId;
use crate::domain::row::{Row, RowId};

impl State {
    /// The partition is left from here on: what is under way in this process is its own, also what an earlier life began.
    pub(in super::super) fn take_in_what_is_under_way(&mut self) {
        let count = self.hands.journal.genesis().count;
        for session in self.hands.registry.under_way_in(self.number, count) {
            self.children.session_box(&self.hands, session);
        }
    }

    /// Whoever has something under way, and no life, has one until that is recorded.
    pub(in super::super) async fn attend(&mut self, myself: &ActorRef<Nudge>) -> Result<(), ActorProcessingErr> {
        let (lost, tenure) = match self.phase {
            Phase::Draining(tenure) => (false, tenure),
            Phase::Lost(_) => (true, self.leaving.tenure.unwrap_or_else(|| self.no_tenure())),
            _ => return Ok(()),
        };
        let unattended = |child: &Child| child.actor.is_none() && !child.resting && !child.is_quiet();
        let all = self.children.by_address.iter().filter(|(_, child)| unattended(child));
        let sessions: Vec<SessionId> = all.filter_map(|(address, _)| session_at(*address)).collect();
        for session in sessions {
            match self.read(RowId::Session(session)).await? {
                Some(Row::Session(row)) if !row.is_pool() => {
                    self.spawn_session((session, row), tenure, Some(lost), myself).await;
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Of an earlier life, whose claim is not known any more, only facts are said, which no claim fences: it names none.
    fn no_tenure(&self) -> Tenure {
        Tenure { epoch: Default::default(), since: self.hands.clock.wall() }
    }
}

fn session_at(address: Address) -> Option<SessionId> {
    (address.kind == AddressKind::Session).then_some(SessionId(address.id))
}

impl Child {
    /// Whether nothing is under way, and every end is in the journal.
    pub(super) fn is_quiet(&self) -> bool {
        match &self.mailbox {
            Some(Mailbox::Session(mailbox)) => mailbox.is_quiet(),
            _ => true,
        }
    }
}
