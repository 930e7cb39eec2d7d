//! Events in order → rows at hand. They are written down by [`super::commit`], together with the applied mark.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use super::actor::State;
use super::rows::{load, load_own};
use crate::domain::id::EventId;
use crate::domain::projection::{Append, At, Note, apply};
use crate::domain::record::Position;
use crate::domain::row::Rows;
use crate::journal::Entry;
use crate::runtime::task::panic_text;
use crate::store::StoreError;
use crate::store::rows as stored;

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
    /// The journal's tail is not what was asked for. That nothing is missing further on is the journal's own promise:
    /// places between two records may be empty.
    #[error("the tail of partition {partition} begins at {found:?}, not with its genesis")]
    Headless {
        /// The partition.
        partition: u16,
        /// What came first.
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
        for entry in entries {
            if self.reached.is_some_and(|reached| entry.position <= reached) {
                continue;
            }
            self.expect(entry)?;
            if !self.poison.is_set_aside(entry.position) {
                self.apply_one(entry, &mut told).await?;
            }
            self.reached = Some(entry.position);
            self.pending.entries.push(Arc::clone(entry));
            if self.poison.is_careful() {
                self.commit().await?;
            }
        }
        Ok(told)
    }

    /// Forgets what is not committed; the events that made it.
    async fn roll_back(&mut self) -> Result<Vec<Arc<Entry>>, StoreError> {
        self.rows = Rows::default();
        // Who owns the partition is asked after each batch, whatever was in it.
        load_own(self.hands.store.as_ref(), self.number, &mut self.rows).await?;
        self.reached = self.applied;
        for session in self.opened.drain(..) {
            self.open.remove(&session);
            self.lows.remove(&session);
        }
        self.pending.puts.clear();
        Ok(std::mem::take(&mut self.pending.entries))
    }

    fn expect(&self, entry: &Entry) -> Result<(), ApplyError> {
        if self.reached.is_some() || entry.position == Position(0) {
            return Ok(());
        }
        Err(ApplyError::Headless { partition: self.number, found: entry.position })
    }

    async fn apply_one(&mut self, entry: &Entry, told: &mut Vec<Told>) -> Result<(), ApplyError> {
        let at = At { partition: self.number, position: entry.position, header: &entry.record.header };
        let poisoned = |why: String| ApplyError::Poisoned { position: entry.position, why };
        let event = entry.record.event().map_err(|error| poisoned(error.to_string()))?;
        load(self.hands.store.as_ref(), at, &event, &mut self.rows).await?;
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
                Append::Gated { closing, at: place, message } => {
                    stored::put_gated(self.number, closing, (place, message), at)
                }
                Append::Name { kind, scope, name, id } => {
                    stored::put_name(kind, self.number, &stored::Named { scope, name, id }, at)
                }
                Append::Quarantine { position, why } => stored::put_quarantine(self.number, position, &why, at),
            };
            self.pending.puts.push(put);
        }
        Ok(())
    }
}
