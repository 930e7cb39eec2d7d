//! Lanes: one queue per recipient, taken in turn, urgent before normal before bulk with a guaranteed share.
//!
//! Order holds within a lane for first attempts. A lane is busy while its head is in flight; a head that waits (pair
//! rate, retry) parks its lane and nobody else's. A strict message keeps its lane to itself from its first turn until it is
//! settled, whatever becomes of its attempts.

use std::collections::{BTreeSet, HashMap, VecDeque};

use super::super::event::{ByPriority, Priority};
use super::super::id::{KeyId, MessageId};
use super::super::record::Micros;
use super::Queued;

/// Sixteen turns: which priority is asked first. Urgent leads in ten, normal in four, bulk in two, so that neither
/// starves; whoever leads an empty queue passes the turn on in order of priority.
const TURNS: [Priority; 16] = {
    use Priority::{Bulk, Normal, Urgent};
    [
        Urgent, Urgent, Normal, Urgent, Urgent, Bulk, Urgent, Normal, Urgent, Urgent, Normal, Urgent, Urgent, Bulk,
        Urgent, Normal,
    ]
};

#[derive(Debug, Default)]
struct Lane {
    queue: VecDeque<Queued>,
    busy: Option<MessageId>,
    parked: Option<Micros>,
    /// A strict message that is not settled: only it may leave.
    reserved: Option<MessageId>,
    /// In which list of `ready` it stands; what other lists say of it is out of date.
    listed: Option<usize>,
}

impl Lane {
    /// Where in the queue the one stands whose turn it is: the head, or whoever reserved the lane.
    fn next(&self) -> Option<usize> {
        if self.busy.is_some() || self.parked.is_some() {
            return None;
        }
        match self.reserved {
            None => (!self.queue.is_empty()).then_some(0),
            Some(by) => self.queue.iter().position(|queued| queued.message == by),
        }
    }

    fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.busy.is_none() && self.parked.is_none() && self.reserved.is_none()
    }
}

/// All recipients with work, and whose turn it is.
#[derive(Debug, Default)]
pub struct Lanes {
    lanes: HashMap<KeyId, Lane>,
    ready: [VecDeque<KeyId>; 3],
    parked: BTreeSet<(Micros, KeyId)>,
    /// Where each waiting message is.
    places: HashMap<MessageId, (KeyId, Priority)>,
    /// How many of each priority wait.
    counts: ByPriority<usize>,
    /// Lanes that are reserved, by whom.
    reserved: HashMap<MessageId, KeyId>,
    turn: usize,
}

impl Lanes {
    /// Messages waiting.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Messages waiting, by priority.
    #[must_use]
    pub fn waiting_by_priority(&self) -> ByPriority<usize> {
        self.counts
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Messages waiting for this recipient.
    #[must_use]
    pub fn waiting(&self, contact: KeyId) -> usize {
        self.lanes.get(&contact).map_or(0, |lane| lane.queue.len())
    }

    /// Whether a strict message has this recipient's lane to itself.
    #[must_use]
    pub fn is_reserved(&self, contact: KeyId) -> bool {
        self.lanes.get(&contact).is_some_and(|lane| lane.reserved.is_some())
    }

    /// Whether this message waits here.
    #[must_use]
    pub fn contains(&self, message: MessageId) -> bool {
        self.places.contains_key(&message)
    }

    /// Which messages wait, in no order.
    pub fn messages(&self) -> impl Iterator<Item = MessageId> {
        self.places.keys().copied()
    }

    /// Messages whose time has run out.
    #[must_use]
    pub fn expired(&self, now: Micros) -> Vec<MessageId> {
        let waiting = self.lanes.values().flat_map(|lane| &lane.queue);
        waiting.filter(|queued| queued.expires_at <= now).map(|queued| queued.message).collect()
    }

    /// Puts a message at the end of its lane; a retried one in front.
    pub fn push(&mut self, queued: Queued, front: bool) {
        // Most people have one message: room for four of each of a ring's people would be 4 MiB over 50 sessions.
        let lane = self.lanes.entry(queued.contact);
        let lane = lane.or_insert_with(|| Lane { queue: VecDeque::with_capacity(1), ..Lane::default() });
        if front {
            lane.queue.push_front(queued);
        } else {
            // Urgent overtakes within the lane too: a code must not wait behind a campaign to the same person.
            let at = lane.queue.iter().rposition(|other| other.priority <= queued.priority).map_or(0, |at| at + 1);
            lane.queue.insert(at, queued);
        }
        self.place(&queued);
        self.list(queued.contact);
    }

    fn place(&mut self, queued: &Queued) {
        self.displace(queued.message);
        self.places.insert(queued.message, (queued.contact, queued.priority));
        self.counts[queued.priority.index()] += 1;
    }

    fn displace(&mut self, message: MessageId) -> Option<KeyId> {
        let (contact, priority) = self.places.remove(&message)?;
        self.counts[priority.index()] -= 1;
        Some(contact)
    }

    /// Takes a message out, wherever it waits.
    pub fn remove(&mut self, message: MessageId) {
        let Some(contact) = self.displace(message) else {
            return;
        };
        if let Some(lane) = self.lanes.get_mut(&contact) {
            lane.queue.retain(|queued| queued.message != message);
        }
        self.forget_if_idle(contact);
    }

    /// The next head whose turn it is. Its lane is busy until [`Self::free`], [`Self::park`] or [`Self::push`] says more.
    pub fn take_next(&mut self) -> Option<Queued> {
        let lead = TURNS[self.turn % TURNS.len()].index();
        let order = [lead, 0, 1, 2];
        for priority in order {
            while let Some(contact) = self.ready[priority].pop_front() {
                if let Some(queued) = self.take_head(contact, priority) {
                    self.turn = self.turn.wrapping_add(1);
                    return Some(queued);
                }
            }
        }
        None
    }

    /// Takes the head, unless its lane changed since it was listed: then it is listed anew where it belongs.
    fn take_head(&mut self, contact: KeyId, priority: usize) -> Option<Queued> {
        let lane = self.lanes.get_mut(&contact).filter(|lane| lane.listed == Some(priority))?;
        lane.listed = None;
        let next = lane.next()?;
        if lane.queue[next].priority.index() != priority {
            self.list(contact);
            return None;
        }
        let queued = lane.queue.remove(next)?;
        lane.busy = Some(queued.message);
        self.displace(queued.message);
        if queued.strict {
            self.reserve(contact, queued.message);
        }
        Some(queued)
    }

    /// A strict message keeps its lane from here on. One that comes back to a lane which another one has taken meanwhile
    /// waits for that one.
    pub fn reserve(&mut self, contact: KeyId, message: MessageId) {
        let lane = self.lanes.entry(contact).or_default();
        if lane.reserved.is_none() {
            lane.reserved = Some(message);
            self.reserved.insert(message, contact);
        }
    }

    /// It is settled: the lane is everybody's again.
    pub fn settle(&mut self, message: MessageId) {
        let Some(contact) = self.reserved.remove(&message) else {
            return;
        };
        if let Some(lane) = self.lanes.get_mut(&contact) {
            lane.reserved = None;
        }
        self.list(contact);
        self.forget_if_idle(contact);
    }

    /// A message that another life took is in flight.
    pub fn occupy(&mut self, contact: KeyId, message: MessageId) {
        self.lanes.entry(contact).or_default().busy.get_or_insert(message);
    }

    /// The head in flight is done with, for this lane: the next one may go.
    pub fn free(&mut self, contact: KeyId, message: MessageId) {
        if let Some(lane) = self.lanes.get_mut(&contact)
            && lane.busy == Some(message)
        {
            lane.busy = None;
            self.list(contact);
            self.forget_if_idle(contact);
        }
    }

    /// Puts a head back and lets its lane wait until then.
    pub fn park(&mut self, queued: Queued, until: Micros) {
        self.block(queued.contact, until);
        let lane = self.lanes.entry(queued.contact).or_default();
        lane.queue.push_front(queued);
        if lane.busy == Some(queued.message) {
            lane.busy = None;
        }
        self.place(&queued);
    }

    /// One of its messages is retried later: its lane waits for it until then, or until its next message would expire. One
    /// that is in flight keeps the lane beyond that, until it is free.
    pub fn block(&mut self, contact: KeyId, until: Micros) {
        let lane = self.lanes.entry(contact).or_default();
        let until = lane.queue.front().map_or(until, |next| until.min(next.expires_at));
        let until = lane.parked.map_or(until, |known| known.max(until));
        if let Some(before) = lane.parked.replace(until) {
            self.parked.remove(&(before, contact));
        }
        self.parked.insert((until, contact));
    }

    /// Lets lanes go whose wait is over; the next one's time comes back.
    pub fn unpark(&mut self, now: Micros) -> Option<Micros> {
        while let Some(&(until, contact)) = self.parked.first() {
            if until > now {
                return Some(until);
            }
            self.parked.pop_first();
            if let Some(lane) = self.lanes.get_mut(&contact) {
                lane.parked = None;
            }
            self.list(contact);
            self.forget_if_idle(contact);
        }
        None
    }

    /// The wall clock was set by so much: who waits, waits as long as before.
    pub fn stepped(&mut self, by: Micros) {
        self.parked =
            std::mem::take(&mut self.parked).into_iter().map(|(at, who)| (at.saturating_add(by), who)).collect();
        for (until, contact) in &self.parked {
            if let Some(lane) = self.lanes.get_mut(contact) {
                lane.parked = Some(*until);
            }
        }
    }

    fn list(&mut self, contact: KeyId) {
        let Some(lane) = self.lanes.get_mut(&contact) else {
            return;
        };
        // A head that goes before what the lane is listed under does not wait for that list's turn.
        let list = lane.next().map(|next| lane.queue[next].priority.index());
        if let Some(list) = list.filter(|list| lane.listed.is_none_or(|listed| *list < listed)) {
            lane.listed = Some(list);
            self.ready[list].push_back(contact);
        }
    }

    fn forget_if_idle(&mut self, contact: KeyId) {
        let idle = self.lanes.get(&contact).is_some_and(Lane::is_idle);
        if idle && let Some(list) = self.lanes.remove(&contact).and_then(|lane| lane.listed) {
            // At most a ring's worth of entries, and only where a message is called off or expires.
            self.ready[list].retain(|listed| *listed != contact);
        }
    }
}
