//! An attempt on its way, and what a message waits for.

use super::super::event::AttemptRef;
use super::super::id::KeyId;
use super::super::record::Micros;
use super::Queued;

/// An attempt on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flight {
    pub(super) of: AttemptRef,
    pub(super) contact: KeyId,
    pub(super) expires_at: Micros,
    pub(super) queued: Option<Queued>,
    /// Attempts before it that count.
    pub(super) counted: u16,
    pub(super) phase: Phase,
    /// When this life proposed it; long past for one of another life.
    pub(super) began: Micros,
}

impl Flight {
    /// Whether it takes a place in the window: this life proposed it, or a task of this process is making it.
    pub(super) fn is_own(&self) -> bool {
        self.queued.is_some() || self.phase == Phase::Running
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// The intent is on its way to the journal and back.
    Proposed,
    /// The intent came back void: nothing of its lane leaves before its row was looked at.
    Voided,
    /// A task makes the call.
    Running,
    /// Somebody else's, of an earlier life: unknown once nobody can still be writing it.
    Inherited,
    /// The outcome is on its way to the journal and back.
    Closing,
}

/// When a waiting message is looked at again: it expires on time, however long it was told to wait.
pub(super) fn wait_over(queued: &Queued) -> Micros {
    queued.not_before.min(queued.expires_at)
}
