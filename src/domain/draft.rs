//! Drafting a record: the header's fields in words, for everyone who appends.

use bytes::Bytes;

use super::address::Address;
use super::event::{Event, FEATURE_LEVEL};
use super::id::{EventId, KeyId, MessageId, TenantId};
use super::record::{Header, Micros, Position, Principal, Record, RecordError};

/// A record being written.
#[derive(Debug, Clone)]
pub struct Draft {
    header: Header,
    body: Bytes,
}

impl Draft {
    /// An event for a mailbox. `id` is random, or derived from its cause by [`EventId::caused_by`].
    #[must_use]
    pub fn new(id: EventId, address: impl Into<Address>, event: &Event, by: Principal, at: Micros) -> Self {
        let header = Header {
            kind: event.kind(),
            id,
            cause: None,
            may_skip: event.may_skip(),
            address: address.into(),
            tenant: None,
            by,
            at,
            feature: FEATURE_LEVEL,
            epoch: None,
            key: None,
            body: None,
            commitment: None,
            subject: None,
            attempt: None,
            facts: event.facts(),
        };
        Self { header, body: Bytes::new() }
    }

    /// Whose audit tree and feed it belongs to.
    #[must_use]
    pub fn tenant(mut self, tenant: TenantId) -> Self {
        self.header.tenant = Some(tenant);
        self
    }

    /// What brought it about.
    #[must_use]
    pub fn cause(mut self, cause: EventId) -> Self {
        self.header.cause = Some(cause);
        self
    }

    /// The claim its writer stands under.
    #[must_use]
    pub fn epoch(mut self, epoch: Position) -> Self {
        self.header.epoch = Some(epoch);
        self
    }

    /// The message it is about.
    #[must_use]
    pub fn subject(mut self, message: MessageId) -> Self {
        self.header.subject = Some(message);
        self
    }

    /// A body sealed under a contact's key, with the commitment to its plaintext.
    #[must_use]
    pub fn sealed(mut self, key: KeyId, commitment: [u8; 32], body: impl Into<Bytes>) -> Self {
        self.header.key = Some(key);
        self.header.commitment = Some(commitment);
        self.body = body.into();
        self
    }

    /// The record.
    ///
    /// # Errors
    /// When it is larger than a record may be.
    pub fn record(self) -> Result<Record, RecordError> {
        Record::new(self.header, self.body)
    }
}
