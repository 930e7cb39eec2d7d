//! Poison: events that cannot be applied. One that panics or does not decode is set aside by an event of its own; one
//! that takes the whole process down is found by a durable count of tries.
//!
//! Setting aside is a decision that a replay must repeat, at the same place: so the decisions are read ahead of applying.

use std::collections::BTreeSet;

use super::actor::State;
use crate::domain::address::Address;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, QuarantinedV1};
use crate::domain::id::{EventId, derive};
use crate::domain::record::{Position, Principal};
use crate::domain::table::{KeyPart, RowKey, Table};
use crate::journal::{Appended, Journal, JournalError};
use crate::store::{Commit, Put, Store, StoreError};

/// Starts that get no further than the same mark before events are committed one by one, and then again so many before
/// the event after the mark is set aside.
pub const TRIES: u16 = 3;

/// What is set aside, and how careful to be.
#[derive(Debug, Default)]
pub struct Poison {
    set_aside: BTreeSet<Position>,
    tries: u16,
    until: Option<Position>,
    /// The first event after the mark.
    next: Option<Position>,
}

/// What stands ahead of applying.
#[derive(Debug, Default)]
pub struct Ahead {
    set_aside: BTreeSet<Position>,
    next: Option<Position>,
}

impl Poison {
    /// Whether this event is skipped.
    #[must_use]
    pub fn is_set_aside(&self, position: Position) -> bool {
        self.set_aside.contains(&position)
    }

    /// Whether each event is committed on its own: earlier starts died on the way.
    #[must_use]
    pub fn is_careful(&self) -> bool {
        self.tries > TRIES
    }

    /// The event that a process died of again and again, even when everything before it was committed on its own.
    #[must_use]
    pub fn culprit(&self) -> Option<Position> {
        self.next.filter(|_| self.tries > 2 * TRIES)
    }

    /// The start got through: what came before does not count any more.
    pub fn caught_up(&mut self, reached: Option<Position>) -> bool {
        let over = self.until.is_some_and(|until| reached.is_some_and(|reached| reached >= until));
        if over {
            self.until = None;
            self.tries = 0;
        }
        over
    }

    /// Reads ahead of applying: the decisions that stand between `from` and `end`, and which event is the next.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub async fn read_ahead(
        journal: &dyn Journal,
        partition: u16,
        from: Position,
        end: Position,
    ) -> Result<Ahead, JournalError> {
        let mut found = Ahead::default();
        let mut tail = journal.tail(partition, from);
        while tail.position() < end {
            for entry in tail.next().await? {
                found.next.get_or_insert(entry.position);
                if let Ok(Event::Quarantined(facts)) = entry.record.event() {
                    found.set_aside.insert(facts.position);
                }
            }
        }
        Ok(found)
    }

    /// Counts this start, durably, before anything is applied; unless the last life ended in this very process, and said why:
    /// what stops an actor and not the process is no poison, and may be an event that this version must not skip.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub async fn begin(
        store: &dyn Store,
        partition: u16,
        mark: Option<Position>,
        end: Position,
        ahead: Ahead,
        reborn: bool,
    ) -> Result<Self, StoreError> {
        // Among the hints, which a rebuild need not give back.
        let key = RowKey::single(Table::OpenSession, KeyPart::join(&[b"tries", &partition.to_be_bytes()]));
        let before = store.get(&key).await?.and_then(|bytes| read(&bytes));
        // A start that finds nothing to apply cannot die of it.
        let idle = mark.map_or(0, |mark| mark.0 + 1) >= end.0;
        let tries = match before.filter(|_| !idle) {
            Some((at, tries)) if at == mark => tries.saturating_add(u16::from(!reborn)),
            _ => 1,
        };
        if let Some(through) = mark {
            let put = Put { key, value: write(mark, tries), at: through };
            store.commit(Commit { partition, through, puts: vec![put], drops: Vec::new() }).await?;
        }
        let until = end.0.checked_sub(1).map(Position);
        Ok(Self { set_aside: ahead.set_aside, tries, until, next: ahead.next })
    }
}

fn read(bytes: &[u8]) -> Option<(Option<Position>, u16)> {
    let (mark, tries) = bytes.split_at_checked(8)?;
    let mark = u64::from_be_bytes(mark.try_into().ok()?);
    let tries = u16::from_be_bytes(tries.try_into().ok()?);
    Some(((mark != u64::MAX).then_some(Position(mark)), tries))
}

fn write(mark: Option<Position>, tries: u16) -> Vec<u8> {
    let mark = mark.map_or(u64::MAX, |mark| mark.0).to_be_bytes();
    [&mark[..], &tries.to_be_bytes()].concat()
}

impl State {
    /// Sets an event aside: durable first, then skipped, so that every replay skips it at the same place.
    pub(super) async fn set_aside(&mut self, position: Position, why: &str) {
        tracing::error!(partition = self.number, position = position.0, why, "an event cannot be applied; set aside");
        let id = EventId(derive("waybill quarantine", &[&self.number.to_be_bytes(), &position.0.to_be_bytes()]));
        let facts = QuarantinedV1 { position, why: why.chars().take(500).collect(), tries: self.poison.tries.max(1) };
        let by = Principal::Node(self.hands.node);
        let draft = Draft::new(id, Address::partition(self.number), &Event::from(facts), by, self.hands.clock.wall());
        if let Ok(record) = draft.record() {
            // Refused or doubtful: it is skipped in this life and judged again in the next.
            let appended = self.hands.journal.append(self.number, vec![record]).await;
            if !matches!(appended, Appended::Durable { .. }) {
                tracing::error!(?appended, "the decision to set it aside is not recorded");
            }
        }
        self.poison.set_aside.insert(position);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::GenesisV1;
    use crate::domain::id::InstallationId;
    use crate::journal::{Genesis, Unruly};
    use crate::store::MemoryStore;

    #[tokio::test]
    async fn the_culprit_is_the_event_after_the_mark_wherever_it_stands() {
        let journal = Unruly::with_gaps(Genesis::new(InstallationId([5; 16]), 1));
        let store = MemoryStore::new();
        for n in 1..=3 {
            let facts = GenesisV1 { installation: InstallationId([5; 16]), partition: 0, count: 1, routing: 1 };
            let draft =
                Draft::new(EventId([n; 16]), Address::partition(0), &Event::from(facts), Principal::Operator, 1);
            let appended = journal.append(0, vec![draft.record().expect("small")]).await;
            assert!(matches!(appended, Appended::Durable { .. }), "{appended:?}");
        }
        let (mark, end) = (Position(256), journal.end(0));
        store
            .commit(Commit { partition: 0, through: mark, puts: Vec::new(), drops: Vec::new() })
            .await
            .expect("a mark");
        for _ in 0..=2 * TRIES {
            let ahead = Poison::read_ahead(&journal, 0, mark.next(), end).await.expect("readable");
            let mut poison = Poison::begin(&store, 0, Some(mark), end, ahead, false).await.expect("counted");
            for _ in 0..=2 * TRIES {
                let ahead = Poison::read_ahead(&journal, 0, mark.next(), end).await.expect("readable");
                let reborn = Poison::begin(&store, 0, Some(mark), end, ahead, true).await.expect("not counted");
                assert_eq!(reborn.tries, poison.tries, "the process lives");
                poison = reborn;
            }
            if let Some(culprit) = poison.culprit() {
                assert_eq!((culprit, poison.tries), (Position(512), 2 * TRIES + 1));
                return;
            }
        }
        panic!("nobody was found");
    }
}
