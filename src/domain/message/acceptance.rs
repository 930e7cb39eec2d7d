//! Taking and voiding acceptances: one counts, the others are kept for it.

use super::super::row::{Accepted, MessageRow};
use super::MAX_WITHDRAWN;

impl MessageRow {
    /// Takes an acceptance: the first one that was not withdrawn counts. A further one is kept, because whoever sent it
    /// was told that the message is taken, whatever becomes of the first.
    pub fn accept(&mut self, accepted: Accepted) -> bool {
        if self.withdrawn.contains(&accepted.nonce) {
            return false;
        }
        let Some(first) = &self.accepted else {
            self.accepted = Some(accepted);
            return true;
        };
        let mut known = std::iter::once(first).chain(&self.spare);
        let is_known = known.any(|other| other.nonce == accepted.nonce);
        if !is_known && self.spare.len() < MAX_WITHDRAWN {
            self.spare.push(accepted);
        }
        false
    }

    /// Voids one acceptance, whichever of the two lands first; a further one takes its place. One that was already acted
    /// on stands: it is a fact.
    pub fn withdraw(&mut self, nonce: u64) -> bool {
        if self.withdrawn.contains(&nonce) || self.withdrawn.len() == MAX_WITHDRAWN {
            return false;
        }
        self.withdrawn.push(nonce);
        self.spare.retain(|accepted| accepted.nonce != nonce);
        let is_it = self.accepted.as_ref().is_some_and(|accepted| accepted.nonce == nonce);
        if is_it && self.attempts.is_empty() && self.sent.is_none() && self.moves == 0 {
            self.accepted = (!self.spare.is_empty()).then(|| self.spare.remove(0));
            (self.released, self.entered, self.gated) = (None, None, None);
        }
        true
    }
}
