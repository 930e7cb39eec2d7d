//! Deliberate defects for the tests with several nodes, in builds with the feature `mutants` only: see
//! [`crate::runtime::mutant`].

use super::actor::State;
use super::apply::Told;
use super::claim::Turn;
use crate::domain::event::Event;
use crate::domain::projection::Note;
use crate::domain::record::Header;
use crate::domain::validity::Void;
use crate::runtime::mutant;

impl State {
    /// A claim is asked for nothing: whoever owned the partition goes on, and acts on intents that are void for it.
    pub(super) fn without_claims(turn: Turn, told: &mut [Told]) -> Turn {
        if !mutant::is("no_claim_check") {
            return turn;
        }
        for told in told {
            if let Note::Intents { judged, .. } = &mut told.note {
                let others = judged.iter_mut().filter(|(_, verdict)| *verdict == Err(Void::OtherClaim));
                others.for_each(|(_, verdict)| *verdict = Ok(()));
            }
        }
        if matches!(turn, Turn::Lost(_)) { Turn::Stays } else { turn }
    }

    /// An outcome from before the last claim is dropped.
    pub(super) fn ignores(&self, header: &Header, event: &Event) -> bool {
        let is_outcome = matches!(event, Event::AttemptsClosed(_));
        is_outcome && mutant::is("old_outcomes_ignored") && header.epoch < Some(self.epoch())
    }
}
