//! Operator's gates: what a tenant's admin stops beside a single session, and which messages stand behind it.
//!
//! A gate is asked for in its tenant's mailbox and copied from there into each partition as an event, so that "closed" has
//! a position in each. Messages are taken while a gate is closed, and wait: they leave memory and outbox, and come back in
//! the order in which they entered it when the gate opens. A message behind a gate holds up nobody, also not when it is
//! `ordered: strict`: what is to the same person and stands behind no gate goes first. One more inversion there is: a gate
//! that opens before all that were queued at its closing have left the outbox lets those go at once.
//!
//! The calling code of a recipient is known from the phone number; of who is written to by a business-scoped user id
//! nobody knows the country, and no country's gate bars it.
//!
//! A campaign has a gate too, which is its own and not the operator's: it is closed from the start, in every partition that
//! never heard of it, and only a word on it opens it. So one that is a draft, or over, takes nobody's way to stop. One that
//! is cancelled is closed for ever; one that is finished stays open, so that what is queued again passes. Its messages stand
//! in its sender's partition, and so do the words on it.

mod which;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::id::{CampaignId, EventId};
use super::message::State;
use super::record::{Micros, Position};
use super::row::{Accepted, MessageRow};
pub use which::{Gate, Marks};

/// Gates that are closed in one partition at once, of all tenants: each is looked at for each message. Some 300 bytes
/// each, 75 KiB a partition.
pub const MAX_CLOSED: usize = 256;

/// Those that a partition closes: who asked for the last place at once with others has it closed all the same, and in every
/// partition. Beyond it a word is heard, and its gate stays open.
const MAX_TAKEN: usize = 2 * MAX_CLOSED;

/// Closed gates of one tenant: a quarter, so that no tenant takes the others' way to stop.
pub const MAX_OF_TENANT: usize = MAX_CLOSED / 4;

/// Campaigns of one tenant that are not over. Each costs its sender's partition some 250 bytes once something waits in it,
/// beside the [`MAX_CLOSED`] gates and never in the place of one.
pub const MAX_CAMPAIGNS_OF_TENANT: usize = 64;

/// Campaigns with messages, of all tenants, in one partition: 64 KiB, written once a window while one of them moves.
pub const MAX_CAMPAIGNS: usize = 256;

/// Open gates that are remembered, so that a late copy of an older word on one is known as such.
pub const MAX_REMEMBERED: usize = 256;

/// So long after its opening a gate lets out everybody who waits before it lets pass who comes.
pub const STRICT: Micros = 10_000_000;

/// Afterwards that holds only while more than these wait: else a gate of steady traffic would never be done, because
/// somebody has always come meanwhile.
pub const FEW: u64 = 256;

/// Messages of one event that leave the outbox together.
pub const MAX_BATCH: usize = 64;

/// That a gate is closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    /// Which closing this is: the event by which it was asked for.
    pub closing: EventId,
    /// In the operator's words.
    pub reason: String,
}

/// Messages that wait since one closing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// Which.
    pub closing: EventId,
    /// How many, at least one.
    pub messages: u64,
}

/// What becomes of those who waited for a gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WayOut {
    /// It is open: they enter the outbox, in their order.
    LetOut,
    /// It never opens: they are cancelled.
    CalledOff,
}

/// Why a campaign's messages wait before anybody started it.
pub const NOT_STARTED: &str = "the campaign is not started";

/// One gate, as a partition knows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KnownGate {
    /// Which.
    pub gate: Gate,
    /// Where the last word on it stands in its tenant's mailbox.
    pub asked: Position,
    /// When it was copied here.
    pub at: Micros,
    /// Whether it was to close it.
    pub closed: Option<Closed>,
    /// No further word comes: what waits for it while it is closed is called off.
    pub over: bool,
    /// Messages of this partition that left the outbox for it, by closing, oldest first. An open gate with some lets them
    /// out before what comes after them.
    pub behind: Vec<Behind>,
}

/// The gates that one partition knows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GatesRow {
    /// In the order of the last word on each.
    pub gates: Vec<KnownGate>,
}

/// A word on a gate, copied into a partition.
#[derive(Debug, Clone, Copy)]
pub struct Word<'a> {
    /// Which.
    pub gate: &'a Gate,
    /// The event by which it was asked for, and its place.
    pub asked: (EventId, Position),
    /// To close it; why.
    pub closed: Option<&'a str>,
    /// For ever.
    pub over: bool,
    /// When it was copied.
    pub at: Micros,
}

impl GatesRow {
    /// Takes a word. An older one than is known changes nothing; one gate too many stays open, and its word is known as heard.
    pub fn take(&mut self, word: Word<'_>) -> bool {
        let known = self.gates.iter().position(|known| known.gate == *word.gate);
        if known.is_some_and(|at| self.gates[at].asked >= word.asked.1) {
            return false;
        }
        let before = known.map(|at| self.gates.remove(at));
        let was_closed = before.as_ref().is_some_and(|before| before.closed.is_some());
        let more = word.closed.is_some() && word.gate.campaign().is_none() && !was_closed;
        let refused = more && self.operators_closed() >= MAX_TAKEN;
        // Closed again without having been open: what waits, waits on, and only the reason is another.
        let closing = before.as_ref().and_then(|before| before.closed.as_ref()).map(|closed| closed.closing);
        let unstarted = word.gate.campaign().filter(|_| before.is_none()).map(CampaignId::first_closing);
        let closing = closing.or(unstarted).unwrap_or(word.asked.0);
        let closed = word.closed.filter(|_| !refused).map(|reason| Closed { closing, reason: reason.to_owned() });
        let behind = before.map(|before| before.behind).unwrap_or_default();
        let (gate, over) = (word.gate.clone(), word.over);
        self.gates.push(KnownGate { gate, asked: word.asked.1, at: word.at, closed, over, behind });
        self.forget_old();
        true
    }

    fn forget_old(&mut self) {
        // A campaign whose gate is forgotten is closed.
        let idle = |known: &KnownGate| {
            let unheard = known.asked == Position(0);
            let campaign = known.gate.campaign().is_some();
            let done = if campaign { known.over || unheard } else { known.closed.is_none() };
            done && known.behind.is_empty()
        };
        while self.gates.iter().filter(|known| idle(known)).count() > MAX_REMEMBERED {
            if let Some(oldest) = self.gates.iter().position(idle) {
                self.gates.remove(oldest);
            }
        }
    }

    /// The closed ones.
    pub fn closed(&self) -> impl Iterator<Item = (&KnownGate, &Closed)> {
        self.gates.iter().filter_map(|known| Some((known, known.closed.as_ref()?)))
    }

    /// How many operators' gates are closed.
    #[must_use]
    pub fn operators_closed(&self) -> usize {
        self.closed().filter(|(known, _)| known.gate.campaign().is_none()).count()
    }

    /// The closing of the gate that a message stands behind, if any.
    #[must_use]
    pub fn bars(&self, accepted: &Accepted) -> Option<EventId> {
        self.bars_what(Marks::of(accepted))
    }

    /// The same of one that is marked so.
    #[must_use]
    pub fn bars_what(&self, marks: Marks<'_>) -> Option<EventId> {
        let closed = self.closed().find(|(known, _)| known.gate.stops(marks)).map(|(_, closed)| closed.closing);
        let unheard = || marks.campaign.filter(|campaign| self.campaign(*campaign).is_none());
        closed.or_else(|| unheard().map(CampaignId::first_closing))
    }

    /// The gate of a campaign, if it was heard of and is remembered.
    #[must_use]
    pub fn campaign(&self, campaign: CampaignId) -> Option<&KnownGate> {
        self.gates.iter().find(|known| known.gate.campaign() == Some(campaign))
    }

    /// The gates of campaigns that were cancelled, as far as they are remembered.
    pub fn cancelled(&self) -> impl Iterator<Item = (&KnownGate, &Closed)> {
        self.closed().filter(|(known, _)| known.over)
    }

    /// How many campaigns there are that are not over.
    #[must_use]
    pub fn campaigns(&self) -> usize {
        self.gates.iter().filter(|known| known.gate.campaign().is_some() && !known.over).count()
    }

    /// The closing that a message waits for which is queued just now: that of a closed gate, or of one that is open and
    /// lets out others before it. `now` is when the event was written that queues it.
    #[must_use]
    pub fn waits_for(&self, accepted: &Accepted, now: Micros) -> Option<EventId> {
        let draining = || {
            let mut open = self.gates.iter().filter(|known| known.lets_out_first(now));
            open.find(|known| known.gate.concerns(accepted))?.behind.last().map(|last| last.closing)
        };
        self.bars(accepted).or_else(draining)
    }

    /// The closings that still hold messages back and have to no more, and whether those are let out or called off: of each
    /// gate the oldest, for its messages leave in their order. Gates wait for no other.
    pub fn draining(&self) -> impl Iterator<Item = (EventId, WayOut)> {
        let way = |known: &KnownGate| match (&known.closed, known.over) {
            (None, _) => Some(WayOut::LetOut),
            (Some(_), true) => Some(WayOut::CalledOff),
            (Some(_), false) => None,
        };
        let of = move |wanted| {
            let known = self.gates.iter().filter(move |known| way(known) == Some(wanted));
            known.filter_map(move |known| known.behind.first().map(|behind| (behind.closing, wanted)))
        };
        of(WayOut::LetOut).chain(of(WayOut::CalledOff))
    }

    /// The closings since which messages wait, or still may come to.
    #[must_use]
    pub fn closings(&self) -> BTreeSet<EventId> {
        let closed = self.closed().map(|(_, closed)| closed.closing);
        closed.chain(self.gates.iter().flat_map(|known| &known.behind).map(|behind| behind.closing)).collect()
    }

    /// Whether the last word known on this gate is this one or a later one.
    #[must_use]
    pub fn has_heard(&self, gate: &Gate, asked: Position) -> bool {
        self.gates.iter().any(|known| known.gate == *gate && known.asked >= asked)
    }

    /// Whether a word has been followed here, or a later one came: one gate too many stays open.
    #[must_use]
    pub fn has_followed(&self, gate: &Gate, asked: Position, closed: bool) -> bool {
        let of = |known: &&KnownGate| known.gate == *gate;
        let follows = |known: &KnownGate| known.asked == asked && known.closed.is_some() == closed;
        self.gates.iter().find(of).is_some_and(|known| known.asked > asked || follows(known))
    }

    /// How many messages stand behind a gate here.
    #[must_use]
    pub fn behind(&self, gate: &Gate) -> u64 {
        let known = self.gates.iter().find(|known| known.gate == *gate);
        known.map_or(0, KnownGate::waiting)
    }

    /// Something waits for a campaign that was not heard of: from now on it is known, as closed.
    pub fn meet(&mut self, gate: Gate) {
        let Some(campaign) = gate.campaign().filter(|campaign| self.campaign(*campaign).is_none()) else {
            return;
        };
        let closed = Some(Closed { closing: campaign.first_closing(), reason: NOT_STARTED.to_owned() });
        self.gates.push(KnownGate { gate, asked: Position(0), at: 0, closed, over: false, behind: Vec::new() });
    }

    /// Messages came to wait since a closing, or do so no more.
    pub fn count(&mut self, moves: &[(EventId, i64)]) {
        for (closing, by) in moves {
            if let Some(known) = self.owner(*closing) {
                known.count(*closing, *by);
            }
        }
        self.forget_old();
    }

    fn owner(&mut self, closing: EventId) -> Option<&mut KnownGate> {
        self.gates.iter_mut().find(|known| {
            known.closed.as_ref().is_some_and(|closed| closed.closing == closing)
                || known.behind.iter().any(|behind| behind.closing == closing)
        })
    }
}

impl KnownGate {
    fn waiting(&self) -> u64 {
        self.behind.iter().map(|behind| behind.messages).sum()
    }

    /// Whether it is open, and whoever comes waits for those who wait.
    fn lets_out_first(&self, now: Micros) -> bool {
        let waiting = self.waiting();
        self.closed.is_none() && waiting > 0 && (waiting > FEW || now < self.at.saturating_add(STRICT))
    }

    fn count(&mut self, closing: EventId, by: i64) {
        match self.behind.iter_mut().find(|behind| behind.closing == closing) {
            Some(behind) => behind.messages = behind.messages.saturating_add_signed(by),
            None => self.behind.push(Behind { closing, messages: u64::try_from(by).unwrap_or(0) }),
        }
        self.behind.retain(|behind| behind.messages > 0);
    }
}

/// The gate that a message waits for, as the rows of its partition say: for whoever is asked why it does not leave.
#[must_use]
pub fn waits_behind<'a>(gates: &'a GatesRow, row: &MessageRow) -> Option<&'a KnownGate> {
    let accepted = row.accepted.as_ref().filter(|_| row.state() == State::Queued)?;
    let held = |known: &&KnownGate| row.gated.is_some_and(|closing| known.behind.iter().any(|b| b.closing == closing));
    gates
        .closed()
        .map(|(known, _)| known)
        .find(|known| known.gate.concerns(accepted))
        .or_else(|| gates.gates.iter().find(held))
}

#[cfg(test)]
mod tests;
