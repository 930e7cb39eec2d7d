//! The machine itself: one method per input, and one place where it is decided what leaves.

mod follow;
mod standing;
mod stepped;

use std::collections::{BTreeSet, HashMap};

use super::super::event::{AttemptRef, ByPriority, Priority, Resolution, UnknownPolicy};
use super::super::failure::Answer;
use super::super::id::{KeyId, MessageId};
use super::super::message::NO_ATTEMPT;
use super::super::pacing::{Held, Pacer};
use super::super::record::Micros;
use super::super::retry::{Tries, Verdict, barred, judge};
use super::super::validity::Void;
use super::flight::{Flight, Phase};
use super::wall::Wall;
use super::{Effect, Ending, Input, Lanes, Queued, SessionLimits};

/// Rings of messages that may wait for a time before nothing more is pulled: 100 bytes each.
const ASIDE: usize = 16;

/// A budget that has not answered by then is asked again: it may have died with the question.
const LEASE_PATIENCE: Micros = 1_000_000;

/// One session's machine.
#[derive(Debug)]
pub struct Machine {
    limits: SessionLimits,
    pacer: Pacer,
    lanes: Lanes,
    flights: HashMap<MessageId, Flight>,
    /// Retries waiting outside their lane.
    retries: BTreeSet<(Micros, MessageId)>,
    waiting: HashMap<MessageId, Queued>,
    /// Unknown outcomes and what becomes of them when; inherited flights too.
    due: BTreeSet<(Micros, MessageId)>,
    unknown: HashMap<MessageId, (AttemptRef, UnknownPolicy)>,
    wall: Wall,
    /// The row says that the sender is held, or is about to; since when this life knows.
    held: Option<Micros>,
    suspended: bool,
    /// Whether it belongs to a portfolio: then what that is refused for holds no message that is not counted by it.
    in_portfolio: bool,
    lease: (u32, Micros),
    lease_asked: Option<Micros>,
    /// A tick of intents is on its way: the next one gathers until it is back.
    proposed: bool,
}

impl Machine {
    /// A machine without any message.
    #[must_use]
    pub fn new(limits: SessionLimits, pacer: Pacer) -> Self {
        Self {
            limits,
            pacer,
            lanes: Lanes::default(),
            flights: HashMap::new(),
            retries: BTreeSet::new(),
            waiting: HashMap::new(),
            due: BTreeSet::new(),
            unknown: HashMap::new(),
            wall: Wall::default(),
            held: None,
            suspended: false,
            in_portfolio: false,
            lease: (0, 0),
            lease_asked: None,
            proposed: false,
        }
    }

    /// Messages this machine holds: queued, in flight, waiting, unknown.
    #[must_use]
    pub fn held(&self) -> usize {
        self.ring() + self.aside()
    }

    /// Messages whose turn it is or will be: what the rings are for.
    #[must_use]
    pub fn ring(&self) -> usize {
        self.lanes.len() + self.flights.len()
    }

    /// The same by priority. Of an attempt of an earlier life nobody here knows it.
    #[must_use]
    pub fn rings(&self) -> ByPriority<usize> {
        let mut rings = self.lanes.waiting_by_priority();
        for flight in self.flights.values() {
            rings[flight.queued.map_or(Priority::Normal, |queued| queued.priority).index()] += 1;
        }
        rings
    }

    /// How much of each priority the ring has room for.
    #[must_use]
    pub fn rooms(&self) -> ByPriority<usize> {
        self.rings().map(|ring| self.limits.ring.saturating_sub(ring))
    }

    /// Messages that wait for a time: they take nobody's place in the ring.
    fn aside(&self) -> usize {
        self.waiting.len() + self.unknown.len()
    }

    /// Whether nothing but one strict message may leave for this person.
    #[must_use]
    pub fn is_reserved(&self, contact: KeyId) -> bool {
        self.lanes.is_reserved(contact)
    }

    /// Messages to this person that wait for their turn.
    #[must_use]
    pub fn waiting_for(&self, contact: KeyId) -> usize {
        self.lanes.waiting(contact)
    }

    /// Messages waiting for their turn.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.lanes.len() + self.waiting.len()
    }

    /// Which messages wait for their turn or for a time, in no order.
    pub fn waiting(&self) -> impl Iterator<Item = MessageId> {
        self.lanes.messages().chain(self.waiting.keys().copied())
    }

    /// Attempts in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flights.len()
    }

    /// Takes inputs in their order and says what to do. `drawn` feeds the jitter.
    pub fn step(&mut self, inputs: impl IntoIterator<Item = Input>, now: Micros, mut drawn: u64) -> Vec<Effect> {
        let mut effects = Vec::new();
        let mut endings = Vec::new();
        for input in inputs {
            self.take(input, now, drawn, &mut endings, &mut effects);
            drawn = drawn.rotate_left(17).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
        self.fall_due(now, &mut endings, &mut effects);
        self.pacer.rise(now);
        effects.extend(self.pacer.tell(now).map(Effect::Pace));
        if !endings.is_empty() {
            effects.push(Effect::Close(endings));
        }
        self.leave(now, &mut effects);
        effects
    }

    fn take(&mut self, input: Input, now: Micros, drawn: u64, endings: &mut Vec<Ending>, effects: &mut Vec<Effect>) {
        match input {
            Input::Standing(message, standing) => self.follow(message, standing, now),
            Input::Judged(judged) => {
                self.proposed = false;
                for (of, verdict) in judged {
                    self.judged(of, verdict, effects);
                }
            }
            Input::NotProposed(refused) => {
                self.proposed = false;
                for of in refused {
                    self.put_back(of);
                }
            }
            Input::Answered(of, answer) => self.answered(of, &answer, now, drawn, endings, effects),
            Input::Barred(of, bar) => self.end(of, barred(bar, self.expires_at(of)), now, endings),
            Input::Held(until) => self.row_holds(until, now),
            Input::Shared(hold) => self.shared(hold, now, effects),
            Input::Released(paced) => self.released(paced, now),
            Input::Received(count) => self.pacer.receive(count, now),
            Input::Suspended(suspended) => self.suspended = suspended,
            Input::Lease(granted, lasts) => {
                let since = self.lease_asked.take().unwrap_or(now);
                self.lease = (granted, since.saturating_add(lasts));
            }
            Input::Tick => {
                for message in self.lanes.expired(now) {
                    self.lanes.remove(message);
                    effects.push(Effect::Expire(message));
                }
            }
        }
    }

    fn judged(&mut self, of: AttemptRef, verdict: Result<(), Void>, effects: &mut Vec<Effect>) {
        let Some(flight) = self.flights.get_mut(&of.message).filter(|flight| flight.of == of) else {
            return;
        };
        match verdict {
            Ok(()) => {
                flight.phase = Phase::Running;
                effects.push(Effect::Begin(of));
            }
            // It keeps its lane: were it put away, who came after it would leave before it.
            Err(_) => {
                flight.phase = Phase::Voided;
                effects.push(Effect::Look(of.message));
            }
        }
    }

    fn expires_at(&self, of: AttemptRef) -> Micros {
        self.flights.get(&of.message).map_or(Micros::MAX, |flight| flight.expires_at)
    }

    fn put_back(&mut self, of: AttemptRef) {
        let Some(flight) = self.flights.get(&of.message).filter(|flight| flight.of == of).copied() else {
            return;
        };
        self.forget(of.message);
        if let Some(queued) = flight.queued {
            self.lanes.push(queued, true);
        }
    }

    fn answered(
        &mut self,
        of: AttemptRef,
        answer: &Answer,
        now: Micros,
        drawn: u64,
        endings: &mut Vec<Ending>,
        effects: &mut Vec<Effect>,
    ) {
        let flight = self.flights.get(&of.message);
        let counted = flight.map_or(0, |flight| flight.counted);
        let began = flight.filter(|flight| flight.of == of).map_or(Micros::MIN, |flight| flight.began);
        let tries = Tries { attempt: of.attempt, counted };
        let (verdict, hold) = judge(answer, tries, self.expires_at(of), now, drawn, &self.limits.retry);
        match (hold, answer) {
            (Some(hold), _) => self.refused(hold, began, now, effects),
            (None, Answer::Sent { .. } | Answer::Rejected { .. }) => self.through(began, effects),
            // Nothing is known of the provider.
            (None, Answer::NotSent { .. } | Answer::Unknown { .. }) => {}
        }
        self.end(of, verdict, now, endings);
    }

    /// The outcome goes to the journal whatever the machine believes: it is a fact. The lane is free at once, unless it is
    /// tried again; the slot of the window when the outcome has come back.
    fn end(&mut self, of: AttemptRef, verdict: Verdict, now: Micros, endings: &mut Vec<Ending>) {
        let verdict = match verdict {
            // There is no number for another attempt.
            Verdict::Retry { class, code, .. } if of.attempt >= NO_ATTEMPT - 1 => Verdict::Failed { class, code },
            verdict => verdict,
        };
        if let Some(flight) = self.flights.get_mut(&of.message).filter(|flight| flight.of == of) {
            flight.phase = Phase::Closing;
            match verdict.keeps_place_until() {
                Some(until) => {
                    let until = until.min(now + self.limits.lane_block);
                    self.lanes.block(flight.contact, until);
                }
                None => self.lanes.free(flight.contact, of.message),
            }
        }
        endings.push(Ending { of, verdict, at: now });
    }

    fn fall_due(&mut self, now: Micros, endings: &mut Vec<Ending>, effects: &mut Vec<Effect>) {
        while let Some(&(at, message)) = self.retries.first().filter(|(at, _)| *at <= now) {
            self.retries.remove(&(at, message));
            if let Some(queued) = self.waiting.remove(&message) {
                self.lanes.push(queued, queued.attempt > 1);
            }
        }
        while let Some(&(at, message)) = self.due.first().filter(|(at, _)| *at <= now) {
            self.due.remove(&(at, message));
            if let Some(flight) = self.flights.get(&message).filter(|flight| flight.phase == Phase::Inherited) {
                self.end(flight.of, Verdict::Unknown { why: "crashed" }, now, endings);
            } else if let Some((of, policy)) = self.unknown.get(&message).copied() {
                match policy {
                    UnknownPolicy::Hold => {}
                    UnknownPolicy::Resend => effects.push(Effect::Resolve(of, Resolution::Resend)),
                    UnknownPolicy::Expire => effects.push(Effect::Resolve(of, Resolution::GiveUp)),
                }
            }
        }
    }

    /// What leaves in this tick, and when to look again.
    fn leave(&mut self, now: Micros, effects: &mut Vec<Effect>) {
        let mut wake = self.lanes.unpark(now);
        let mut attempts = Vec::new();
        let free = self.free();
        let stopped = self.suspended || self.proposed || self.wall.until() > now;
        if self.wall.until() > now {
            earlier(&mut wake, self.wall.until());
        }
        while !stopped && attempts.len() < free {
            if !self.may_spend(now, effects) {
                break;
            }
            let Some(queued) = self.lanes.take_next() else {
                break;
            };
            if queued.expires_at <= now {
                self.lanes.free(queued.contact, queued.message);
                effects.push(Effect::Expire(queued.message));
                continue;
            }
            match self.pacer.take(queued.contact, now) {
                Ok(()) => attempts.push(self.set_out(queued, now)),
                Err(Held::Pair(until)) => {
                    self.lanes.park(queued, until.min(queued.expires_at));
                    earlier(&mut wake, until);
                }
                Err(Held::Number(until)) => {
                    self.lanes.free(queued.contact, queued.message);
                    self.lanes.push(queued, true);
                    earlier(&mut wake, until);
                    break;
                }
            }
        }
        if !attempts.is_empty() {
            self.proposed = true;
            effects.push(Effect::Propose(attempts));
        }
        self.look_ahead(now, wake, effects);
    }

    /// Places in the window. An attempt of an earlier life that nobody here is making takes none: fresh messages start
    /// at once. After a wall one attempt shows whether it still stands.
    fn free(&self) -> usize {
        let window = if self.wall.is_probed() { 1 } else { self.limits.window };
        window.saturating_sub(self.flights.values().filter(|flight| flight.is_own()).count()).min(self.limits.tick)
    }

    fn look_ahead(&self, now: Micros, mut wake: Option<Micros>, effects: &mut Vec<Effect>) {
        if let Some(asked) = self.lease_asked.filter(|_| !self.lanes.is_empty()) {
            earlier(&mut wake, asked + LEASE_PATIENCE);
        }
        let timed = [self.retries.first(), self.due.first()].into_iter().flatten().map(|next| next.0);
        for next in timed.chain(self.pacer.next(now)) {
            earlier(&mut wake, next);
        }
        if let Some(at) = wake {
            effects.push(Effect::WakeAt(at.max(now + 1)));
        }
        // A page is worth its reading.
        let rooms = self.rooms().map(|room| if room >= self.limits.ring / 4 { room } else { 0 });
        if rooms != [0; 3] && self.aside() < ASIDE * self.limits.ring {
            effects.push(Effect::Pull(rooms));
        }
    }

    fn set_out(&mut self, queued: Queued, now: Micros) -> AttemptRef {
        let of = AttemptRef { message: queued.message, attempt: queued.attempt };
        self.lease.0 -= 1;
        let flight = Flight {
            of,
            contact: queued.contact,
            expires_at: queued.expires_at,
            queued: Some(queued),
            counted: queued.counted,
            phase: Phase::Proposed,
            began: now,
        };
        self.flights.insert(queued.message, flight);
        of
    }

    /// Whether the tenant's budget still lends; asks for more when it is spent and there is work.
    fn may_spend(&mut self, now: Micros, effects: &mut Vec<Effect>) -> bool {
        if self.lease.1 <= now {
            self.lease.0 = 0;
        }
        if self.lease.0 > 0 {
            return true;
        }
        if self.lease_asked.is_none_or(|asked| asked + LEASE_PATIENCE <= now) && !self.lanes.is_empty() {
            self.lease_asked = Some(now);
            effects.push(Effect::AskLease(u32::try_from(self.limits.tick).unwrap_or(32)));
        }
        false
    }
}

fn earlier(wake: &mut Option<Micros>, at: Micros) {
    *wake = Some(wake.map_or(at, |known| known.min(at)));
}
