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
use crate::domain::record::Position;
use crate::journal::Entry;
use crate::store::rows as stored;
use crate::store::{Commit, DropBelow, Put, StoreError};

/// The shortest time between two commits of one partition while it is busy: as long as a reader of rows may be behind.
/// After a rest the first event is committed at once.
pub(super) const WINDOW: Duration = Duration::from_millis(20);

/// Events that are committed at once, window or not: what a death of the actor makes it apply again, and with a batch of
/// the tail (1,024) the most that is kept for it, by reference.
pub(super) const PENDING: usize = 512;

/// After so long whoever writes our rows is believed to own them, read or not.
const OVERTAKEN: Duration = Duration::from_secs(5);

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
    /// Commits what a batch left, now or at the end of the window. Who is not the owner yet writes only what it cannot keep:
    /// the owner may be alive, and a mark beyond its own would stop it.
    pub(super) async fn commit_in_time(&mut self) -> Result<(), StoreError> {
        let since = self.hands.clock.steady().saturating_sub(self.committed_at);
        let (owns, full) = (self.tenure().is_some(), self.pending.entries.len() >= PENDING);
        if full || (owns && since >= WINDOW) {
            return self.commit().await;
        }
        if !owns {
            return Ok(());
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
        if self.is_written_by_others() {
            return Ok(());
        }
        let mut pending = std::mem::take(&mut self.pending);
        // A window that is waited for ends all the same, and finds nothing to do.
        self.pending.waiting = pending.waiting;
        let puts = self.puts(&mut pending, through)?;
        self.hands.trip("partition:before_commit");
        let began = self.hands.clock.steady();
        if !self.write(through, puts, Vec::new()).await? {
            self.pending.entries = pending.entries;
            return Ok(());
        }
        self.committed_at = self.hands.clock.steady();
        crate::telemetry::stage("apply", self.committed_at.saturating_sub(began));
        self.applied = Some(through);
        if self.is_caught_up() {
            self.hands.registry.set_current(self.number, self.committed_at);
        }
        self.opened.clear();
        super::rows::trim(&mut self.rows);
        self.tell_readers(&pending);
        Ok(())
    }

    /// Rows that are lost are written by whoever owns them now, and would be no sign of life of that one.
    pub(super) fn is_written_by_others(&self) -> bool {
        self.overtaken.is_some() || matches!(self.phase, Phase::Lost(_))
    }

    /// Writes to the store. False when that was not done, because somebody else does.
    pub(super) async fn write(
        &mut self,
        through: Position,
        puts: Vec<Put>,
        drops: Vec<DropBelow>,
    ) -> Result<bool, StoreError> {
        if self.is_written_by_others() {
            return Ok(false);
        }
        match self.store.commit(Commit { partition: self.number, through, puts, drops }).await {
            Err(StoreError::Backwards { applied, .. }) => {
                self.be_overtaken(applied);
                Ok(false)
            }
            written => written.map(|()| true),
        }
    }

    /// Somebody else has written rows beyond ours: as a rule the one whose claim is on its way here. Until that is read
    /// what is applied goes on in memory, and whoever lives here is told of it: what stands before the claim is ours still.
    fn be_overtaken(&mut self, by: Position) {
        if self.tenure().is_some() {
            tracing::info!(partition = self.number, applied = by.0, "somebody else writes the rows of this partition");
            self.overtaken = Some(self.hands.clock.steady());
        }
    }

    /// A claim that should have been read by now.
    pub(super) fn end_overtaken(&mut self) {
        let late = |since: Duration| self.hands.clock.steady().saturating_sub(since) >= OVERTAKEN;
        if self.tenure().is_some() && self.overtaken.is_some_and(late) {
            self.lose(self.reached.unwrap_or_default().next());
        }
    }

    fn puts(&mut self, pending: &mut Pending, through: Position) -> Result<Vec<Put>, StoreError> {
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
        puts.extend(self.arrivals.take_marks(self.number, through));
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
