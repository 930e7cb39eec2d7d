//! What the rows say of each message, and what the machine makes of it.

use super::super::super::event::UnknownPolicy;
use super::super::super::id::{KeyId, MessageId};
use super::super::super::record::Micros;
use super::super::flight::{Flight, Phase, wait_over};
use super::super::{Queued, Standing};
use super::Machine;

impl Machine {
    /// The row says where the message stands: whatever was believed gives way to it.
    pub(super) fn follow(&mut self, message: MessageId, standing: Standing, now: Micros) {
        match standing {
            Standing::Queued(queued) => self.enqueue(queued, now),
            Standing::Settled => {
                self.forget(message);
                self.lanes.settle(message);
            }
            // An intent that is on its way is judged when it is read back. A gated message holds up nobody.
            Standing::Gated { attempt, .. } => {
                if !self.is_ahead(message, attempt) {
                    self.forget(message);
                    self.lanes.settle(message);
                }
            }
            // Held until somebody decides: there is nothing to time, and the decision comes as another standing.
            Standing::Unknown { policy: UnknownPolicy::Hold, blocks, .. } => {
                self.forget(message);
                self.block(blocks, message);
            }
            Standing::Unknown { of, policy, due, blocks } => {
                self.forget(message);
                self.block(blocks, message);
                self.unknown.insert(message, (of, policy));
                self.due.insert((due, message));
            }
            Standing::Open { of, running, presumed_dead, expires_at, contact, counted, strict } => {
                // A row from the store may be older than what is known.
                if self.is_ahead(message, of.attempt) {
                    return;
                }
                self.forget(message);
                let phase = if running { Phase::Running } else { Phase::Inherited };
                self.block(strict.then_some(contact), message);
                let flight = Flight { of, contact, expires_at, queued: None, counted, phase, began: Micros::MIN };
                self.flights.insert(message, flight);
                // It may leave at any moment still, or come back: who came after it waits until that is known.
                self.lanes.occupy(contact, message);
                if !running {
                    self.due.insert((presumed_dead, message));
                }
            }
        }
    }

    fn enqueue(&mut self, queued: Queued, now: Micros) {
        let message = queued.message;
        if self.is_ahead(message, queued.attempt) || self.lanes.contains(message) || self.waiting.contains_key(&message)
        {
            return;
        }
        let voided = self.flights.get(&message).is_some_and(|flight| flight.phase == Phase::Voided);
        self.forget(message);
        // A first attempt takes its lane when it is its turn.
        self.block((queued.strict && queued.attempt > 1).then_some(queued.contact), message);
        if wait_over(&queued) > now {
            self.retries.insert((wait_over(&queued), message));
            self.waiting.insert(message, queued);
            // Its lane waits for it in each life, not only in the one that tried it.
            if queued.keeps_until > now {
                self.lanes.block(queued.contact, wait_over(&queued).min(queued.keeps_until));
            }
        } else {
            // What was tried a moment ago keeps its place; what comes back from outside goes behind who came before it.
            self.lanes.push(queued, voided || queued.attempt > 1 && queued.not_before > 0);
        }
    }

    /// Whether this attempt of a message, or a later one, is on its way: a row that says less is older than what is known.
    fn is_ahead(&self, message: MessageId, attempt: u16) -> bool {
        let flight = self.flights.get(&message);
        flight.is_some_and(|flight| flight.of.attempt >= attempt && flight.phase != Phase::Voided)
    }

    fn block(&mut self, lane: Option<KeyId>, message: MessageId) {
        if let Some(contact) = lane {
            self.lanes.reserve(contact, message);
        }
    }

    pub(super) fn forget(&mut self, message: MessageId) {
        if let Some(flight) = self.flights.remove(&message) {
            self.lanes.free(flight.contact, message);
        }
        self.lanes.remove(message);
        if let Some(queued) = self.waiting.remove(&message) {
            self.retries.remove(&(wait_over(&queued), message));
        }
        if self.unknown.remove(&message).is_some() {
            self.due.retain(|(_, other)| *other != message);
        }
    }
}
