//! A message that changes its sender: where it may leave, and where it comes back to.

use super::super::id::MessageId;
use super::super::row::{Fact, Handover, How, MessageRow};
use super::State;

/// Mailboxes that a message may go through by somebody's word, so that whoever asks for it finds it in as many reads.
pub const MAX_DEPTH: u8 = 8;

/// Legs of the past that a row remembers: enough to find one that turns out to have been sent all the same.
const MAX_LEGS: usize = 8;

impl MessageRow {
    /// Whether it waits here, and nothing of it is under way or may have been sent. What waits elsewhere, for a gate or a
    /// time, is found again by those.
    #[must_use]
    pub fn may_move(&self) -> bool {
        let certain = |how, class: &str| match how {
            How::Withdrawn => true,
            // Sent once more on somebody's word: the first may have arrived.
            How::Retry => !matches!(class, "resent" | "requeued"),
            _ => false,
        };
        let mut ends = self.attempts.iter().map(|attempt| attempt.ended.as_ref());
        let unsent = ends.all(|ended| ended.is_some_and(|ended| certain(ended.how, &ended.class)));
        self.state() == State::Queued && !self.parked && self.gated.is_none() && unsent
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

    /// Somebody calls off what moved on: whoever has it now is told.
    pub fn call_off_moved(&mut self, fact: Fact) -> bool {
        let first = self.state() == State::Moved && self.cancelled.is_none();
        if first {
            self.cancelled = Some(fact);
        }
        first
    }
}
