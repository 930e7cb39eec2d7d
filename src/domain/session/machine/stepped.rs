//! The wall clock was set: what waits for so long goes on waiting as long, and what people named a time for keeps it.
//!
//! A message's expiry stays where it is, and so does what stands in rows: a wait of which a row knows is read anew by the
//! next life.

use super::super::super::record::Micros;
use super::super::flight::wait_over;
use super::Machine;

impl Machine {
    /// The wall clock was set by so much, forwards or backwards, since the last step.
    pub fn stepped(&mut self, by: Micros) {
        self.pacer.stepped(by);
        self.lanes.stepped(by);
        self.wall.stepped(by);
        for queued in self.waiting.values_mut() {
            queued.not_before = queued.not_before.saturating_add(by);
        }
        self.retries = self.waiting.values().map(|queued| (wait_over(queued), queued.message)).collect();
        let due = std::mem::take(&mut self.due);
        self.due = due.into_iter().map(|(at, message)| (at.saturating_add(by), message)).collect();
        for flight in self.flights.values_mut() {
            flight.began = flight.began.saturating_add(by);
        }
        for at in self.held.iter_mut().chain(&mut self.lease_asked) {
            *at = at.saturating_add(by);
        }
        self.lease.1 = self.lease.1.saturating_add(by);
    }
}
