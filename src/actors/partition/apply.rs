//! Events in order → rows at hand. They are written down by [`super::commit`], together with the applied mark.

use std::collections::BTreeSet;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use super::actor::State;
use super::rows::{load, load_own};
use crate::domain::id::EventId;
use crate::domain::projection::audit::tree_of;
use crate::domain::projection::{Append, At, Note, apply, needs};
use crate::domain::record::Position;
use crate::domain::row::{RowId, Rows};
use crate::journal::{Entry, Journal};
use crate::runtime::task::panic_text;
use crate::store::rows as stored;
use crate::store::{MAX_SCAN, StoreError};

/// A note, with the event it came of.
#[derive(Debug)]
pub struct Told {
    /// Where the event stands.
    pub position: Position,
    /// Its id.
    pub event: EventId,
    /// What it says.
    pub note: Note,
}

/// Why a batch could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The rows cannot be read or written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A newer version wrote what may not be skipped: the partition goes no further.
    #[error("{0}")]
    CannotApply(#[from] crate::domain::projection::CannotApply),
    /// One event panics or does not decode.
    #[error("the event at {position:?} cannot be applied: {why}")]
    Poisoned {
        /// Which.
        position: Position,
        /// Why.
        why: String,
    },
    /// The journal's tail does not begin with the genesis.
    #[error("the tail of partition {partition} begins at {found:?}, not with its genesis")]
    Headless {
        /// The partition.
        partition: u16,
        /// What came first.
        found: Position,
    },
    /// The journal's tail is not what was asked for.
    #[error("the tail of partition {partition} skips from {after:?} to {found:?}")]
    Gap {
        /// The partition.
        partition: u16,
        /// What came before.
        after: Position,
        /// What came then.
        found: Position,
    },
}

impl State {
    /// Applies a batch in memory. What cannot be applied is set aside by an event, and the batch begins anew without it:
    /// rows that it may have half written are forgotten with everything that is not committed, and the rest of that is
    /// applied again. Whoever was told of it was told the truth: the same events make the same rows.
    pub(super) async fn apply(&mut self, entries: &[Arc<Entry>]) -> Result<Vec<Told>, ApplyError> {
        loop {
            let before = self.pending.entries.len();
            match self.try_apply(entries).await {
                Err(ApplyError::Poisoned { position, why }) => {
                    self.pending.entries.truncate(before);
                    let again = self.roll_back().await?;
                    self.set_aside(position, &why).await;
                    self.try_apply(&again).await?;
                }
                other => return other,
            }
        }
    }

    async fn try_apply(&mut self, entries: &[Arc<Entry>]) -> Result<Vec<Told>, ApplyError> {
        let mut told = Vec::new();
        if entries.len() > 1 && self.store.is_far() {
            self.read_together(entries).await?;
        }
        for entry in entries {
            if self.reached.is_some_and(|reached| entry.position <= reached) {
                continue;
            }
            expect(self.hands.journal.as_ref(), self.number, self.reached, entry.position)?;
            if !self.poison.is_set_aside(entry.position) {
                self.apply_one(entry, &mut told).await?;
            }
            self.grow_tree(entry).await?;
            self.reached = Some(entry.position);
            self.pending.entries.push(Arc::clone(entry));
            if self.poison.is_careful() {
                self.commit().await?;
            }
        }
        Ok(told)
    }

    /// Reads the rows that these events need, as far as that is known before any of them is applied: else each event would wait
    /// for a way over the network, and a partition would apply no more of them in a second than there are such ways in it.
    async fn read_together(&mut self, entries: &[Arc<Entry>]) -> Result<(), StoreError> {
        let mut missing = BTreeSet::new();
        for entry in entries.iter().filter(|entry| self.reached < Some(entry.position)) {
            let at = At { partition: self.number, position: entry.position, header: &entry.record.header };
            // What does not decode is found out when its turn comes.
            if let Ok(event) = entry.record.event() {
                missing.extend(needs(at, &event, &self.rows));
            }
            let tree = RowId::Tree(tree_of(&entry.record, self.number));
            missing.extend((!self.rows.knows(&tree)).then_some(tree));
        }
        let missing: Vec<RowId> = missing.into_iter().collect();
        for some in missing.chunks(MAX_SCAN) {
            let found = stored::get_many(self.store.as_ref(), some).await?;
            for (id, row) in some.iter().cloned().zip(found) {
                self.rows.load(id, row);
            }
        }
        Ok(())
    }

    /// Forgets what is not committed; the events that made it.
    pub(super) async fn roll_back(&mut self) -> Result<Vec<Arc<Entry>>, StoreError> {
        self.rows = Rows::default();
        // Who owns the partition is asked after each batch, whatever was in it.
        load_own(self.store.as_ref(), self.number, &mut self.rows).await?;
        self.reached = self.applied;
        for session in self.opened.drain(..) {
            self.open.remove(&session);
            self.lows.remove(&session);
        }
        self.pending.puts.clear();
        Ok(std::mem::take(&mut self.pending.entries))
    }

    async fn apply_one(&mut self, entry: &Entry, told: &mut Vec<Told>) -> Result<(), ApplyError> {
        let at = At { partition: self.number, position: entry.position, header: &entry.record.header };
        let poisoned = |why: String| ApplyError::Poisoned { position: entry.position, why };
        let event = entry.record.event().map_err(|error| poisoned(error.to_string()))?;
        #[cfg(feature = "mutants")]
        if self.ignores(at.header, &event) {
            return Ok(());
        }
        load(self.store.as_ref(), at, &event, &mut self.rows).await?;
        let rows = &mut self.rows;
        let applied = std::panic::catch_unwind(AssertUnwindSafe(|| apply(at, &event, rows)))
            .map_err(|panic| poisoned(panic_text(panic.as_ref()).to_owned()))??;
        self.stop(&applied.notes);
        self.append(entry.position, applied.appends)?;
        let (position, id) = (entry.position, entry.record.header.id);
        told.extend(applied.notes.into_iter().map(|note| Told { position, event: id, note }));
        Ok(())
    }

    /// What is stopped from here on must not leave any more: said before anybody can read in the rows that it is.
    fn stop(&self, notes: &[Note]) {
        let stops = &self.hands.registry.stops;
        for note in notes {
            match note {
                Note::GatesChanged => stops.set_gates(self.number, self.gates()),
                Note::SessionChanged(session) => {
                    let suspended = self.rows.session(*session).is_some_and(|row| row.suspended.is_some());
                    stops.set_suspended(*session, suspended);
                }
                _ => {}
            }
        }
    }

    fn append(&mut self, at: Position, appends: Vec<Append>) -> Result<(), StoreError> {
        for (number, append) in appends.into_iter().enumerate() {
            let put = match append {
                Append::Feed { tenant, row } => {
                    self.count(&row);
                    stored::put_feed(tenant, self.number, u16::try_from(number).unwrap_or(u16::MAX), &row, at)?
                }
                Append::Outbox { session, priority, message } => {
                    if self.open.insert(session, at).is_none() {
                        self.opened.push(session);
                        self.lows.insert(session, Some(at));
                    }
                    stored::put_outbox((session, priority), message, at)
                }
                Append::Failing { tenant, row } => {
                    let number = u16::try_from(number).unwrap_or(u16::MAX);
                    stored::put_failing(tenant, self.number, number, &row, at)?
                }
                Append::Due { at: due, place, message } => {
                    self.schedule.note(due);
                    stored::put_due(self.number, (due, place, message), at)
                }
                Append::Moved { to, message } => {
                    self.arrivals.note(to, at);
                    stored::put_moved(self.number, to, (at, message), at)
                }
                Append::Gated { closing, at: place, message } => {
                    stored::put_gated(self.number, closing, (place, message), at)
                }
                Append::Name { kind, scope, name, id } => {
                    stored::put_name(kind, self.number, &stored::Named { scope, name, id }, at)
                }
                Append::AuditHash { level, place, hash } => stored::put_audit_hash((level, place), &hash, at),
                Append::OfContact { contact, row } => stored::put_of_contact(self.number, contact, row, at)?,
                Append::Request { tenant, row } => stored::put_request(tenant, self.number, &row, at)?,
                Append::Quarantine { position, why } => stored::put_quarantine(self.number, position, &why, at),
            };
            self.pending.puts.push(put);
        }
        Ok(())
    }
}

/// Whether this is what comes next: the genesis, and then one after the other.
fn expect(journal: &dyn Journal, partition: u16, reached: Option<Position>, found: Position) -> Result<(), ApplyError> {
    match reached {
        None if found == Position(0) => Ok(()),
        None => Err(ApplyError::Headless { partition, found }),
        Some(after) if journal.adjoins(partition, after, found) => Ok(()),
        Some(after) => Err(ApplyError::Gap { partition, after, found }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::address::Address;
    use crate::domain::draft::Draft;
    use crate::domain::event::{Event, SessionStartedV1};
    use crate::domain::id::{InstallationId, SessionId};
    use crate::domain::record::Principal;
    use crate::journal::{Appended, Genesis, Unruly};

    #[tokio::test]
    async fn a_tail_that_leaves_something_out_is_found_out() {
        for journal in [Unruly::new, Unruly::with_gaps].map(|new| new(Genesis::new(InstallationId([5; 16]), 1))) {
            let mut places = vec![Position(0)];
            for n in 1..=3 {
                let event = Event::from(SessionStartedV1 { session: SessionId([4; 16]) });
                let draft = Draft::new(EventId([n; 16]), Address::partition(0), &event, Principal::Operator, 1);
                match journal.append(0, vec![draft.record().expect("small")]).await {
                    Appended::Durable { last, .. } => places.push(last),
                    other => panic!("{other:?}"),
                }
            }
            let then =
                |reached: Option<usize>, found: usize| expect(&journal, 0, reached.map(|n| places[n]), places[found]);
            assert!(then(None, 0).is_ok() && (0..3).all(|n| then(Some(n), n + 1).is_ok()));
            assert!(matches!(then(None, 1), Err(ApplyError::Headless { .. })));
            assert!(matches!(then(Some(0), 2), Err(ApplyError::Gap { .. })));
            assert!(matches!(then(Some(1), 3), Err(ApplyError::Gap { .. })));
        }
    }
}
