//! Children of a partition that is left: coming to their end, and put away.

use super::{Children, Mailbox};
use crate::actors::endpoint::EndpointMail;
use crate::actors::hands::Hands;
use crate::actors::session::SessionMail;
use crate::domain::id::{SessionId, TenantId};

impl Children {
    /// What is under way comes to its end, and nothing begins. With a claim that is lost nothing more is read back.
    pub fn drain(&self, lost: bool) {
        for child in self.by_address.values() {
            match (&child.mailbox, &child.actor) {
                (Some(Mailbox::Session(mailbox)), _) if !mailbox.is_routed() => {
                    mailbox.inbox.push(SessionMail::Drain { lost });
                }
                (Some(Mailbox::Endpoint(mailbox)), _) => mailbox.inbox.push(EndpointMail::Drain),
                (_, Some(actor)) => actor.stop(Some("its partition is left".to_owned())),
                _ => {}
            }
        }
    }

    /// Whether everybody came to an end, and every outcome is in the journal.
    #[must_use]
    pub fn are_drained(&self) -> bool {
        self.by_address.values().all(|child| child.actor.is_none() && child.is_quiet())
    }

    /// Sessions look whether there is something to do.
    pub fn nudge_sessions(&self) {
        for child in self.by_address.values() {
            if let Some(Mailbox::Session(mailbox)) = &child.mailbox {
                mailbox.inbox.nudge();
            }
        }
    }

    /// Nobody is to look for them in this process any more. A box with an end that is not recorded is kept: a later life
    /// finds it there; one that is put away is nobody's, whoever is in the middle of a turn with it.
    pub fn put_away(&self, hands: &Hands) {
        for (address, child) in &self.by_address {
            match &child.mailbox {
                Some(Mailbox::Session(mailbox)) => hands.registry.forget_box(SessionId(address.id), mailbox),
                Some(Mailbox::Endpoint(mailbox)) => hands.registry.listen_no_more(mailbox),
                Some(Mailbox::Tenant(inbox)) => hands.registry.budget_left(TenantId(address.id), inbox),
                _ => {}
            }
        }
    }
}
