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

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use serde::{Deserialize, Serialize};

use super::id::{EventId, TenantId};
use super::message::State;
use super::record::{Micros, Position};
use super::row::{Accepted, MessageRow};

/// Gates that are closed in one partition at once, of all tenants: each is looked at for each message. Some 300 bytes
/// each, 75 KiB a partition.
pub const MAX_CLOSED: usize = 256;

/// Closed gates of one tenant: a quarter, so that no tenant takes the others' way to stop.
pub const MAX_OF_TENANT: usize = MAX_CLOSED / 4;

/// Open gates that are remembered, so that a late copy of an older word on one is known as such.
pub const MAX_REMEMBERED: usize = 256;

/// So long after its opening a gate lets out everybody who waits before it lets pass who comes.
pub const STRICT: Micros = 10_000_000;

/// Afterwards that holds only while more than these wait: else a gate of steady traffic would never be done, because
/// somebody has always come meanwhile.
pub const FEW: u64 = 256;

/// Messages of one event that leave the outbox together.
pub const MAX_BATCH: usize = 64;

/// What can be stopped. The numbers are stored for ever; a campaign has the next one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode, Serialize, Deserialize)]
pub enum Gate {
    /// Everything of a tenant.
    #[n(0)]
    Tenant {
        /// Whose.
        #[n(0)]
        tenant: TenantId,
    },
    /// A tenant's messages of one template, in any language.
    #[n(1)]
    Template {
        /// Whose.
        #[n(0)]
        tenant: TenantId,
        /// Its name.
        #[n(1)]
        name: String,
    },
    /// A tenant's messages to one country's phone numbers.
    #[n(2)]
    Country {
        /// Whose.
        #[n(0)]
        tenant: TenantId,
        /// Calling code.
        #[n(1)]
        code: u16,
    },
}

impl Gate {
    /// Whose it is.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        match self {
            Self::Tenant { tenant } | Self::Template { tenant, .. } | Self::Country { tenant, .. } => *tenant,
        }
    }

    /// The word for its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Tenant { .. } => "tenant",
            Self::Template { .. } => "template",
            Self::Country { .. } => "country",
        }
    }

    /// What it is called beside its kind: nothing for a tenant's own.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        match self {
            Self::Tenant { .. } => None,
            Self::Template { name, .. } => Some(name.clone()),
            Self::Country { code, .. } => Some(format!("+{code}")),
        }
    }

    /// Whether a message is one of those that it stops.
    #[must_use]
    pub fn concerns(&self, accepted: &Accepted) -> bool {
        self.tenant() == accepted.tenant
            && match self {
                Self::Tenant { .. } => true,
                Self::Template { name, .. } => accepted.template.as_ref() == Some(name),
                Self::Country { code, .. } => accepted.country == Some(*code),
            }
    }
}

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
    /// When it was copied.
    pub at: Micros,
}

impl GatesRow {
    /// Takes a word. An older one than is known, or one gate too many, changes nothing.
    pub fn take(&mut self, word: Word<'_>) -> bool {
        let known = self.gates.iter().position(|known| known.gate == *word.gate);
        if known.is_some_and(|at| self.gates[at].asked >= word.asked.1) {
            return false;
        }
        let before = known.map(|at| self.gates.remove(at));
        let was_closed = before.as_ref().is_some_and(|before| before.closed.is_some());
        if word.closed.is_some() && !was_closed && self.closed().count() >= MAX_CLOSED {
            self.gates.extend(before);
            return false;
        }
        // Closed again without having been open: what waits, waits on, and only the reason is another.
        let closing = before.as_ref().and_then(|before| before.closed.as_ref()).map(|closed| closed.closing);
        let closing = closing.unwrap_or(word.asked.0);
        let closed = word.closed.map(|reason| Closed { closing, reason: reason.to_owned() });
        let behind = before.map(|before| before.behind).unwrap_or_default();
        self.gates.push(KnownGate { gate: word.gate.clone(), asked: word.asked.1, at: word.at, closed, behind });
        self.forget_old();
        true
    }

    fn forget_old(&mut self) {
        let idle = |known: &KnownGate| known.closed.is_none() && known.behind.is_empty();
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

    /// The closed gate that a message stands behind, if any.
    #[must_use]
    pub fn bars(&self, accepted: &Accepted) -> Option<&Closed> {
        self.closed().find(|(known, _)| known.gate.concerns(accepted)).map(|(_, closed)| closed)
    }

    /// The closing that a message waits for which is queued just now: that of a closed gate, or of one that is open and
    /// lets out others before it. `now` is when the event was written that queues it.
    #[must_use]
    pub fn waits_for(&self, accepted: &Accepted, now: Micros) -> Option<EventId> {
        let draining = || {
            let mut open = self.gates.iter().filter(|known| known.lets_out_first(now));
            open.find(|known| known.gate.concerns(accepted))?.behind.last().map(|last| last.closing)
        };
        self.bars(accepted).map(|closed| closed.closing).or_else(draining)
    }

    /// The closings whose gates are open and that still hold messages back.
    pub fn draining(&self) -> impl Iterator<Item = EventId> {
        let open = self.gates.iter().filter(|known| known.closed.is_none());
        open.flat_map(|known| known.behind.iter().map(|behind| behind.closing))
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

    /// How many messages stand behind a gate here.
    #[must_use]
    pub fn behind(&self, gate: &Gate) -> u64 {
        let known = self.gates.iter().find(|known| known.gate == *gate);
        known.map_or(0, KnownGate::waiting)
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
