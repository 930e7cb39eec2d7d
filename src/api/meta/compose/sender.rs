//! Which of our sessions a part concerns, and which attempt a status is about.

use super::{Composer, Trouble};
use crate::channel::whatsapp::token;
use crate::domain::callback::Part;
use crate::domain::event::AttemptRef;
use crate::domain::id::{SessionId, TenantId};
use crate::domain::row::{MessageRow, Row, RowId};
use crate::store::rows;

/// A session as a part needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Sender {
    pub(in super::super) session: SessionId,
    pub(in super::super) tenant: TenantId,
    /// Where its mailbox is.
    pub(in super::super) partition: u16,
}

impl Composer {
    /// The session of a provider's account.
    pub(super) async fn sender(&self, account: Option<&str>) -> Result<Option<Sender>, Trouble> {
        let Some(account) = account else {
            return Ok(None);
        };
        let found = self.app.directory.session_of_account(&self.app, account);
        Ok(found.await?.map(|session| Sender {
            session: session.id,
            tenant: session.tenant,
            partition: session.partition,
        }))
    }

    /// The attempt our own token names, if it came back unchanged.
    pub(super) fn attempt(&self, token: Option<&str>) -> Option<AttemptRef> {
        let mac = |signed: &[u8]| self.app.vault.mac("callback token", &[signed]);
        token::read(token?, mac)
    }

    /// The session of a status. With a token of ours the message's own row decides: it stays in the mailbox it was accepted
    /// in, and its person is its tenant's. The account may be another session's by now, also another tenant's, and what is
    /// said of the person who was written to is not for that one. Without a token, or a row, the account decides.
    pub(super) async fn sender_of_status(
        &self,
        part: &Part,
        of: Option<AttemptRef>,
    ) -> Result<(Option<Sender>, Option<AttemptRef>), Trouble> {
        let Some(of) = of else {
            return Ok((self.sender(part.account.as_deref()).await?, None));
        };
        let accepted = message(self, of).await?.and_then(|row| row.accepted);
        let then = accepted.map(|accepted| Sender {
            session: accepted.session,
            tenant: accepted.tenant,
            partition: self.app.partition_of(accepted.session),
        });
        if let Some(then) = then.filter(|then| then.partition == of.message.partition()) {
            return Ok((Some(then), Some(of)));
        }
        let now = self.sender(part.account.as_deref()).await?;
        // Events of another partition could not reach the message.
        let reached = now.is_some_and(|now| now.partition == of.message.partition());
        Ok((now, reached.then_some(of)))
    }
}

async fn message(composer: &Composer, of: AttemptRef) -> Result<Option<Box<MessageRow>>, Trouble> {
    let row = rows::get(&*composer.app.store, &RowId::Message(of.message)).await?;
    Ok(match row {
        Some(Row::Message(row)) => Some(row),
        _ => None,
    })
}
