//! One part with all that its events share: whose it is, its id, the seal.

use super::super::append::Placed;
use super::super::{body, person, seal};
use super::sender::Sender;
use super::{App, CodeTable, Trouble};
use crate::domain::address::Address;
use crate::domain::callback::Part;
use crate::domain::draft::Draft;
use crate::domain::event::{CallbackCarriedV1, Event};
use crate::domain::id::{EventId, KeyId, MessageId, Tag, TenantId};
use crate::domain::record::{Micros, Principal};
use crate::vault::Sealed;

/// A part being written down.
pub(in super::super) struct Scene<'a> {
    pub(super) app: &'a App,
    pub(super) codes: &'a CodeTable,
    pub(super) now: Micros,
    pub(super) part: &'a Part,
    pub(super) sender: Option<Sender>,
    /// The id of the part's own event.
    pub(super) id: EventId,
}

/// Where an event goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mailbox {
    pub(super) address: Address,
    pub(super) partition: u16,
}

impl<'a> Scene<'a> {
    pub(super) async fn of(
        app: &'a App,
        codes: &'a CodeTable,
        now: Micros,
        part: &'a Part,
        sender: Option<Sender>,
    ) -> Result<Self, Trouble> {
        let tenant = sender.map(|sender| sender.tenant).unwrap_or_default();
        let named = [part.dedup.as_bytes(), part.body.word().as_bytes()];
        let id = EventId(app.vault.tag(tenant, "callback event", &named).await?.0);
        Ok(Self { app, codes, now, part, sender, id })
    }

    /// The tenant that keys and tags are of; zero where none is known.
    pub(super) fn tenant(&self) -> TenantId {
        self.sender.map(|sender| sender.tenant).unwrap_or_default()
    }

    /// A keyed tag of this tenant.
    pub(super) async fn tag(&self, purpose: &str, of: &[&[u8]]) -> Result<Tag, Trouble> {
        Ok(self.app.vault.tag(self.tenant(), purpose, of).await?)
    }

    /// The session's mailbox; without a session a partition chosen by the tag, always the same for the same part.
    pub(super) fn mailbox(&self, tag: Tag) -> Mailbox {
        if let Some(sender) = self.sender {
            return Mailbox { address: sender.session.into(), partition: sender.partition };
        }
        let spread = u128::from_be_bytes(tag.0) % u128::from(self.app.partitions);
        let partition = u16::try_from(spread).expect("less than a partition count");
        Mailbox { address: Address::partition(partition), partition }
    }

    pub(super) fn mailbox_of(&self, contact: KeyId) -> Mailbox {
        Mailbox { address: contact.into(), partition: self.app.partition_of(contact) }
    }

    /// The contacts of the part's person that the tenant knows, the one to seal for first.
    pub(super) async fn known(&self) -> Result<Vec<KeyId>, Trouble> {
        let names = self.part.person.as_ref().map(person::names_of);
        person::find_all(&*self.app.vault, self.tenant(), &names.unwrap_or_default()).await
    }

    fn draft(&self, id: EventId, mailbox: Mailbox, event: &Event) -> Draft {
        let draft = Draft::new(id, mailbox.address, event, Principal::Meta, self.now);
        match self.sender {
            Some(sender) => draft.tenant(sender.tenant),
            None => draft,
        }
    }

    /// The part's own event with its text under the seal; a text too large for it follows in pieces.
    pub(super) async fn told(
        &self,
        mailbox: Mailbox,
        event: &Event,
        (contact, subject): (Option<KeyId>, Option<MessageId>),
        text: Vec<u8>,
    ) -> Result<Vec<Placed>, Trouble> {
        let mut draft = self.draft(self.id, mailbox, event);
        if let Some(message) = subject {
            draft = draft.subject(message);
        }
        if text.len() <= body::WHOLE {
            let sealed = self.seal(contact, self.id, &text).await?;
            return Ok(vec![placed(mailbox, under(draft, sealed))?]);
        }
        let mut all = vec![placed(mailbox, draft)?];
        for (number, piece) in body::pieces(&text).into_iter().enumerate() {
            all.push(self.piece(mailbox, contact, number, &piece).await?);
        }
        Ok(all)
    }

    async fn piece(
        &self,
        mailbox: Mailbox,
        contact: Option<KeyId>,
        number: usize,
        text: &[u8],
    ) -> Result<Placed, Trouble> {
        let name = format!("piece {number}");
        let id = EventId::caused_by(self.id, &name);
        let event = Event::from(CallbackCarriedV1 {
            session: self.sender.map(|sender| sender.session),
            field: word(&self.part.field),
            tag: self.tag("callback part", &[self.part.dedup.as_bytes(), name.as_bytes()]).await?,
        });
        let sealed = self.seal(contact, id, text).await?;
        let draft = self.draft(id, mailbox, &event).cause(self.id);
        placed(mailbox, under(draft, sealed))
    }

    async fn seal(&self, contact: Option<KeyId>, event: EventId, text: &[u8]) -> Result<Sealed, Trouble> {
        seal::seal(&*self.app.vault, (self.tenant(), contact), event, text, self.now).await
    }

    /// What the part causes in another mailbox.
    pub(super) fn aside(&self, mailbox: Mailbox, id: EventId, event: &Event) -> Result<Placed, Trouble> {
        placed(mailbox, self.draft(id, mailbox, event).cause(self.id))
    }

    /// What the part causes in a contact's mailbox; `step` names it, so that a repeat is the same event.
    pub(super) fn beside(&self, contact: KeyId, step: &str, event: &Event) -> Result<Placed, Trouble> {
        let mailbox = self.mailbox_of(contact);
        let id = EventId::caused_by(self.id, &format!("{step} {contact}"));
        placed(mailbox, self.draft(id, mailbox, event).cause(self.id))
    }
}

fn under(draft: Draft, sealed: Sealed) -> Draft {
    draft.sealed(sealed.key, sealed.commitment, sealed.bytes)
}

fn placed(mailbox: Mailbox, draft: Draft) -> Result<Placed, Trouble> {
    Ok(Placed { partition: mailbox.partition, record: draft.record()? })
}

/// A word of Meta's own making (a field, a type, a price category), fit for a header. Anything else may be a person's and
/// stands under the seal only.
pub(super) fn word(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_lowercase() || matches!(b, b'_' | b'-');
    let good = !text.is_empty() && text.len() <= 64 && text.bytes().all(plain);
    if good { text.to_owned() } else { "other".to_owned() }
}
