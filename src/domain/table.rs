//! The tables of the store and the key of a row: what a projection writes to and a query reads from.
//!
//! A row's key is a table, a partition key (`pk`) and a clustering key (`ck`). Rows of one `(table, pk)` are ordered by
//! the bytes of their `ck`, so numbers go in big-endian. Rows of different journal partitions never share a
//! `(table, pk)`: each has one writer, and that is what makes "the last write wins" an order and not a race.

use std::fmt;
use std::hash::{Hash, Hasher};

use super::record::Position;

/// What kind of row. The numbers stand in stored keys; a number is never reused, a table never renumbered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Table {
    /// State of a journal partition: genesis, the last valid claim, feature level.
    Partition = 1,
    /// A tenant's declaration and policy, as this partition knows it.
    Tenant = 2,
    /// API keys.
    ApiKey = 3,
    /// Sessions.
    Session = 4,
    /// Webhook endpoints, with their cursors.
    Endpoint = 5,
    /// Messages: facts as columns.
    Message = 6,
    /// Contacts: consent, aliases, service window.
    Contact = 7,
    /// Idempotency keys that were used.
    Idempotency = 8,
    /// Keyed tag of a provider's message id → our message.
    ProviderTag = 9,
    /// Callbacks whose message is not known yet.
    Orphan = 10,
    /// What people wrote to us.
    Inbound = 11,
    /// Phone number id → session.
    Account = 12,
    /// Directory of names.
    Name = 13,
    /// Work that is due and stands in no session's memory.
    Outbox = 14,
    /// Public events of a tenant in a partition, in order: what endpoints are notified of.
    Feed = 15,
    /// Sessions with work, to be found again after a restart.
    OpenSession = 16,
    /// Messages that fail or hang, for the operator.
    Failing = 17,
    /// Actors that were taken out of service.
    Quarantine = 18,
    /// Messages that enter the outbox when their time has come.
    Due = 19,
    /// What became of a tenant's messages, by day.
    Tally = 21,
    /// Operator's gates: those that a partition knows, and what was asked for of a tenant's.
    Gate = 22,
    /// Messages that wait for a gate, by closing, in the order in which they are let out.
    Gated = 23,
    /// Which of a pool's sessions a person is written to from.
    Sticky = 25,
    /// Campaigns, those of a tenant that are not over, and how far each is.
    Campaign = 26,
    /// Business portfolios.
    Portfolio = 27,
    /// People whom a portfolio admitted.
    Person = 28,
    /// Trees of the audit, by partition.
    Tree = 29,
    /// The instance's log: how far it is, what was signed, what each partition said last.
    Audit = 30,
    /// Its hashes.
    AuditHash = 31,
    /// What concerns a person, by partition and position.
    OfContact = 32,
    /// What people asked for by right: what is open in a partition.
    Privacy = 33,
    /// What was done about it, for a tenant.
    Request = 34,
}

impl Table {
    /// Every table, by ascending number.
    pub const ALL: [Self; 32] = [
        Self::Partition,
        Self::Tenant,
        Self::ApiKey,
        Self::Session,
        Self::Endpoint,
        Self::Message,
        Self::Contact,
        Self::Idempotency,
        Self::ProviderTag,
        Self::Orphan,
        Self::Inbound,
        Self::Account,
        Self::Name,
        Self::Outbox,
        Self::Feed,
        Self::OpenSession,
        Self::Failing,
        Self::Quarantine,
        Self::Due,
        Self::Tally,
        Self::Gate,
        Self::Gated,
        Self::Sticky,
        Self::Campaign,
        Self::Portfolio,
        Self::Person,
        Self::Tree,
        Self::Audit,
        Self::AuditHash,
        Self::OfContact,
        Self::Privacy,
        Self::Request,
    ];

    /// The stored number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// The table with this stored number, if this version knows it.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.number() == number)
    }

    /// The table's name, as errors and metrics show it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Partition => "partition",
            Self::Tenant => "tenant",
            Self::ApiKey => "api_key",
            Self::Session => "session",
            Self::Endpoint => "endpoint",
            Self::Message => "message",
            Self::Contact => "contact",
            Self::Idempotency => "idempotency",
            Self::ProviderTag => "provider_tag",
            Self::Orphan => "orphan",
            Self::Inbound => "inbound",
            Self::Account => "account",
            Self::Name => "name",
            Self::Outbox => "outbox",
            Self::Feed => "feed",
            Self::OpenSession => "open_session",
            Self::Failing => "failing",
            Self::Quarantine => "quarantine",
            Self::Due => "due",
            Self::Tally => "tally",
            Self::Gate => "gate",
            Self::Gated => "gated",
            Self::Sticky => "sticky",
            Self::Campaign => "campaign",
            Self::Portfolio => "portfolio",
            Self::Person => "person",
            Self::Tree => "tree",
            Self::Audit => "audit",
            Self::AuditHash => "audit_hash",
            Self::OfContact => "of_contact",
            Self::Privacy => "privacy",
            Self::Request => "request",
        }
    }

    /// Whether a row here is overwritten as its subject moves on (the highest position wins) and never dropped.
    ///
    /// The others are append-only: a row is written once (again only by a replay, with the same bytes), and rows leave
    /// as a whole bucket, everything below a clustering key.
    #[must_use]
    pub const fn mutable(self) -> bool {
        use Table::{AuditHash, Due, Failing, Feed, Gated, Inbound, OfContact, Orphan, Outbox, Request};
        !matches!(self, AuditHash | Orphan | Inbound | Outbox | Feed | Failing | Due | Gated | OfContact | Request)
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Parts up to this many bytes live in the key itself, without an allocation: two ids and a few bytes, or an id, a
/// position and a sub-key. 38 makes a part 40 bytes, and a key 88.
pub const INLINE: usize = 38;

/// Half of a row's key: a byte string, compared as bytes.
#[derive(Clone)]
pub struct KeyPart(Bytes);

#[derive(Clone)]
enum Bytes {
    Inline(u8, [u8; INLINE]),
    Heap(Box<[u8]>),
}

impl KeyPart {
    /// No bytes: the clustering key of a table with one row per partition key.
    pub const EMPTY: Self = Self(Bytes::Inline(0, [0; INLINE]));

    /// Several parts, one after the other. All but the last must have a fixed length, or two keys could run together.
    ///
    /// Any length is taken here; the store refuses what is longer than it can hold, with the table's name.
    #[must_use]
    pub fn join(parts: &[&[u8]]) -> Self {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        if len > INLINE {
            return Self(Bytes::Heap(parts.concat().into_boxed_slice()));
        }
        let mut bytes = [0; INLINE];
        let mut at = 0;
        for part in parts {
            bytes[at..at + part.len()].copy_from_slice(part);
            at += part.len();
        }
        Self(Bytes::Inline(at as u8, bytes))
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Bytes::Inline(len, bytes) => &bytes[..usize::from(*len)],
            Bytes::Heap(bytes) => bytes,
        }
    }
}

impl AsRef<[u8]> for KeyPart {
    fn as_ref(&self) -> &[u8] {
        self.as_bytes()
    }
}

impl From<&[u8]> for KeyPart {
    fn from(bytes: &[u8]) -> Self {
        Self::join(&[bytes])
    }
}

impl<const N: usize> From<[u8; N]> for KeyPart {
    fn from(bytes: [u8; N]) -> Self {
        Self::join(&[&bytes])
    }
}

impl From<&str> for KeyPart {
    fn from(text: &str) -> Self {
        Self::join(&[text.as_bytes()])
    }
}

/// Big-endian, so that rows sort by position.
impl From<Position> for KeyPart {
    fn from(position: Position) -> Self {
        Self::from(position.0.to_be_bytes())
    }
}

/// A partition number, big-endian.
impl From<u16> for KeyPart {
    fn from(number: u16) -> Self {
        Self::from(number.to_be_bytes())
    }
}

impl PartialEq for KeyPart {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for KeyPart {}

impl PartialOrd for KeyPart {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for KeyPart {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_bytes().cmp(other.as_bytes())
    }
}

impl Hash for KeyPart {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// The first eight bytes in hex: enough to find a row, and not the whole of a keyed tag in a log.
impl fmt::Debug for KeyPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.as_bytes();
        let shown = bytes.len().min(8);
        f.write_str(&hex::encode(&bytes[..shown]))?;
        if shown < bytes.len() { write!(f, "…({})", bytes.len()) } else { Ok(()) }
    }
}

/// Which row.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowKey {
    /// In which table.
    pub table: Table,
    /// Partition key: what is read and written together, and has one writer.
    pub pk: KeyPart,
    /// Clustering key: the order inside. Empty where a partition key has one row.
    pub ck: KeyPart,
}

impl RowKey {
    /// A row with both halves.
    #[must_use]
    pub fn new(table: Table, pk: impl Into<KeyPart>, ck: impl Into<KeyPart>) -> Self {
        Self { table, pk: pk.into(), ck: ck.into() }
    }

    /// The only row of its partition key.
    #[must_use]
    pub fn single(table: Table, pk: impl Into<KeyPart>) -> Self {
        Self { table, pk: pk.into(), ck: KeyPart::EMPTY }
    }
}

impl fmt::Debug for RowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:?}/{:?}", self.table, self.pk, self.ck)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_numbers_are_pinned_for_ever() {
        let listed: Vec<(u8, &str)> = Table::ALL.into_iter().map(|table| (table.number(), table.name())).collect();
        assert_eq!(listed.first(), Some(&(1, "partition")));
        assert_eq!(
            listed[13..],
            [
                (14, "outbox"),
                (15, "feed"),
                (16, "open_session"),
                (17, "failing"),
                (18, "quarantine"),
                (19, "due"),
                (21, "tally"),
                (22, "gate"),
                (23, "gated"),
                (25, "sticky"),
                (26, "campaign"),
                (27, "portfolio"),
                (28, "person"),
                (29, "tree"),
                (30, "audit"),
                (31, "audit_hash"),
                (32, "of_contact"),
                (33, "privacy"),
                (34, "request"),
            ]
        );
        assert!(listed.is_sorted_by(|a, b| a.0 < b.0), "{listed:?}");
        for (place, (number, _)) in listed.iter().enumerate() {
            assert_eq!(Table::from_number(*number), Some(Table::ALL[place]));
        }
        assert_eq!((Table::from_number(0), Table::from_number(35)), (None, None));
    }

    #[test]
    fn a_part_is_its_bytes_wherever_they_live() {
        let short = KeyPart::join(&[b"ab", b"c"]);
        assert_eq!(short, KeyPart::from("abc"));
        for len in [0, 1, INLINE - 1, INLINE, INLINE + 1, 300] {
            let bytes = vec![7; len];
            assert_eq!(KeyPart::from(&bytes[..]).as_bytes(), &bytes[..]);
        }
        assert!(
            KeyPart::from(&[7; INLINE][..]) < KeyPart::from(&[7; INLINE + 1][..]),
            "inline and heap compare as bytes"
        );
        assert!(KeyPart::from(Position(255)) < KeyPart::from(Position(256)));
    }

    #[test]
    fn a_key_shows_no_more_than_eight_bytes_of_a_part() {
        let key = RowKey::new(Table::ProviderTag, [0xab; 16], *b"x");
        assert_eq!(format!("{key:?}"), "provider_tag/abababababababab…(16)/78");
    }
}
