//! A message that changes its sender: where it may leave, and where it comes back to.

use super::super::id::MessageId;
use super::super::row::{Ended, Fact, Handover, How, MessageRow};
use super::State;

/// Mailboxes that a message may go through by somebody's word, so that whoever asks for it finds it in as many reads.
pub const MAX_DEPTH: u8 = 8;

/// Legs of the past that a row remembers: enough to find one that turns out to have been sent all the same.
const MAX_LEGS: usize = 8;

/// What is missing where a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arrival {
    /// It is to be taken in there.
    New,
    /// It is to come back to the mailbox that it had come from.
    Return,
}

/// Whether nothing was sent by an attempt that ended so.
fn is_unsent(ended: &Ended) -> bool {
    match ended.how {
        How::Withdrawn => true,
        // Sent once more on somebody's word: the first may have arrived.
        How::Retry => !matches!(&*ended.class, "resent" | "requeued"),
        // Refused for good. One that was given up may have arrived.
        How::Failed => &*ended.class != "unknown_given_up",
        How::Sent | How::Unknown => false,
    }
}

impl MessageRow {
    /// Whether it waits here, and nothing of it is under way or may have been sent. What waits elsewhere, for a gate or a
    /// time, is found again by those.
    #[must_use]
    pub fn may_move(&self) -> bool {
        self.is_in_outbox() && self.is_unsent()
    }

    /// Whether it waits for its turn here, and for neither a gate nor a time.
    fn is_in_outbox(&self) -> bool {
        self.state() == State::Queued && !self.parked && self.gated.is_none()
    }

    fn is_unsent(&self) -> bool {
        self.attempts.iter().all(|attempt| attempt.ended.as_ref().is_some_and(is_unsent))
    }

    /// Whether what comes after it to the same person waits for it where it is: an attempt is open; or it is a strict one
    /// that may have been sent, or that waits for its turn and may not leave.
    #[must_use]
    pub fn keeps_its_lane(&self) -> bool {
        let strict = self.accepted.as_ref().is_some_and(|accepted| accepted.ordered);
        match self.state() {
            State::Sending => true,
            State::Unknown => strict,
            State::Queued => strict && self.is_in_outbox() && !self.is_unsent(),
            _ => false,
        }
    }

    /// What is missing where this one went, by what is known there. Only a row that shows that it came counts, or that the
    /// move is over by which it had left: one that is behind, or not there yet, shows nothing. What is said once more
    /// changes nothing; what is not said at all is lost.
    #[must_use]
    pub fn arrival(&self, own: MessageId, there: Option<&Self>) -> Option<Arrival> {
        let (moved, accepted) = (self.moved?, self.accepted.as_ref()?);
        let Some(home) = accepted.leg.as_ref().filter(|leg| leg.from == moved.leg) else {
            return there.is_none().then_some(Arrival::New);
        };
        let waits = |there: &Self| there.moved.is_some_and(|out| (out.leg, out.number) == (own, home.number));
        let over = there.is_some_and(|there| there.moves >= home.number && !waits(there));
        (!over).then_some(Arrival::Return)
    }

    /// In which round somebody's word on it is to be said where it went.
    #[must_use]
    pub fn round_there(&self, own: MessageId, there: Option<&Self>) -> u16 {
        let home = self.accepted.as_ref().and_then(|accepted| accepted.leg.as_ref());
        match (self.arrival(own, there), home) {
            // It is in the round in which it left until it is back.
            (Some(Arrival::Return), Some(home)) => home.round,
            _ => there.map_or(0, |there| there.round),
        }
    }

    /// Leaves for another mailbox.
    pub fn move_out(&mut self, handover: Handover) {
        self.moves = handover.number;
        self.moved = Some(handover);
    }

    /// Comes back from there, if it is still there by this word.
    pub fn move_back(&mut self, leg: MessageId, number: u16, fact: Fact) -> bool {
        let ends = self.moved.is_some_and(|moved| moved.leg == leg && moved.number == number);
        if ends {
            self.moved = None;
            if self.legs.len() == MAX_LEGS {
                self.legs.remove(0);
            }
            self.legs.push(leg);
            self.entered = Some(fact.position);
        }
        ends
    }

    /// Somebody calls off what moved on: whoever has it now is told. What was said in an earlier round is past.
    pub fn call_off_moved(&mut self, fact: Fact, round: u16) -> bool {
        let first = self.state() == State::Moved && self.cancelled.is_none() && round == self.round;
        if first {
            self.cancelled = Some(fact);
        }
        first
    }
}

#[cfg(test)]
mod tests;
