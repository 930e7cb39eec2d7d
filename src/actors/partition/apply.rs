//! Events in order → rows, committed together with the applied mark; only then is anybody told.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use super::actor::State;
use super::rows::{load, trim};
use crate::domain::id::EventId;
use crate::domain::projection::{Append, At, Note, apply};
use crate::domain::record::Position;
use crate::domain::row::Rows;
use crate::journal::Entry;
use crate::runtime::task::panic_text;
use crate::store::rows as stored;
use crate::store::{Commit, Put, StoreError};

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
    /// The journal's tail is not what was asked for.
    #[error("the tail of partition {partition} skips from {expected:?} to {found:?}")]
    Gap {
        /// The partition.
        partition: u16,
        /// What should have come.
        expected: Position,
        /// What came.
        found: Position,
    },
}

impl State {
    /// Applies a batch. What cannot be applied is set aside by an event, and the batch begins anew without it: rows that
    /// it may have half written are forgotten with everything that is not committed.
    pub(super) async fn apply(&mut self, entries: &[Arc<Entry>]) -> Result<Vec<Told>, ApplyError> {
        loop {
            match self.try_apply(entries).await {
                Err(ApplyError::Poisoned { position, why }) => {
                    self.roll_back();
                    self.set_aside(position, &why).await;
                }
                other => {
                    trim(&mut self.rows);
                    return other;
                }
            }
        }
    }

    async fn try_apply(&mut self, entries: &[Arc<Entry>]) -> Result<Vec<Told>, ApplyError> {
        let mut told = Vec::new();
        let mut puts = Vec::new();
        for entry in entries {
            if self.applied.is_some_and(|applied| entry.position <= applied) {
                continue;
            }
            self.expect(entry)?;
            if !self.poison.is_set_aside(entry.position) {
                self.apply_one(entry, &mut puts, &mut told).await?;
            }
            self.reached = Some(entry.position);
            if self.poison.is_careful() {
                self.commit(std::mem::take(&mut puts)).await?;
            }
        }
        self.commit(puts).await?;
        Ok(told)
    }

    fn roll_back(&mut self) {
        self.rows = Rows::default();
        self.reached = self.applied;
        for session in self.opened.drain(..) {
            self.open.remove(&session);
        }
    }

    fn expect(&self, entry: &Entry) -> Result<(), ApplyError> {
        let expected = self.reached.map_or(Position(0), Position::next);
        if entry.position == expected {
            return Ok(());
        }
        Err(ApplyError::Gap { partition: self.number, expected, found: entry.position })
    }

    async fn apply_one(&mut self, entry: &Entry, puts: &mut Vec<Put>, told: &mut Vec<Told>) -> Result<(), ApplyError> {
        let at = At { partition: self.number, position: entry.position, header: &entry.record.header };
        let poisoned = |why: String| ApplyError::Poisoned { position: entry.position, why };
        let event = entry.record.event().map_err(|error| poisoned(error.to_string()))?;
        load(self.hands.store.as_ref(), at, &event, &mut self.rows).await?;
        let rows = &mut self.rows;
        let applied = std::panic::catch_unwind(AssertUnwindSafe(|| apply(at, &event, rows)))
            .map_err(|panic| poisoned(panic_text(panic.as_ref()).to_owned()))??;
        self.append(entry.position, applied.appends, puts)?;
        let (position, id) = (entry.position, entry.record.header.id);
        told.extend(applied.notes.into_iter().map(|note| Told { position, event: id, note }));
        Ok(())
    }

    fn append(&mut self, at: Position, appends: Vec<Append>, puts: &mut Vec<Put>) -> Result<(), StoreError> {
        for (number, append) in appends.into_iter().enumerate() {
            let put = match append {
                Append::Feed { tenant, row } => {
                    self.count(&row);
                    stored::put_feed(tenant, self.number, u16::try_from(number).unwrap_or(u16::MAX), &row, at)?
                }
                Append::Outbox { session, message } => {
                    if self.open.insert(session, at).is_none() {
                        self.opened.push(session);
                        self.lows.remove(&session);
                        puts.push(stored::put_open_session(self.number, session, Some(at), at));
                    }
                    stored::put_outbox(session, message, at)
                }
                Append::Name { kind, scope, name, id } => {
                    stored::put_name(kind, self.number, &stored::Named { scope, name, id }, at)
                }
                Append::Quarantine { position, why } => stored::put_quarantine(self.number, position, &why, at),
            };
            puts.push(put);
        }
        Ok(())
    }

    async fn commit(&mut self, mut puts: Vec<Put>) -> Result<(), StoreError> {
        let Some(through) = self.reached.filter(|reached| Some(*reached) != self.applied) else {
            return Ok(());
        };
        for id in self.rows.take_changed() {
            if let Some(row) = self.rows.get(&id) {
                puts.push(stored::put(&id, row, through)?);
            }
        }
        for (session, low) in std::mem::take(&mut self.lows) {
            puts.push(stored::put_open_session(self.number, session, low, through));
        }
        puts.sort_by_key(|put| put.at);
        self.hands.trip("partition:before_commit");
        let began = self.hands.clock.steady();
        self.hands.store.commit(Commit { partition: self.number, through, puts, drops: Vec::new() }).await?;
        crate::telemetry::stage("apply", self.hands.clock.steady().saturating_sub(began));
        self.applied = Some(through);
        self.opened.clear();
        Ok(())
    }
}
