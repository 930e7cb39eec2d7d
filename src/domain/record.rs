//! The record: header and body, the bytes that are kept for ever.
//!
//! A record is a header (a CBOR map, RFC 8949, integer keys, fields in ascending order) and an optional sealed body.
//! The header names its kind, carries the event's facts (no personal data in the clear, ever) and the digest of the
//! body; whatever signs or checks a record covers the header only, so a body can be dropped and the record verifies.
//!
//! | key | field | CBOR | meaning |
//! | --: | --- | --- | --- |
//! | 0 | kind | uint | number of the event kind, see `event/mod.rs` |
//! | 1 | id | bytes 16 | the event's id |
//! | 2 | cause | bytes 16 | id of the event that brought it about |
//! | 3 | may_skip | bool | an older reader that does not know the kind may go on |
//! | 4 | address | [uint, bytes 16] | the mailbox |
//! | 5 | tenant | bytes 16 | whose audit tree and feed it belongs to |
//! | 6 | by | [uint, bytes] | who asked: 0 node, 1 API key, 2 Meta, 3 operator |
//! | 7 | at | int | microseconds since 1970 UTC, a claim of the writer's clock |
//! | 8 | feature | uint | feature level of the writer |
//! | 9 | epoch | uint | position of the claim the writer stood under |
//! | 10 | key | bytes 16 | id of the key the body is sealed under |
//! | 11 | body | [uint, bytes 32] | length and SHA-256 of the stored (sealed) body |
//! | 12 | commitment | bytes 32 | SHA-256(salt ‖ plaintext), the salt being inside the sealed body |
//! | 13 | subject | bytes 16 | the message it is about |
//! | 14 | attempt | uint | which attempt of that message |
//! | 15 | facts | bytes | CBOR map of the kind's own fields |

use bytes::Bytes;
use minicbor::{Decode, Encode};
use sha2::{Digest, Sha256};

use super::address::Address;
use super::event::Event;
use super::id::{ApiKeyId, EventId, KeyId, MessageId, NodeId, TenantId};

/// Header and body together stay below one mebibyte: what Kafka brokers take by default, and what one batch may hold
/// four of.
pub const MAX_RECORD: usize = 1024 * 1024;

/// Headers are facts, not content; a header of this size holds 512 closed attempts.
pub const MAX_HEADER: usize = 128 * 1024;

/// A place in one partition: ascending, from 0 (the genesis). Places between two records may hold nothing, so positions
/// are compared and never counted; how many records lie between two of them, only a journal knows.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Default,
    Encode,
    Decode,
    serde::Serialize,
    serde::Deserialize,
)]
#[cbor(transparent)]
#[serde(transparent)]
pub struct Position(#[n(0)] pub u64);

impl Position {
    /// The place after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// Microseconds since 1970-01-01 UTC.
pub type Micros = i64;

/// Who asked for an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Principal {
    /// A process of this installation, on its own.
    Node(NodeId),
    /// Whoever held this API key.
    Key(ApiKeyId),
    /// Meta, by a signed callback or its answer to a call.
    Meta,
    /// A person at the machine, through the command line.
    Operator,
    /// Somebody only a newer version knows, by number; who exactly stands in the record's bytes.
    Other(u8),
}

/// Length and SHA-256 of a stored body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyDigest {
    /// Bytes.
    pub len: u32,
    /// SHA-256 over the stored bytes (ciphertext).
    pub sha256: [u8; 32],
}

impl BodyDigest {
    /// The digest of these stored bytes.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        Self { len: u32::try_from(body.len()).unwrap_or(u32::MAX), sha256: Sha256::digest(body).into() }
    }
}

/// What stands in front of every event. Field numbers are the format; see the table above.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Header {
    /// Number of the event kind.
    #[n(0)]
    pub kind: u16,
    /// The event's own id.
    #[n(1)]
    pub id: EventId,
    /// What brought it about.
    #[n(2)]
    pub cause: Option<EventId>,
    /// Whether an older reader may go on without understanding it.
    #[n(3)]
    pub may_skip: bool,
    /// The mailbox.
    #[n(4)]
    pub address: Address,
    /// The tenant, if it concerns one.
    #[n(5)]
    pub tenant: Option<TenantId>,
    /// Who asked.
    #[n(6)]
    pub by: Principal,
    /// When, by the writer's clock.
    #[n(7)]
    pub at: Micros,
    /// The writer's feature level.
    #[n(8)]
    pub feature: u16,
    /// The claim the writer stood under.
    #[n(9)]
    pub epoch: Option<Position>,
    /// The key of the sealed body.
    #[n(10)]
    pub key: Option<KeyId>,
    /// Digest of the sealed body.
    #[n(11)]
    pub body: Option<BodyDigest>,
    /// Salted commitment to the plaintext of the body.
    #[cbor(n(12), with = "minicbor::bytes")]
    pub commitment: Option<[u8; 32]>,
    /// The message it is about.
    #[n(13)]
    pub subject: Option<MessageId>,
    /// Which attempt.
    #[n(14)]
    pub attempt: Option<u16>,
    /// The kind's own fields, CBOR.
    #[cbor(n(15), with = "minicbor::bytes")]
    pub facts: Vec<u8>,
}

/// Bytes that are no record, with what is wrong about them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The header is not the CBOR map of the table above.
    #[error("the header does not decode: {0}")]
    Header(String),
    /// Bytes are left over after the header.
    #[error("the header ends after {used} of {len} bytes")]
    TrailingBytes {
        /// Bytes the map took.
        used: usize,
        /// Bytes there were.
        len: usize,
    },
    /// The facts do not decode as their kind says.
    #[error("the facts of kind {kind} do not decode: {why}")]
    Facts {
        /// Event kind.
        kind: u16,
        /// What the decoder said.
        why: String,
    },
    /// The body is not the one the header was written for.
    #[error("the body ({found} bytes) does not match the header's digest of {expected} bytes")]
    Body {
        /// Bytes found.
        found: usize,
        /// Bytes the header names.
        expected: u32,
    },
    /// Header or body is larger than a record may be.
    #[error("the record has {len} bytes; at most {MAX_RECORD} are allowed, {MAX_HEADER} of them header")]
    TooLarge {
        /// Header and body together.
        len: usize,
    },
}

/// A header and its body as they are written: what a journal takes, and what it gives back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The decoded header.
    pub header: Header,
    /// The header's bytes; decoding `raw` gives `header`, and re-encoding `header` gives `raw` for what this version wrote.
    pub raw: Bytes,
    /// The sealed body; empty when there is none or when it was dropped.
    pub body: Bytes,
}

impl Record {
    /// Encodes a header for its body (setting the body's digest).
    ///
    /// # Errors
    /// [`RecordError::TooLarge`] when the limits are passed.
    pub fn new(mut header: Header, body: Bytes) -> Result<Self, RecordError> {
        header.body = (!body.is_empty()).then(|| BodyDigest::of(&body));
        let raw = minicbor::to_vec(&header).map_err(|e| RecordError::Header(e.to_string()))?;
        let len = raw.len() + body.len();
        if raw.len() > MAX_HEADER || len > MAX_RECORD {
            return Err(RecordError::TooLarge { len });
        }
        Ok(Self { header, raw: raw.into(), body })
    }

    /// Reads a record back. The body may be absent (dropped); if present it must match the header's digest.
    ///
    /// # Errors
    /// Says what does not decode or match.
    pub fn decode(raw: Bytes, body: Bytes) -> Result<Self, RecordError> {
        let mut decoder = minicbor::Decoder::new(&raw);
        let header: Header = decoder.decode().map_err(|e| RecordError::Header(e.to_string()))?;
        if decoder.position() != raw.len() {
            return Err(RecordError::TrailingBytes { used: decoder.position(), len: raw.len() });
        }
        if !body.is_empty() && header.body != Some(BodyDigest::of(&body)) {
            let expected = header.body.map_or(0, |digest| digest.len);
            return Err(RecordError::Body { found: body.len(), expected });
        }
        Ok(Self { header, raw, body })
    }

    /// The event this record holds; kinds this version does not know come back as [`Event::Opaque`].
    ///
    /// # Errors
    /// [`RecordError::Facts`] when a known kind's facts do not decode.
    pub fn event(&self) -> Result<Event, RecordError> {
        Event::decode(self.header.kind, &self.header.facts)
    }

    /// Bytes of header and body.
    #[must_use]
    pub fn len(&self) -> usize {
        self.raw.len() + self.body.len()
    }

    /// A record always has a header.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        false
    }
}

/// Reads a byte string of exactly `N` bytes.
pub(super) fn fixed<const N: usize>(d: &mut minicbor::Decoder<'_>) -> Result<[u8; N], minicbor::decode::Error> {
    let bytes = d.bytes()?;
    bytes.try_into().map_err(|_| minicbor::decode::Error::message(format!("expected {N} bytes, found {}", bytes.len())))
}

/// Expects an array of two.
pub(super) fn pair(d: &mut minicbor::Decoder<'_>) -> Result<(), minicbor::decode::Error> {
    match d.array()? {
        Some(2) => Ok(()),
        other => Err(minicbor::decode::Error::message(format!("expected an array of two, found {other:?}"))),
    }
}

impl<C> Encode<C> for BodyDigest {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.array(2)?.u32(self.len)?.bytes(&self.sha256)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for BodyDigest {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        pair(d)?;
        Ok(Self { len: d.u32()?, sha256: fixed(d)? })
    }
}

impl<C> Encode<C> for Principal {
    fn encode<W: minicbor::encode::Write>(
        &self,
        e: &mut minicbor::Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let (number, id): (u8, &[u8]) = match self {
            Self::Node(id) => (0, &id.0),
            Self::Key(id) => (1, &id.0),
            Self::Meta => (2, &[]),
            Self::Operator => (3, &[]),
            Self::Other(number) => (*number, &[]),
        };
        e.array(2)?.u8(number)?.bytes(id)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Principal {
    fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
        pair(d)?;
        let number = d.u8()?;
        match number {
            0 => Ok(Self::Node(NodeId(fixed(d)?))),
            1 => Ok(Self::Key(ApiKeyId(fixed(d)?))),
            2 | 3 => {
                fixed::<0>(d)?;
                Ok(if number == 2 { Self::Meta } else { Self::Operator })
            }
            other => {
                d.bytes()?;
                Ok(Self::Other(other))
            }
        }
    }
}
