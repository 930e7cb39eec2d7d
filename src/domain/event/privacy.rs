//! Events in a contact's mailbox that a person's rights bring about: to know, to be forgotten, and what stands against it.
//! The rights are those of the GDPR, articles 15 to 18; the words are its words.

use minicbor::{Decode, Encode};

use super::super::id::{EventId, KeyId};
use super::super::record::Micros;

/// Somebody asked that all that is kept of a person be erased. Carried out by the owner of the mailbox, as soon as nothing stands
/// against it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ErasureAskedV1 {
    /// The contact.
    #[n(0)]
    pub contact: KeyId,
    /// Until when it has to be done.
    #[n(1)]
    pub due_at: Micros,
    /// In the words of whoever asked for it; no person's data.
    #[n(2)]
    pub reason: String,
}

/// The person's keys and names are destroyed: what was sealed under them opens nowhere any more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ContactErasedV1 {
    /// The contact.
    #[n(0)]
    pub contact: KeyId,
    /// Which word it carries out.
    #[n(1)]
    pub asked: EventId,
    /// When the keys were destroyed, by our clock.
    #[n(2)]
    pub destroyed_at: Micros,
    /// Messages to the person and from the person that were kept.
    #[n(3)]
    pub messages: u32,
    /// Messages to the person that had not left, and were called off.
    #[n(4)]
    pub cancelled: u32,
    /// Whether the person's no to marketing stays, under a keyed mark.
    #[n(5)]
    pub opt_out_kept: bool,
}

/// What is kept of a person must stay, or need not any more: a dispute, a duty to keep.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LegalHoldSetV1 {
    /// The contact.
    #[n(0)]
    pub contact: KeyId,
    /// Whether it must stay from here on.
    #[n(1)]
    pub held: bool,
    /// In the words of whoever said so; no person's data.
    #[n(2)]
    pub reason: String,
}

/// Somebody was given all that is kept of a person, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AccessGivenV1 {
    /// The contact.
    #[n(0)]
    pub contact: KeyId,
    /// In the words of whoever asked for it; no person's data.
    #[n(1)]
    pub reason: String,
}
