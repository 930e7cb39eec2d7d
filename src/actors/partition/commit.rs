//! Writing rows down: what was applied in memory goes to the store together, with the mark, at most once a window.
//!
//! The journal has every event already, and the rows at hand are what `apply` and the sessions read: so nobody waits for
//! the store but those who read it, the API, the endpoints and a session that pulls from its outbox. A message that is
//! accepted, started and sent within one window costs one row instead of three, and a window one mark. Whoever reads
//! the store is told after the commit, never before.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Notice;
use super::actor::{Phase, State};
use crate::domain::id::{SessionId, TenantId};
use crate::journal::Entry;
use crate::store::rows as stored;
use crate::store::{Commit, Put, StoreError};

/// The shortest time between two commits of one partition while it is busy: as long as a reader of rows may be behind.
/// After a rest the first event is committed at once.
pub(super) const WINDOW: Duration = Duration::from_millis(20);

/// Events that are committed at once, window or not: what a death of the actor makes it apply again, and with a batch of
/// the tail (1,024) the most that is kept for it, by reference.
pub(super) const PENDING: usize = 512;

/// What is applied and not committed.
#[derive(Debug, Default)]
pub(super) struct Pending {
    /// The events, in order: applied again should one after them turn out to be poison.
    pub(super) entries: Vec<Arc<Entry>>,
    /// Rows that are only ever appended.
    pub(super) puts: Vec<Put>,
    /// Tenants whose feeds grew.
    pub(super) grown: BTreeSet<TenantId>,
    /// Sessions that find something in the outbox once it is written.
    pub(super) cold: BTreeSet<SessionId>,
    /// The window's end is waited for.
    pub(super) waiting: bool,
}

impl State {
    /// Commits what a batch left, now or at the end of the window.
    pub(super) async fn commit_in_time(&mut self) -> Result<(), StoreError> {
        let live = matches!(self.phase, Phase::Owning(_));
        let since = self.hands.clock.steady().saturating_sub(self.committed_at);
        if !live || since >= WINDOW || self.pending.entries.len() >= PENDING {
            return self.commit().await;
        }
        if !self.pending.waiting && !self.pending.entries.is_empty() {
            self.pending.waiting = true;
            let notices = Arc::clone(&self.notices);
            crate::runtime::spawn("window", async move {
                tokio::time::sleep(WINDOW.saturating_sub(since)).await;
                notices.push(Notice::Commit);
            });
        }
        Ok(())
    }

    /// Writes everything down that is applied, and tells whoever reads it from the store.
    pub(super) async fn commit(&mut self) -> Result<(), StoreError> {
        let Some(through) = self.reached.filter(|reached| Some(*reached) != self.applied) else {
            return Ok(());
        };
        let mut pending = std::mem::take(&mut self.pending);
        // A window that is waited for ends all the same, and finds nothing to do.
        self.pending.waiting = pending.waiting;
        let puts = self.puts(&mut pending, through)?;
        self.hands.trip("partition:before_commit");
        let began = self.hands.clock.steady();
        self.hands.store.commit(Commit { partition: self.number, through, puts, drops: Vec::new() }).await?;
        self.committed_at = self.hands.clock.steady();
        crate::telemetry::stage("apply", self.committed_at.saturating_sub(began));
        self.applied = Some(through);
        if through.0 + 1 >= self.target.0 {
            self.hands.registry.set_current(self.number);
        }
        self.opened.clear();
        super::rows::trim(&mut self.rows);
        self.tell_readers(&pending);
        Ok(())
    }

    fn puts(
        &mut self,
        pending: &mut Pending,
        through: crate::domain::record::Position,
    ) -> Result<Vec<Put>, StoreError> {
        let mut puts = std::mem::take(&mut pending.puts);
        let changed = self.rows.take_changed();
        puts.reserve(changed.len() + self.lows.len());
        for id in changed {
            if let Some(row) = self.rows.get(&id) {
                puts.push(stored::put(&id, row, through)?);
            }
        }
        for (session, low) in std::mem::take(&mut self.lows) {
            puts.push(stored::put_open_session(self.number, session, low, through));
        }
        Ok(puts)
    }

    fn tell_readers(&mut self, pending: &Pending) {
        for session in &pending.cold {
            self.children.session_box(&self.hands, *session).inbox.nudge();
        }
        for tenant in &pending.grown {
            self.hands.registry.ring(*tenant, self.number);
        }
    }
}
