//! When people are forgotten: one erasure of this partition after the other, as they are asked for and nothing stands against
//! them. How, says [`erasure`](crate::actors::erasure).
//!
//! What is open stands in a row, so a new life, or another node, goes on where the last one ended. Each is tried again until it
//! is done; one that fails makes room for the next, for what fails is mostly the vault or the store, and those fail for all.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Notice;
use super::actor::{Phase, State};
use crate::actors::erasure;
use crate::domain::id::EventId;
use crate::domain::row::{OpenErasure, PrivacyRow, Row, RowId};
use crate::store::StoreError;

/// How long after a try that failed the next one is made.
const AGAIN: Duration = Duration::from_secs(5);

/// Where the forgetting stands.
#[derive(Debug)]
pub(super) struct Erasing {
    /// Something may be open.
    wanted: bool,
    /// What is being carried out.
    under_way: Option<EventId>,
    /// Not before this, steady time: the last try failed.
    not_before: Duration,
    /// Whose turn was last.
    after: Option<EventId>,
    /// Carried out, and not applied yet when the row was last looked at: as many as the row may have.
    done: BTreeSet<EventId>,
}

impl Default for Erasing {
    /// An earlier life may have left something.
    fn default() -> Self {
        Self { wanted: true, under_way: None, not_before: Duration::ZERO, after: None, done: BTreeSet::new() }
    }
}

impl Erasing {
    /// Something was asked for, carried out, held or not any more.
    pub(super) fn changed(&mut self) {
        self.wanted = true;
    }

    /// The next one, in turn, if it is time.
    fn turn(&mut self, row: &PrivacyRow, now: Duration) -> Option<OpenErasure> {
        if self.under_way.is_some() || now < self.not_before {
            return None;
        }
        self.done.retain(|done| row.erasures.iter().any(|open| open.asked == *done));
        let last = row.erasures.iter().position(|open| Some(open.asked) == self.after);
        let from = last.map_or(0, |place| place + 1);
        let open = row.erasures[from..]
            .iter()
            .chain(&row.erasures[..from])
            .find(|open| !open.held && !self.done.contains(&open.asked))
            .cloned();
        self.wanted = open.is_some();
        self.under_way = open.as_ref().map(|open| open.asked);
        self.after = self.under_way.or(self.after);
        open
    }

    fn ended(&mut self, done: bool, now: Duration) {
        self.wanted = true;
        match self.under_way.take() {
            Some(asked) if done => _ = self.done.insert(asked),
            _ => self.not_before = now + AGAIN,
        }
    }
}

impl State {
    /// Begins with the next one, if there is one and none is under way.
    pub(super) async fn forget_next(&mut self) -> Result<(), StoreError> {
        if !self.erasing.wanted || !matches!(self.phase, Phase::Owning(_)) {
            return Ok(());
        }
        let Some(Row::Privacy(row)) = self.read(RowId::Privacy(self.number)).await? else {
            self.erasing.wanted = false;
            return Ok(());
        };
        let Some(open) = self.erasing.turn(&row, self.hands.clock.steady()) else {
            return Ok(());
        };
        let (hands, number, notices) = (self.hands.clone(), self.number, Arc::clone(&self.notices));
        crate::runtime::spawn("erasure", async move {
            let said = Said { notices, done: false };
            match erasure::forget(&hands, number, &open).await {
                Ok(()) => said.done(),
                Err(error) => {
                    tracing::error!(partition = number, contact = %open.contact, %error, "a person is not forgotten yet; trying again");
                }
            }
        });
        Ok(())
    }

    /// One came to its end, or failed.
    pub(super) async fn forgot(&mut self, done: bool) -> Result<(), StoreError> {
        self.erasing.ended(done, self.hands.clock.steady());
        self.forget_next().await
    }
}

/// Says how it ended, also if the task dies.
struct Said {
    notices: Arc<crate::actors::inbox::Inbox<Notice>>,
    done: bool,
}

impl Said {
    fn done(mut self) {
        self.done = true;
    }
}

impl Drop for Said {
    fn drop(&mut self) {
        self.notices.push(Notice::Forgot(self.done));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::{KeyId, TenantId};
    use crate::domain::record::Principal;

    fn open(n: u8, held: bool) -> OpenErasure {
        OpenErasure {
            asked: EventId([n; 16]),
            tenant: TenantId([1; 16]),
            contact: KeyId([n; 16]),
            asked_at: 0,
            due_at: 0,
            reason: String::new(),
            by: Principal::Operator,
            held,
        }
    }

    #[test]
    fn one_is_carried_out_at_a_time_and_what_fails_waits_behind_the_others() {
        let (mut erasing, now) = (Erasing::default(), Duration::from_secs(1));
        let row = PrivacyRow { erasures: vec![open(1, false), open(2, true), open(3, false)] };
        let turn = |erasing: &mut Erasing, now| erasing.turn(&row, now).map(|open| open.asked.0[0]);
        assert_eq!(turn(&mut erasing, now), Some(1));
        assert_eq!(turn(&mut erasing, now), None, "one at a time");
        erasing.ended(false, now);
        assert_eq!(turn(&mut erasing, now), None, "not at once after a failure");
        assert_eq!(turn(&mut erasing, now + AGAIN), Some(3), "what is held is passed by");
        erasing.ended(true, now + AGAIN);
        assert_eq!(turn(&mut erasing, now + AGAIN), Some(1), "in turn, and what is done is not done again");
        erasing.ended(true, now + AGAIN);
        assert_eq!(turn(&mut erasing, now + AGAIN), None);
    }

    #[test]
    fn nothing_is_looked_for_where_nothing_changed() {
        let mut erasing = Erasing::default();
        assert!(erasing.wanted, "an earlier life may have left something");
        let held = PrivacyRow { erasures: vec![open(1, true)] };
        assert_eq!(erasing.turn(&held, Duration::ZERO), None);
        assert!(!erasing.wanted);
        erasing.changed();
        assert!(erasing.wanted);
    }
}
