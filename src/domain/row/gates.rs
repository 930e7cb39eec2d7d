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
}

impl Asked {
    /// A word on a gate that stands at a place, just applied there.
    #[must_use]
    pub fn at(header: &Header, position: Position, gate: Gate, closed: bool, reason: &str) -> Self {
        let (event, at, by) = (header.id, header.at, header.by);
        Self { gate, closed, reason: reason.to_owned(), event, position, at, by, effective: false, over: false }
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

/// What was asked for of a tenant's gates: those that are closed, and those that open and are not open everywhere yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AsksRow {
    /// Each gate once, in the order of the last word.
    pub asks: Vec<Asked>,
    /// Control events taken.
    pub controls: Controls,
}

impl AsksRow {
    /// The last word on this gate, if it is closed or on its way.
    #[must_use]
    pub fn on(&self, gate: &Gate) -> Option<&Asked> {
        self.asks.iter().find(|asked| asked.gate == *gate)
    }

    /// Whether one more gate may be closed.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.operators().filter(|asked| asked.closed).count() < MAX_OF_TENANT
    }

    /// Those on operator's gates. A campaign's word stands here only until it is effective, and takes nobody's place.
    pub fn operators(&self) -> impl Iterator<Item = &Asked> {
        self.asks.iter().filter(|asked| asked.gate.campaign().is_none())
    }

    /// Takes a word. One gate too many is refused, and stays as it was.
    pub fn take(&mut self, asked: Asked) -> bool {
        let before = self.on(&asked.gate);
        let own = asked.gate.campaign().is_some();
        if !own && asked.closed && !before.is_some_and(|before| before.closed) && !self.has_room() {
            return false;
        }
        self.asks.retain(|known| known.gate != asked.gate);
        self.asks.push(asked);
        true
    }

    /// The word given by this event is applied everywhere; an open gate is no more to be remembered then.
    pub fn make_effective(&mut self, event: EventId) -> bool {
        let Some(at) = self.asks.iter().position(|asked| asked.event == event && !asked.effective) else {
            return false;
        };
        self.asks[at].effective = true;
        if !self.asks[at].closed || self.asks[at].gate.campaign().is_some() {
            self.asks.remove(at);
        }
        true
    }

    /// Words that are not known to be applied everywhere.
    pub fn pending(&self) -> impl Iterator<Item = &Asked> {
        self.asks.iter().filter(|asked| !asked.effective)
    }
}
