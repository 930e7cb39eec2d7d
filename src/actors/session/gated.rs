//! Messages that stand behind an operator's gate: they leave the outbox by an event, and the session forgets them.
//!
//! A million messages of a template may wait in the outbox when it is stopped. The session reads them in pages as ever, and
//! what it finds barred it says, many in one event; once that is applied they are the partition's, which lets them out when
//! the gate opens. So they cost the session neither memory nor the places of others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::actor::State;
use crate::domain::event::{ByPriority, Event, MessagesGatedV1};
use crate::domain::gate::{GatesRow, MAX_BATCH};
use crate::domain::id::{EventId, MessageId};
use crate::domain::session::Standing;

/// Messages on their way out of the outbox: beyond it nothing is pulled until some are out. With what is remembered of
/// each some 250 bytes, 256 KiB a session.
const LEAVING_MAX: usize = 1_024;

/// Messages that are on their way out of the outbox.
#[derive(Debug, Default)]
pub struct Leaving {
    /// Since which closing, and whether that was said.
    messages: HashMap<MessageId, (EventId, bool)>,
}

impl Leaving {
    /// A message's row was seen.
    fn see(&mut self, message: MessageId, standing: Standing) {
        let Standing::Gated { closing, .. } = standing else {
            self.messages.remove(&message);
            return;
        };
        let said = self.messages.get(&message) == Some(&(closing, true));
        self.messages.insert(message, (closing, said));
    }

    /// What is to be said now, by closing.
    fn unsaid(&mut self) -> BTreeMap<EventId, Vec<MessageId>> {
        let mut unsaid: BTreeMap<EventId, Vec<MessageId>> = BTreeMap::new();
        for (message, (closing, said)) in self.messages.iter_mut().filter(|(_, (_, said))| !said) {
            *said = true;
            unsaid.entry(*closing).or_default().push(*message);
        }
        unsaid
    }

    fn room(&self) -> usize {
        LEAVING_MAX.saturating_sub(self.messages.len())
    }
}

impl State {
    /// Takes note of what is barred, and of what is so no more.
    pub(super) fn see_gated(&mut self, message: MessageId, standing: Standing) {
        self.leaving.see(message, standing);
    }

    /// Says which messages leave the outbox, once for each.
    pub(super) fn leave_outbox(&mut self) {
        for (closing, messages) in self.leaving.unsaid() {
            for batch in messages.chunks(MAX_BATCH) {
                let facts = MessagesGatedV1 { session: self.args.session, closing, messages: batch.to_vec() };
                let id = EventId(self.args.hands.entropy.id());
                self.persist(self.draft(id, &Event::from(facts)));
            }
        }
    }

    /// How much of each priority may be pulled, if the machine has this much room.
    pub(super) fn room_to_pull(&self, free: ByPriority<usize>) -> Option<ByPriority<usize>> {
        let (cold, mut leaving, mut rooms) = (self.args.mailbox.cold(), self.leaving.room(), [0; 3]);
        for (at, room) in rooms.iter_mut().enumerate().filter(|(at, _)| cold[*at].is_some()) {
            *room = free[at].min(leaving);
            leaving -= *room;
        }
        Some(rooms).filter(|rooms| *rooms != [0; 3] && self.args.left.is_none())
    }

    /// The partition's gates are these now. What waits here for its turn is looked at again if one more is closed.
    pub(super) fn follow_gates(&mut self, gates: Arc<GatesRow>) {
        let known: BTreeSet<EventId> = self.args.gates.closed().map(|(_, closed)| closed.closing).collect();
        let closes = gates.closed().any(|(_, closed)| !known.contains(&closed.closing));
        self.args.gates = gates;
        if closes {
            self.machine.waiting().for_each(|message| self.look(message));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_barred_is_said_once_for_each_closing_and_forgotten_when_it_is_out() {
        let mut leaving = Leaving::default();
        let message = |n| MessageId([n; 16]);
        let gated = |n| Standing::Gated { attempt: 1, closing: EventId([n; 16]) };
        leaving.see(message(1), gated(7));
        leaving.see(message(2), gated(7));
        assert_eq!(leaving.unsaid().values().map(Vec::len).sum::<usize>(), 2);
        leaving.see(message(1), gated(7));
        assert!(leaving.unsaid().is_empty(), "the outbox shows it again: said already");
        leaving.see(message(1), gated(8));
        assert_eq!(leaving.unsaid(), BTreeMap::from([(EventId([8; 16]), vec![message(1)])]), "another closing");
        leaving.see(message(1), Standing::Settled);
        leaving.see(message(2), Standing::Settled);
        assert_eq!(leaving.room(), LEAVING_MAX);
    }

    #[test]
    fn no_more_is_read_than_may_be_on_its_way() {
        let mut leaving = Leaving::default();
        for n in 0..LEAVING_MAX as u128 {
            leaving.see(MessageId(n.to_be_bytes()), Standing::Gated { attempt: 1, closing: EventId([7; 16]) });
        }
        assert_eq!(leaving.room(), 0);
    }
}
