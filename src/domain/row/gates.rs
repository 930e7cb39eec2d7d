//! Rows of what was asked for of a tenant's gates: kept in its own mailbox's partition, by which they are spread.

use serde::{Deserialize, Serialize};

use super::super::event::GateSetV1;
use super::super::gate::{Gate, MAX_OF_TENANT};
use super::super::id::EventId;
use super::super::record::{Header, Micros, Position, Principal};
use super::Controls;

/// The last word on one gate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Which gate.
    pub gate: Gate,
    /// To close it, or else to open it.
    pub closed: bool,
    /// In the operator's words.
    pub reason: String,
    /// The event.
    pub event: EventId,
    /// Its place.
    pub position: Position,
    /// When.
    pub at: Micros,
    /// By whom.
    pub by: Principal,
    /// Whether each partition has applied it, as far as that is recorded.
    pub effective: bool,
    /// For ever: a campaign's that is over.
    pub over: bool,
    /// The words on this gate that were taken, this one too. A campaign remembers its own.
    pub heard: Controls,
}

impl Asked {
    /// A word on a gate that stands at a place, just applied there.
    #[must_use]
    pub fn at(header: &Header, position: Position, gate: Gate, closed: bool, reason: &str) -> Self {
        let (event, at, by) = (header.id, header.at, header.by);
        let (reason, heard) = (reason.to_owned(), Controls::default());
        Self { gate, closed, reason, event, position, at, by, effective: false, over: false, heard }
    }

    /// The copy of it for the partitions.
    #[must_use]
    pub fn copy(&self) -> GateSetV1 {
        GateSetV1 {
            gate: self.gate.clone(),
            asked: self.event,
            at: self.position,
            closed: self.closed,
            reason: self.reason.clone(),
            over: self.over.then_some(true),
        }
    }
}

/// The words on a gate that is open, so that a late copy of one is not taken again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    /// Which gate.
    pub gate: Gate,
    /// The last ones that were heard.
    pub heard: Controls,
}

/// Open gates of which is known what was said: 300 bytes each at most. A copy lands at most one producer timeout late; nobody
/// opens so many within it.
const MAX_OPENED: usize = 2 * MAX_OF_TENANT;

/// Gates that are closed or on their way: where partitions do not apply what they are told, ever new names are opened for
/// long.
const MAX_ASKED: usize = 2 * MAX_OF_TENANT;

/// What was asked for of a tenant's gates: those that are closed, and those that open and are not open everywhere yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsksRow {
    /// Each gate once, in the order of the last word.
    pub asks: Vec<Asked>,
    /// Those that opened, or were never closed because it was one too many, in the order of the last word.
    pub opened: Vec<Opened>,
}

impl AsksRow {
    /// The last word on this gate, if it is closed or on its way.
    #[must_use]
    pub fn on(&self, gate: &Gate) -> Option<&Asked> {
        self.asks.iter().find(|asked| asked.gate == *gate)
    }

    /// Whether this event is none of the last words on this gate.
    #[must_use]
    pub fn is_new(&self, gate: &Gate, event: EventId) -> bool {
        self.heard(gate).is_none_or(|heard| heard.is_new(event))
    }

    /// The last word on this gate that is remembered, whatever became of it.
    #[must_use]
    pub fn last_on(&self, gate: &Gate) -> Option<EventId> {
        self.heard(gate)?.last()
    }

    fn heard(&self, gate: &Gate) -> Option<&Controls> {
        let opened = || Some(&self.opened.iter().find(|opened| opened.gate == *gate)?.heard);
        self.on(gate).map(|asked| &asked.heard).or_else(opened)
    }

    fn remember_open(&mut self, gate: Gate, heard: Controls) {
        self.opened.push(Opened { gate, heard });
        let old = self.opened.len().saturating_sub(MAX_OPENED);
        self.opened.drain(..old);
    }

    /// Whether one more gate may be closed.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.operators().filter(|asked| asked.closed).count() < MAX_OF_TENANT && self.may_ask()
    }

    fn may_ask(&self) -> bool {
        self.operators().count() < MAX_ASKED
    }

    /// Those on operator's gates. A campaign's word stands here only until it is effective, and takes nobody's place.
    pub fn operators(&self) -> impl Iterator<Item = &Asked> {
        self.asks.iter().filter(|asked| asked.gate.campaign().is_none())
    }

    /// Takes a word. One gate too many is refused, and stays as it was; that word is not taken later either.
    pub fn take(&mut self, asked: Asked) -> bool {
        if asked.gate.campaign().is_some() {
            self.asks.retain(|known| known.gate != asked.gate);
            self.asks.push(asked);
            return true;
        }
        let before = self.on(&asked.gate);
        let room = match before {
            Some(before) if before.closed || !asked.closed => true,
            Some(_) => self.operators().filter(|asked| asked.closed).count() < MAX_OF_TENANT,
            None if asked.closed => self.has_room(),
            None => self.may_ask(),
        };
        let mut heard = self.heard(&asked.gate).cloned().unwrap_or_default();
        heard.remember(asked.event);
        self.opened.retain(|opened| opened.gate != asked.gate);
        match (room, self.asks.iter().position(|known| known.gate == asked.gate)) {
            (true, at) => {
                at.map(|at| self.asks.remove(at));
                self.asks.push(Asked { heard, ..asked });
            }
            (false, Some(at)) => self.asks[at].heard = heard,
            (false, None) => self.remember_open(asked.gate, heard),
        }
        room
    }

    /// The word given by this event is applied everywhere; an open gate is no more to be asked for then.
    pub fn make_effective(&mut self, event: EventId) -> bool {
        let Some(at) = self.asks.iter().position(|asked| asked.event == event && !asked.effective) else {
            return false;
        };
        self.asks[at].effective = true;
        if self.asks[at].gate.campaign().is_some() {
            self.asks.remove(at);
        } else if !self.asks[at].closed {
            let Asked { gate, heard, .. } = self.asks.remove(at);
            self.remember_open(gate, heard);
        }
        true
    }

    /// Words that are not known to be applied everywhere.
    pub fn pending(&self) -> impl Iterator<Item = &Asked> {
        self.asks.iter().filter(|asked| !asked.effective)
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::id::TenantId;
    use super::*;

    fn gate(n: usize) -> Gate {
        Gate::Template { tenant: TenantId([1; 16]), name: format!("t{n}") }
    }

    fn word(number: usize, of: usize, closed: bool) -> Asked {
        let mut event = [0; 16];
        event[..8].copy_from_slice(&number.to_be_bytes());
        Asked {
            gate: gate(of),
            closed,
            reason: "why".to_owned(),
            event: EventId(event),
            position: Position(number as u64),
            at: 0,
            by: Principal::Operator,
            effective: false,
            over: false,
            heard: Controls::default(),
        }
    }

    fn takes(row: &mut AsksRow, asked: Asked) -> bool {
        let event = asked.event;
        row.take(asked) && row.make_effective(event)
    }

    #[test]
    fn a_late_copy_is_known_whatever_was_said_of_other_gates() {
        let mut row = AsksRow::default();
        assert!(takes(&mut row, word(1, 0, true)) && takes(&mut row, word(2, 0, false)));
        for n in 0..30 {
            assert!(takes(&mut row, word(10 + n, 1 + n, true)));
        }
        assert!(!row.is_new(&gate(0), word(1, 0, true).event), "a copy of its closing, after it was opened");
        assert!(row.is_new(&gate(1), word(1, 0, true).event), "another gate");
        assert_eq!(row.last_on(&gate(0)), Some(word(2, 0, false).event));
        assert!(takes(&mut row, word(99, 0, true)));
        assert!(!row.is_new(&gate(0), word(2, 0, false).event), "and of its opening, after it was closed again");
        for n in 0..3 * MAX_OF_TENANT {
            takes(&mut row, word(1_000 + 2 * n, 100 + n, true));
            takes(&mut row, word(1_001 + 2 * n, 100 + n, false));
        }
        assert_eq!(row.opened.len(), MAX_OPENED);
    }

    #[test]
    fn what_opens_and_is_not_open_everywhere_counts() {
        let mut row = AsksRow::default();
        for n in 0..3 * MAX_OF_TENANT {
            row.take(word(2 * n + 1, n, true));
            row.take(word(2 * n + 2, n, false));
        }
        assert_eq!(row.asks.len(), MAX_ASKED, "no partition applies what it is told");
        assert!(!row.has_room());
    }

    #[test]
    fn one_gate_too_many_is_not_closed_later_by_a_copy_either() {
        let mut row = AsksRow::default();
        for n in 0..MAX_OF_TENANT {
            assert!(takes(&mut row, word(n + 1, n, true)));
        }
        assert!(!row.take(word(500, 500, true)));
        assert!(!row.is_new(&gate(500), word(500, 500, true).event));
        assert!(takes(&mut row, word(501, 0, false)) && takes(&mut row, word(502, 500, true)));
    }
}
