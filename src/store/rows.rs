//! Typed rows: where each row of `domain/row` stands, and how it is read back.
//!
//! | row | table | pk | ck |
//! | --- | --- | --- | --- |
//! | tenant, key, session, endpoint, message, contact, … | their own | id | – |
//! | name | `Name` | kind ‖ partition | scope ‖ name |
//! | outbox | `Outbox` | session ‖ priority ‖ bucket | position |
//! | feed | `Feed` | tenant ‖ partition ‖ bucket | position ‖ number in the event |
//! | tally | `Tally` | tenant ‖ partition | day |
//! | failing | `Failing` | tenant ‖ partition ‖ bucket | position ‖ number in the event |
//! | open session | `OpenSession` | partition | session |
//! | due | `Due` | partition | time ‖ position ‖ message |
//! | moved, from where on | `Due`, `OpenSession` | partition ‖ destination, `moves` ‖ partition | position ‖ message, destination |
//! | quarantine | `Quarantine` | partition | position |
//! | gates | `Gate` | partition, or tenant | – |
//! | person | `Person` | portfolio | contact |
//! | gated | `Gated` | partition ‖ closing | position ‖ message |
//! | campaign, a tenant's, progress | `Campaign` | id, tenant ‖ `of`, id ‖ `progress` ‖ partition | – |
//! | sticky | `Sticky` | pool | contact |
//! | tree | `Tree` | partition | tenant |
//! | the instance's log, what a partition said | `Audit` | `log`, `reported` | –, partition |
//! | of a contact | `OfContact` | partition ‖ contact | position |
//! | open erasures, requests that were carried out | `Privacy`, `Request` | partition, tenant ‖ partition | –, position |
//! | hash of the instance's log | `AuditHash` | level ‖ tile | place in it |
//!
//! A bucket is 16,777,216 positions, which are 65,536 appends where appends stand 256 apart: few enough rows for one
//! partition of a wide table, and few enough buckets to read over where a tenant has nothing.

mod audit;
mod due;
mod failing;
mod gated;
mod moves;
mod privacy;
mod tally;

pub use audit::{audit_tile, put_audit_hash, trees};
pub use due::{DuePlace, drop_due, due, put_due};
pub use failing::{Failing, failing, put_failing};
pub use gated::{GatedPlace, drop_gated, gated, put_gated};
pub use moves::{MovedPlace, drop_moved, have_come, moved, moving, put_moved, put_moving};
pub use privacy::{Concern, of_contact, put_of_contact, put_request, requests};
pub use tally::tallies;
use tally::tally_pk;

use crate::domain::event::Priority;
use crate::domain::id::{MessageId, SessionId, TenantId};
use crate::domain::projection::FeedRow;
use crate::domain::record::Position;
use crate::domain::row::{Row, RowId};
use crate::domain::table::{KeyPart, RowKey, Table};

use super::codec::{decode_row, encode};
use super::error::StoreError;
use super::seam::{Put, Scan, Store};

/// Positions of one bucket.
pub const BUCKET: u64 = 1 << 24;

/// Kinds of name, as their first key byte.
pub const NAME_KINDS: [&str; 6] = ["tenant", "key", "session", "endpoint", "portfolio", "campaign"];

/// A name and what it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Under whom the name is unique; zero for the installation.
    pub scope: [u8; 16],
    /// The name.
    pub name: String,
    /// What it leads to.
    pub id: [u8; 16],
}

/// Where a row stands.
#[must_use]
pub fn key_of(id: &RowId) -> RowKey {
    let (table, pk): (Table, &[u8]) = match id {
        RowId::Partition(number) => {
            return RowKey::single(Table::Partition, &number.to_be_bytes()[..]);
        }
        RowId::Tenant(id) => (Table::Tenant, &id.0),
        RowId::ApiKey(id) => (Table::ApiKey, &id.0),
        RowId::Session(id) => (Table::Session, &id.0),
        RowId::Endpoint(id) => (Table::Endpoint, &id.0),
        RowId::Message(id) => (Table::Message, &id.0),
        RowId::Contact(id) => (Table::Contact, &id.0),
        RowId::Idempotency(tag) => (Table::Idempotency, &tag.0),
        RowId::Provider(tag) => (Table::ProviderTag, &tag.0),
        RowId::Tally(id) => return RowKey::new(Table::Tally, tally_pk(id.tenant, id.partition), id.day.to_be_bytes()),
        // Behind the days of the tallies: those are four bytes, and their first is 0 for some 40,000 years.
        RowId::Backlog(id) => {
            return RowKey::new(Table::Tally, tally_pk(id.tenant, id.partition), *b"backlog");
        }
        RowId::Gates(number) => return RowKey::single(Table::Gate, &number.to_be_bytes()[..]),
        RowId::Asks(tenant) => (Table::Gate, &tenant.0),
        RowId::Portfolio(id) => (Table::Portfolio, &id.0),
        RowId::Person(id) => return RowKey::new(Table::Person, id.portfolio.0, id.contact.0),
        RowId::Campaign(id) => (Table::Campaign, &id.0),
        RowId::Campaigns(tenant) => return RowKey::single(Table::Campaign, KeyPart::join(&[&tenant.0, b"of"])),
        RowId::Progress(id, partition) => {
            let pk = KeyPart::join(&[&id.0, b"progress", &partition.to_be_bytes()]);
            return RowKey::single(Table::Campaign, pk);
        }
        RowId::Tree(id) => return RowKey::new(Table::Tree, id.partition, id.tenant.0),
        RowId::Instance(()) => return RowKey::single(Table::Audit, "log"),
        RowId::Reported(partition) => return RowKey::new(Table::Audit, "reported", *partition),
        RowId::Privacy(partition) => return RowKey::single(Table::Privacy, *partition),
        RowId::Sticky(id) => return RowKey::new(Table::Sticky, id.pool.0, id.contact.0),
    };
    RowKey::single(table, pk)
}

/// A row's upsert.
///
/// # Errors
/// When the row is larger than a value may be.
pub fn put(id: &RowId, row: &Row, at: Position) -> Result<Put, StoreError> {
    Ok(Put { key: key_of(id), value: encode(row)?, at })
}

/// Reads a row.
///
/// # Errors
/// When the store cannot be read, or the bytes are no row.
pub async fn get(store: &dyn Store, id: &RowId) -> Result<Option<Row>, StoreError> {
    let key = key_of(id);
    store.get(&key).await?.map(|bytes| decode_row(&key, &bytes)).transpose()
}

/// Reads several rows, in their order.
///
/// # Errors
/// As [`get`].
pub async fn get_many(store: &dyn Store, ids: &[RowId]) -> Result<Vec<Option<Row>>, StoreError> {
    let keys: Vec<RowKey> = ids.iter().map(key_of).collect();
    let values = store.get_many(&keys).await?;
    keys.iter().zip(values).map(|(key, value)| value.map(|bytes| decode_row(key, &bytes)).transpose()).collect()
}

/// A name's upsert.
#[must_use]
pub fn put_name(kind: &str, partition: u16, named: &Named, at: Position) -> Put {
    let ck = KeyPart::join(&[&named.scope, named.name.as_bytes()]);
    Put { key: RowKey::new(Table::Name, name_pk(kind, partition), ck), value: named.id.to_vec(), at }
}

/// All names of a kind in a partition, at most `limit`, after `after` (scope and name).
///
/// # Errors
/// When the store cannot be read.
pub async fn names(
    store: &dyn Store,
    kind: &str,
    partition: u16,
    after: Option<&Named>,
    limit: usize,
) -> Result<Vec<Named>, StoreError> {
    let mut scan = Scan::of(Table::Name, name_pk(kind, partition), limit);
    if let Some(last) = after {
        scan = scan.after(KeyPart::join(&[&last.scope, last.name.as_bytes()]));
    }
    let rows = store.scan(scan).await?;
    let read = rows.into_iter().map(|(ck, value)| named(ck.as_bytes(), &value));
    read.map(|named| named.ok_or_else(|| bad("a name"))).collect()
}

/// What is called so in a scope, of those that a partition names.
///
/// # Errors
/// When the store cannot be read.
pub async fn name_of(
    store: &dyn Store,
    kind: &str,
    partition: u16,
    (scope, name): ([u8; 16], &str),
) -> Result<Option<[u8; 16]>, StoreError> {
    let key = RowKey::new(Table::Name, name_pk(kind, partition), KeyPart::join(&[&scope, name.as_bytes()]));
    let found = store.get(&key).await?;
    found.map(|id| id.as_slice().try_into().map_err(|_| bad("a name"))).transpose()
}

fn named(ck: &[u8], value: &[u8]) -> Option<Named> {
    let (scope, name) = ck.split_at_checked(16)?;
    Some(Named {
        scope: scope.try_into().ok()?,
        name: String::from_utf8(name.to_vec()).ok()?,
        id: value.try_into().ok()?,
    })
}

fn name_pk(kind: &str, partition: u16) -> KeyPart {
    let number = NAME_KINDS.iter().position(|known| *known == kind).unwrap_or(usize::from(u8::MAX)) as u8;
    KeyPart::join(&[&[number], &partition.to_be_bytes()])
}

fn bad(what: &str) -> StoreError {
    StoreError::Row { key: None, why: format!("{what} does not decode") }
}

/// An outbox row's upsert.
#[must_use]
pub fn put_outbox(of: (SessionId, Priority), message: MessageId, at: Position) -> Put {
    let key = RowKey::new(Table::Outbox, outbox_pk(of, at.0 / BUCKET), &at.0.to_be_bytes()[..]);
    Put { key, value: message.0.to_vec(), at }
}

/// The session's accepted messages from `from` up to `through` (both inclusive), at most `limit`, in order.
///
/// # Errors
/// When the store cannot be read.
pub async fn outbox(
    store: &dyn Store,
    of: (SessionId, Priority),
    from: Position,
    through: Position,
    limit: usize,
) -> Result<Vec<(Position, MessageId)>, StoreError> {
    let mut found = Vec::new();
    for bucket in from.0 / BUCKET..=through.0 / BUCKET {
        let mut scan = Scan::of(Table::Outbox, outbox_pk(of, bucket), limit - found.len());
        if let Some(before) = from.0.checked_sub(1) {
            scan = scan.after(&before.to_be_bytes()[..]);
        }
        for (ck, value) in store.scan(scan).await? {
            let position = position(ck.as_bytes()).ok_or_else(|| bad("an outbox row's position"))?;
            let message = value.try_into().map_err(|_| bad("an outbox row"))?;
            if position > through {
                return Ok(found);
            }
            found.push((position, MessageId(message)));
        }
        if found.len() >= limit {
            break;
        }
    }
    Ok(found)
}

fn outbox_pk((session, priority): (SessionId, Priority), bucket: u64) -> KeyPart {
    KeyPart::join(&[&session.0, &[priority.index() as u8], &bucket.to_be_bytes()])
}

fn position(ck: &[u8]) -> Option<Position> {
    Some(Position(u64::from_be_bytes(ck.get(..8)?.try_into().ok()?)))
}

/// A feed row's upsert: the `number`-th public event of the event at `at`.
///
/// # Errors
/// When the row is larger than a value may be.
pub fn put_feed(tenant: TenantId, partition: u16, number: u16, row: &FeedRow, at: Position) -> Result<Put, StoreError> {
    let ck = KeyPart::join(&[&at.0.to_be_bytes(), &number.to_be_bytes()]);
    let key = RowKey::new(Table::Feed, feed_pk(tenant, partition, at.0 / BUCKET), ck);
    Ok(Put { key, value: encode(row)?, at })
}

/// The tenant's public events of one partition after `after` up to `through`, at most `limit` rows, ascending. A page
/// never ends within one event: the last event's rows are all there or none is, so a position is a whole cursor.
///
/// # Errors
/// When the store cannot be read.
pub async fn feed(
    store: &dyn Store,
    tenant: TenantId,
    partition: u16,
    after: Option<Position>,
    through: Position,
    limit: usize,
) -> Result<Vec<(Position, FeedRow)>, StoreError> {
    feed_page(store, tenant, partition, after, through, limit).await.map(|(found, _)| found)
}

/// Like [`feed`]; also says whether the page was cut, so that there is more up to `through`. The number of its rows does
/// not say it: what is cut off is a whole event, of up to 64 rows.
///
/// # Errors
/// When the store cannot be read.
pub async fn feed_page(
    store: &dyn Store,
    tenant: TenantId,
    partition: u16,
    after: Option<Position>,
    through: Position,
    limit: usize,
) -> Result<(Vec<(Position, FeedRow)>, bool), StoreError> {
    let mut found: Vec<(Position, FeedRow)> = Vec::new();
    let from = after.map_or(0, |after| after.0 + 1);
    for bucket in from / BUCKET..=through.0 / BUCKET {
        let pk = feed_pk(tenant, partition, bucket);
        let mut scan = Scan::of(Table::Feed, pk.clone(), limit + 1 - found.len());
        if let Some(before) = from.checked_sub(1) {
            scan = scan.after(KeyPart::join(&[&before.to_be_bytes(), &[u8::MAX; 2]]));
        }
        for (ck, value) in store.scan(scan).await? {
            let position = position(ck.as_bytes()).ok_or_else(|| bad("a feed row's position"))?;
            if position > through {
                return Ok((found, false));
            }
            let key = RowKey::new(Table::Feed, pk.clone(), ck);
            found.push((position, decode_row(&key, &value)?));
        }
        if found.len() > limit {
            cut_last_event(&mut found);
            return Ok((found, true));
        }
    }
    Ok((found, false))
}

fn cut_last_event(found: &mut Vec<(Position, FeedRow)>) {
    let Some(last) = found.last().map(|(position, _)| *position) else {
        return;
    };
    if found.first().is_some_and(|(first, _)| *first < last) {
        found.retain(|(position, _)| *position < last);
    }
}

fn feed_pk(tenant: TenantId, partition: u16, bucket: u64) -> KeyPart {
    KeyPart::join(&[&tenant.0, &partition.to_be_bytes(), &bucket.to_be_bytes()])
}

/// Remembers from where a session's outbox holds unsettled messages. A hint: too low costs reads, never a message.
#[must_use]
pub fn put_open_session(partition: u16, session: SessionId, low: Option<Position>, at: Position) -> Put {
    let value = low.map_or(u64::MAX, |low| low.0).to_be_bytes().to_vec();
    Put { key: RowKey::new(Table::OpenSession, &partition.to_be_bytes()[..], &session.0[..]), value, at }
}

/// Sessions of a partition with unsettled messages, and from where.
///
/// # Errors
/// When the store cannot be read.
pub async fn open_sessions(store: &dyn Store, partition: u16) -> Result<Vec<(SessionId, Position)>, StoreError> {
    let mut open = Vec::new();
    let mut scan = Scan::of(Table::OpenSession, &partition.to_be_bytes()[..], super::seam::MAX_SCAN);
    loop {
        let page = store.scan(scan.clone()).await?;
        let last = page.last().map(|(ck, _)| ck.clone());
        for (ck, value) in page {
            let session = ck.as_bytes().try_into().map_err(|_| bad("an open session"))?;
            let low = position(&value).ok_or_else(|| bad("an open session's mark"))?;
            if low.0 != u64::MAX {
                open.push((SessionId(session), low));
            }
        }
        match last {
            Some(last) => scan = scan.after(last),
            None => return Ok(open),
        }
    }
}

/// From where one session's outbox holds unsettled messages.
///
/// # Errors
/// When the store cannot be read.
pub async fn open_session(
    store: &dyn Store,
    partition: u16,
    session: SessionId,
) -> Result<Option<Position>, StoreError> {
    let key = RowKey::new(Table::OpenSession, &partition.to_be_bytes()[..], &session.0[..]);
    let low = store.get(&key).await?.and_then(|value| position(&value));
    Ok(low.filter(|low| low.0 != u64::MAX))
}

/// An event set aside.
#[must_use]
pub fn put_quarantine(partition: u16, position: Position, why: &str, at: Position) -> Put {
    let key = RowKey::new(Table::Quarantine, &partition.to_be_bytes()[..], &position.0.to_be_bytes()[..]);
    Put { key, value: why.as_bytes().to_vec(), at }
}

/// Events of a partition that are set aside.
///
/// # Errors
/// When the store cannot be read.
pub async fn quarantined(store: &dyn Store, partition: u16) -> Result<Vec<(Position, String)>, StoreError> {
    let rows = store.scan(Scan::of(Table::Quarantine, &partition.to_be_bytes()[..], super::seam::MAX_SCAN)).await?;
    let read = rows.into_iter().map(|(ck, value)| {
        let why = String::from_utf8_lossy(&value).into_owned();
        position(ck.as_bytes()).map(|position| (position, why)).ok_or_else(|| bad("a quarantined event"))
    });
    read.collect()
}
