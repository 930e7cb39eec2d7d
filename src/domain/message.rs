//! The message machine: which step each fact takes, and the state computed from the facts.
//!
//! Every method is idempotent: a step already taken changes nothing and says so by returning `false`. State is never
//! stored; it is computed from the facts, so a late or doubled status cannot move it back.

mod acceptance;
mod moved;

use serde::{Deserialize, Serialize};

use super::event::{AttemptRef, Status};
use super::id::EventId;
use super::record::{Micros, Position};
use super::row::{Attempt, Ended, Fact, Failure, How, MessageRow};
use super::waiting::waits_for_portfolio;
pub use moved::{Arrival, MAX_DEPTH};

/// Attempts kept on a row, 60 bytes each: beyond it the oldest is forgotten; the journal still has it.
pub const MAX_ATTEMPTS_KEPT: usize = 16;

/// A longer wait than this takes no memory of its session: minutes of throttling stay at hand, a day's hold does not.
pub const PARK_AFTER: Micros = 600 * 1_000_000;

/// Attempts have smaller numbers than this: one that has it is void, and nothing is tried so often by a house in order.
pub const NO_ATTEMPT: u16 = u16::MAX;

/// Withdrawn acceptances kept on a row: one for each doubtful append of one idempotency key.
pub const MAX_WITHDRAWN: usize = 16;

/// The code of a message refused because its idempotency key was used for another body.
pub const IDEMPOTENCY_CONFLICT: &str = "idempotency_conflict";

/// Where a message stands, as people see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// A withdrawn acceptance: there is no such message.
    Withdrawn,
    /// Waiting for the time it was asked to leave at.
    Scheduled,
    /// Waiting for its turn.
    Queued,
    /// An attempt is open.
    Sending,
    /// The last attempt may have been sent; nobody knows yet.
    Unknown,
    /// On the provider's servers.
    Sent,
    /// On the device.
    Delivered,
    /// Seen.
    Read,
    /// Not delivered, for good.
    Failed,
    /// Ran out of time.
    Expired,
    /// Called off.
    Cancelled,
    /// In another sender's mailbox.
    Moved,
}

impl State {
    /// Whether nothing more will be sent for it.
    #[must_use]
    pub fn is_settled(self) -> bool {
        !matches!(self, Self::Scheduled | Self::Queued | Self::Sending | Self::Unknown)
    }

    /// The word for it, as the API writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Withdrawn => "withdrawn",
            Self::Scheduled => "scheduled",
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Unknown => "unknown",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Moved => "moved",
        }
    }
}

impl MessageRow {
    /// The state that the facts add up to.
    #[must_use]
    pub fn state(&self) -> State {
        if self.accepted.is_none() {
            return State::Withdrawn;
        }
        if self.read.is_some() || self.played.is_some() {
            return State::Read;
        }
        if self.delivered.is_some() {
            return State::Delivered;
        }
        if self.moved.is_some() && self.sent.is_none() {
            return State::Moved;
        }
        if self.failed.is_some() {
            return State::Failed;
        }
        if self.sent.is_some() {
            return State::Sent;
        }
        self.unsent_state()
    }

    /// An open attempt is awaited; what called the message off meanwhile holds once it ended without having been sent,
    /// and speaks over an unknown end only if it came after it: people see what may have been sent until they decide.
    fn unsent_state(&self) -> State {
        let ended = self.attempts.last().map(|attempt| attempt.ended.as_ref());
        match ended {
            Some(None) => State::Sending,
            Some(Some(ended)) if ended.how == How::Unknown && !self.called_off_after(ended) => State::Unknown,
            _ if self.cancelled.is_some() => State::Cancelled,
            _ if self.expired.is_some() => State::Expired,
            None if self.is_early() => State::Scheduled,
            _ => State::Queued,
        }
    }

    fn is_early(&self) -> bool {
        self.released.is_none() && self.accepted.as_ref().is_some_and(|accepted| accepted.send_at.is_some())
    }

    /// Whether it is in no outbox, but in the due index.
    #[must_use]
    pub fn awaits_release(&self) -> bool {
        match self.state() {
            State::Scheduled => true,
            State::Queued => self.parked,
            _ => false,
        }
    }

    /// Until when, if it awaits its release: the time by which the due index names this wait, and no earlier one.
    #[must_use]
    pub fn waits_until(&self) -> Option<Micros> {
        let accepted = self.accepted.as_ref().filter(|_| self.awaits_release())?;
        match self.is_early() {
            true => accepted.send_at,
            false => Some(self.not_before.unwrap_or_default().min(accepted.expires_at)),
        }
    }

    /// The closing of a gate that it left the outbox for, while it waits for its opening.
    #[must_use]
    pub fn waits_since(&self) -> Option<EventId> {
        self.gated.filter(|_| self.state() == State::Queued)
    }

    /// Lets it wait outside of the outbox for a gate. It comes back at its opening, or to expire.
    pub fn gate(&mut self, closing: EventId) {
        (self.gated, self.parked) = (Some(closing), false);
    }

    /// The gate is open since whose closing it waited.
    pub fn ungate(&mut self, closing: EventId, fact: Fact) -> bool {
        let waits = self.waits_since() == Some(closing);
        if waits {
            (self.gated, self.entered) = (None, Some(fact.position));
        }
        waits
    }

    /// The time it waited for has come. `attempt` names the wait by what comes after it, if it is named: of another wait nothing
    /// is said.
    pub fn release(&mut self, attempt: Option<u16>, fact: Fact) -> bool {
        let waits = self.awaits_release() && attempt.is_none_or(|attempt| attempt == self.next_attempt());
        if waits {
            if waits_for_portfolio(self) {
                self.not_before = None;
            }
            (self.released, self.parked) = (Some(fact), false);
            self.entered = Some(fact.position);
        }
        waits
    }

    /// Whether it was released since its last attempt: it goes behind those who entered the outbox before it.
    #[must_use]
    pub fn returned(&self) -> bool {
        let last = self.attempts.last().map(|attempt| attempt.started.position);
        self.released.is_some_and(|released| last.is_some_and(|last| released.position > last))
    }

    /// Lets it wait outside of the outbox if that is for long. A strict one keeps its lane, and so its session's memory.
    /// Says when it is due.
    pub fn park(&mut self, now: Micros, not_before: Micros) -> Option<Micros> {
        let accepted = self.accepted.as_ref()?;
        self.parked = !accepted.ordered && not_before.saturating_sub(now) > PARK_AFTER;
        self.parked.then(|| not_before.min(accepted.expires_at))
    }

    /// Its last place in the outbox: at its acceptance, when its time had come, or when it was queued again.
    #[must_use]
    pub fn entered(&self) -> Option<Position> {
        self.entered.or_else(|| Some(self.accepted.as_ref()?.fact.position))
    }

    fn called_off_after(&self, ended: &Ended) -> bool {
        let mut called_off = self.cancelled.iter().chain(&self.expired);
        called_off.any(|fact| fact.position > ended.fact.position)
    }

    /// Whether `failed` is the end of an attempt of ours, and not the provider's word on one that it took.
    fn is_refused(&self) -> bool {
        let Some(failure) = &self.failed else {
            return false;
        };
        let ends = self.attempts.iter().flat_map(|attempt| &attempt.ended);
        let mut refusals = ends.filter(|ended| matches!(ended.how, How::Failed | How::Withdrawn));
        refusals.any(|ended| ended.fact.position == failure.fact.position)
    }

    /// The message fails with an attempt of it, unless another was sent, or failed, all the same.
    pub fn refuse(&mut self, failure: Failure) -> bool {
        if self.sent.is_some() || self.failed.is_some() {
            return false;
        }
        self.failed = Some(failure);
        true
    }

    /// Calls an unsettled message off, once: it holds when no attempt is open any more. What was said in an earlier round
    /// is past, also when it lands late or a second time.
    pub fn call_off(&mut self, fact: Fact, how: State, round: u16) -> bool {
        let again = self.cancelled.is_some() || self.expired.is_some();
        if again || round != self.round || self.state().is_settled() {
            return false;
        }
        match how {
            State::Cancelled => self.cancelled = Some(fact),
            State::Expired => self.expired = Some(fact),
            _ => return false,
        }
        true
    }

    /// Whether it may be queued again: it failed or ran out of time, nothing of it is under way, nobody called it off, and
    /// it is not the second of two under one idempotency key.
    #[must_use]
    pub fn may_requeue(&self) -> bool {
        let over = matches!(self.state(), State::Failed | State::Expired);
        let conflicts = self.failed.as_ref().is_some_and(|failure| failure.class == IDEMPOTENCY_CONFLICT);
        over && self.open_attempt().is_none() && self.cancelled.is_none() && !conflicts
    }

    /// Queues a message again that failed or ran out of time. `round` names the step: said again, or after a later one,
    /// it is known (`None`). One that finds a message that is not over is used up by that, or a late copy of it would
    /// do what nobody asked for by then.
    ///
    /// An attempt that may have been sent is given up for the next one, as when it is resent: whoever asks for this has
    /// seen that it may arrive twice.
    pub fn requeue(&mut self, round: u16, fact: Fact, expires_at: Micros) -> Option<bool> {
        if round <= self.asked {
            return None;
        }
        self.asked = round;
        if !self.may_requeue() {
            return Some(false);
        }
        let last = self.attempts.last_mut().and_then(|attempt| attempt.ended.as_mut());
        if let Some(ended) = last.filter(|ended| ended.how == How::Unknown) {
            *ended = Ended { fact, how: How::Retry, code: 0, class: "requeued".into() };
        }
        self.past = self.next_attempt() - 1;
        self.round = round;
        (self.failed, self.expired, self.sent, self.not_before) = (None, None, None, None);
        self.counted = 0;
        if let Some(accepted) = &mut self.accepted {
            accepted.expires_at = expires_at;
        }
        // One that expired before it was released waits for its time no more.
        if self.is_early() {
            self.released = Some(fact);
        }
        (self.entered, self.parked, self.gated) = (Some(fact.position), false, None);
        Some(true)
    }

    /// The number the next attempt has; at the last one there is no next.
    #[must_use]
    pub fn next_attempt(&self) -> u16 {
        self.attempts.last().map_or(1, |attempt| attempt.number.saturating_add(1))
    }

    /// The attempt that is neither closed nor superseded.
    #[must_use]
    pub fn open_attempt(&self) -> Option<&Attempt> {
        self.attempts.last().filter(|attempt| attempt.ended.is_none())
    }

    /// Opens an attempt whose intent was judged valid.
    pub fn start(&mut self, attempt: Attempt) {
        (self.not_before, self.parked, self.gated) = (None, false, None);
        if self.attempts.len() == MAX_ATTEMPTS_KEPT {
            self.attempts.remove(0);
        }
        self.attempts.push(attempt);
    }

    /// Closes an attempt. Outcomes are facts: no claim fences them. `Unknown` gives way to a later, firmer word, and
    /// every word to `Sent`: an attempt that was given up for another may still turn out to have been taken.
    pub fn close(&mut self, of: AttemptRef, ended: Ended) -> bool {
        let Some(attempt) = self.attempts.iter_mut().find(|attempt| attempt.number == of.attempt) else {
            return false;
        };
        let firmer = match &attempt.ended {
            None => true,
            Some(before) if ended.how == How::Sent => before.how != How::Sent,
            Some(before) => before.how == How::Unknown && ended.how != How::Unknown,
        };
        if firmer {
            attempt.ended = Some(ended);
        }
        firmer
    }

    /// The provider took an attempt: the first one makes the message sent, whatever became of the others; a further one
    /// is a confirmed duplicate.
    pub fn mark_sent(&mut self, of: AttemptRef, fact: Fact) -> bool {
        let ended = Ended { fact, how: How::Sent, code: 0, class: Box::default() };
        let refused = self.is_refused();
        let closed = self.close(of, ended);
        if self.is_past(of) && !closed {
            return false;
        }
        match self.sent {
            None => {
                if refused {
                    self.failed = None;
                }
                self.sent = Some(fact);
                true
            }
            Some(_) => {
                self.duplicates += u16::from(closed);
                closed
            }
        }
    }

    /// Whether an attempt belongs to an earlier round.
    #[must_use]
    pub fn is_past(&self, of: AttemptRef) -> bool {
        of.attempt <= self.past
    }

    /// Takes a provider's status. `failed` after `delivered` is logged by the caller, not applied.
    pub fn report(&mut self, status: Status, fact: Fact, class: &str, code: i32) -> bool {
        let slot = match status {
            Status::Sent => &mut self.sent,
            Status::Delivered => &mut self.delivered,
            Status::Read => &mut self.read,
            Status::Played => &mut self.played,
            Status::Other => return false,
            Status::Failed => {
                let known = self.failed.is_some();
                let elsewhere = self.state() == State::Moved;
                if (known && !self.is_refused()) || self.delivered.is_some() || self.read.is_some() || elsewhere {
                    return false;
                }
                self.failed = Some(Failure { fact, class: class.to_owned(), code });
                return !known;
            }
        };
        if slot.is_some() {
            return false;
        }
        *slot = Some(fact);
        // The chat was open, or callbacks overtook each other: seen implies sent.
        self.sent.get_or_insert(fact);
        true
    }
}

#[cfg(test)]
pub(super) mod tests;
