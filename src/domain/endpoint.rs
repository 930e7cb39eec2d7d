//! The endpoint's bounds and the pure part of how deliveries move its cursors.

use super::event::{CursorV1, DeliveriesSettledV1};
use super::record::{Micros, Position};
use super::row::EndpointRow;

/// Failing notifications kept for one endpoint, about 120 bytes each (120 KiB a row). At the limit the endpoint's feeds
/// are read no further until one of them is settled: nothing is dropped, the customer's backlog waits in the feed.
pub const MAX_FAILING: usize = 1_000;

impl EndpointRow {
    /// How far a feed is settled; `None` when nothing of it is.
    #[must_use]
    pub fn cursor(&self, partition: u16) -> Option<Position> {
        self.cursors.iter().find(|cursor| cursor.partition == partition).map(|cursor| cursor.position)
    }

    /// Takes a settled batch. Cursors only move forward, so a batch that comes twice, or late, changes nothing twice.
    pub fn settle(&mut self, settled: &DeliveriesSettledV1, at: Micros) {
        let moved = settled.cursors.iter().filter(|cursor| self.advance(**cursor)).count();
        let mut changed = 0;
        for id in &settled.recovered {
            let before = self.failing.len();
            self.failing.retain(|failing| failing.notification != *id);
            changed += before - self.failing.len();
        }
        for failing in &settled.failing {
            let known = self.failing.iter_mut().find(|known| known.notification == failing.notification);
            match known {
                Some(known) if known.tries >= failing.tries => continue,
                Some(known) => *known = failing.clone(),
                None => self.failing.push(failing.clone()),
            }
            changed += 1;
        }
        let before = self.failing.len();
        self.failing.retain(|failing| failing.next.is_some());
        self.given_up += (before - self.failing.len()) as u64;
        if moved + changed == 0 {
            return;
        }
        self.delivered += u64::from(settled.delivered);
        if settled.delivered > 0 || !settled.recovered.is_empty() {
            self.failing_since = None;
        } else if !settled.failing.is_empty() {
            self.failing_since.get_or_insert(at);
        }
    }

    fn advance(&mut self, cursor: CursorV1) -> bool {
        match self.cursors.iter_mut().find(|known| known.partition == cursor.partition) {
            Some(known) if known.position >= cursor.position => false,
            Some(known) => {
                known.position = cursor.position;
                true
            }
            None => {
                self.cursors.push(cursor);
                true
            }
        }
    }
}
