//! What the session remembers of unsettled messages: what goes into the ring, what is set aside, and from where on the
//! outbox holds something unsettled.

use std::time::Duration;

use super::actor::State;
use super::aside::{LANE_MAX, Waits};
use super::pull::{look_again, pull};
use super::standing::MessageRef;
use crate::actors::partition::Notice;
use crate::domain::event::{ByPriority, Priority, UnknownPolicy};
use crate::domain::id::{KeyId, MessageId};
use crate::domain::record::Position;
use crate::domain::session::{Input, Machine, Standing};

/// By how many positions, or after how long, a low-water mark that moved is told.
const LOW_STEP: u64 = 1_024;
const LOW_EVERY: Duration = Duration::from_secs(1);

/// Places of a person's that are taken. A lane that a strict message has to itself takes no others: they would fill the
/// ring, and wait there for as long as it does.
fn taken(machine: &Machine, contact: KeyId) -> usize {
    if machine.is_reserved(contact) { LANE_MAX } else { machine.waiting_for(contact) }
}

impl State {
    /// A message's row was seen: it goes to the machine, or is set aside.
    pub(super) fn enter(
        &mut self,
        message: MessageId,
        standing: Standing,
        reference: Option<MessageRef>,
    ) -> Option<Input> {
        if self.sets_aside(message, standing, reference) {
            return None;
        }
        self.follow(message, standing, reference);
        Some(Input::Standing(message, standing))
    }

    /// First attempts only: a retry has its place, and what is urgent goes first.
    fn sets_aside(&mut self, message: MessageId, standing: Standing, reference: Option<MessageRef>) -> bool {
        let (Standing::Queued(queued), Some(reference)) = (standing, reference) else {
            return false;
        };
        if queued.attempt > 1 || self.refs.contains_key(&message) {
            return false;
        }
        if queued.priority == Priority::Urgent && !self.machine.is_reserved(queued.contact) {
            return false;
        }
        let taken = taken(&self.machine, queued.contact);
        let entering = self.entering.entry(queued.contact).or_default();
        let waits = Waits { contact: queued.contact, at: reference.entered, message, priority: queued.priority };
        if !self.aside.take(waits, taken + *entering) {
            *entering += 1;
            return false;
        }
        self.seen = self.seen.max(reference.entered);
        self.unsettled.insert((reference.entered, message));
        true
    }

    /// People whose lanes have room again get their next messages.
    pub(super) async fn bring_back(&mut self, inputs: &mut Vec<Input>) {
        if self.aside.is_empty() {
            return;
        }
        let machine = &self.machine;
        let due = self.aside.due(machine.rooms(), |contact| taken(machine, contact));
        let known = (self.args.tenure, self.args.gates.as_ref());
        match look_again(&self.args.hands, known, due, &mut self.aside).await {
            Ok(found) => {
                for (waits, standing, reference) in found {
                    if standing == Standing::Settled {
                        self.unsettled.remove(&(waits.at, waits.message));
                    }
                    self.follow(waits.message, standing, reference);
                    inputs.push(Input::Standing(waits.message, standing));
                }
            }
            Err(error) => {
                tracing::error!(session = %self.args.session, %error, "rows cannot be read; the sweep tries again");
            }
        }
    }

    pub(super) fn follow(&mut self, message: MessageId, standing: Standing, reference: Option<MessageRef>) {
        self.see_gated(message, standing);
        match (standing, reference) {
            // What is held until somebody decides is found by the decision, not by the outbox, unless others wait for it.
            (Standing::Settled | Standing::Unknown { policy: UnknownPolicy::Hold, blocks: None, .. }, _)
            | (_, None) => {
                if let Some(reference) = self.refs.remove(&message).or(reference) {
                    self.unsettled.remove(&(reference.entered, message));
                }
            }
            (_, Some(reference)) => {
                self.seen = self.seen.max(reference.entered);
                self.unsettled.insert((reference.entered, message));
                let before = self.refs.insert(message, reference).filter(|before| before.entered != reference.entered);
                if let Some(before) = before {
                    self.unsettled.remove(&(before.entered, message));
                }
            }
        }
    }

    /// Reads on in the outbox of each priority that has room.
    pub(super) async fn fill(&mut self, rooms: ByPriority<usize>) -> Vec<Input> {
        let mut inputs = Vec::new();
        for (priority, room) in Priority::ALL.into_iter().zip(rooms).filter(|(_, room)| *room > 0) {
            inputs.extend(self.fill_with(priority, room).await);
        }
        inputs
    }

    async fn fill_with(&mut self, priority: Priority, room: usize) -> Vec<Input> {
        let args = &self.args;
        let Some(cold) = args.mailbox.to_pull(priority, self.taken[priority.index()]) else {
            return Vec::new();
        };
        let (known, of) = ((args.tenure, args.gates.as_ref()), (args.session, args.partition));
        let page = match pull(&args.hands, of, (&args.mailbox, self.life), known, (priority, cold, room)).await {
            Ok(page) => page,
            Err(error) => {
                tracing::error!(session = %args.session, %error, "the outbox cannot be read; the sweep tries again");
                return Vec::new();
            }
        };
        if page.more && page.found.is_empty() {
            self.args.mailbox.inbox.nudge();
        }
        let mut inputs = Vec::with_capacity(page.found.len());
        for (_, message, standing, reference) in page.found {
            inputs.extend(self.enter(message, standing, reference));
        }
        inputs
    }

    /// Tells the partition from where on the outbox is unsettled, when that moved.
    pub(super) fn mark_low(&mut self) {
        let memory = self.unsettled.first().map(|(position, _)| *position);
        let cold = self.args.mailbox.cold().into_iter().flatten().map(|cold| cold.from);
        let low = cold.chain(memory).min();
        if self.is_worth_telling(low) {
            self.low = low;
            self.low_told = self.args.hands.clock.steady();
            self.args.notices.put(Notice::Low { session: self.args.session, low, seen: self.seen });
        }
    }

    /// The end of all work at once; a mark that moves on now and then, since too low a one costs a start some reads.
    fn is_worth_telling(&self, low: Option<Position>) -> bool {
        match (self.low, low) {
            (before, low) if before == low => false,
            (Some(before), Some(low)) if low > before => {
                low.0 - before.0 >= LOW_STEP
                    || self.args.hands.clock.steady().saturating_sub(self.low_told) >= LOW_EVERY
            }
            _ => true,
        }
    }
}
