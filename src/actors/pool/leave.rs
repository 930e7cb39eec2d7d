//! Leaving members that cannot send for too long, or that were taken out of the pool: what waits there is fetched back.

use std::collections::HashMap;

use super::actor::State;
use super::fetch::{AGAIN, Leaving};
use crate::domain::id::SessionId;
use crate::domain::pool::{Ability, Probe};
use crate::store::StoreError;

/// The members that are left, and how far each leaving is.
pub(super) type Leavings = HashMap<SessionId, Leaving>;

impl State {
    /// Goes on with those that are left. One that is to show whether it can send is let alone meanwhile; one that can is left
    /// no further, and has its people back once everything is here that was asked for.
    pub(super) async fn leave(&mut self) -> Result<(), StoreError> {
        let mut at_once = false;
        for member in self.members.clone() {
            let session = member.session;
            let mut it = self.leavings.remove(&session).unwrap_or_default();
            if !member.leaves {
                it.stop();
            }
            let rests = it.rests() && (!member.leaves || member.probe == Probe::UnderWay);
            let gone_on =
                if rests { Ok(false) } else { self.go_on(session, member.ability == Ability::Left, &mut it).await };
            self.watch.returns(session, it.returns());
            if member.leaves || !it.rests() {
                self.leavings.insert(session, it);
            }
            at_once |= gone_on?;
        }
        self.wake(at_once);
        Ok(())
    }

    /// Others have their turn first; what is waited for is looked at soon, once.
    pub(super) fn wake(&mut self, at_once: bool) {
        let mailbox = std::sync::Arc::clone(&self.args.mailbox);
        if at_once {
            return mailbox.inbox.nudge();
        }
        let waits = self.leavings.values().any(|it| !it.rests()) || self.behind.values().any(Option::is_some);
        if waits && self.alarm.as_ref().is_none_or(tokio::task::JoinHandle::is_finished) {
            self.alarm = Some(crate::runtime::spawn("leave", async move {
                tokio::time::sleep(AGAIN).await;
                mailbox.inbox.nudge();
            }));
        }
    }
}
