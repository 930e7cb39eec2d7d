//! What concerns a person, and what was done for people's rights: appended, read page by page.
//!
//! No buckets: a person gets some thousands of messages in all, a tenant some thousands of requests.

use super::{bad, position};
use crate::domain::id::{KeyId, TenantId};
use crate::domain::record::Position;
use crate::domain::row::{OfContact, RequestRow};
use crate::domain::table::{KeyPart, RowKey, Table};
use crate::store::codec::{decode_row, encode};
use crate::store::error::StoreError;
use crate::store::seam::{Put, Scan, Store};

/// What concerns a person: where it stands in its partition, and what it is.
pub type Concern = (Position, OfContact);

/// What concerns a person: its upsert. An event is one thing to one person.
///
/// # Errors
/// When the row is larger than a value may be.
pub fn put_of_contact(partition: u16, contact: KeyId, row: OfContact, at: Position) -> Result<Put, StoreError> {
    let key = RowKey::new(Table::OfContact, contact_pk(partition, contact), at);
    Ok(Put { key, value: encode(&row)?, at })
}

fn contact_pk(partition: u16, contact: KeyId) -> KeyPart {
    KeyPart::join(&[&partition.to_be_bytes(), &contact.0])
}

/// What concerns a person in one partition after a position, at most `limit`, in order.
///
/// # Errors
/// When the store cannot be read.
pub async fn of_contact(
    store: &dyn Store,
    (partition, contact): (u16, KeyId),
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<Concern>, StoreError> {
    page(store, (Table::OfContact, contact_pk(partition, contact)), after, limit).await
}

/// What was done for a right: its upsert.
///
/// # Errors
/// When the row is larger than a value may be.
pub fn put_request(tenant: TenantId, partition: u16, row: &RequestRow, at: Position) -> Result<Put, StoreError> {
    let key = RowKey::new(Table::Request, request_pk(tenant, partition), at);
    Ok(Put { key, value: encode(row)?, at })
}

fn request_pk(tenant: TenantId, partition: u16) -> KeyPart {
    KeyPart::join(&[&tenant.0, &partition.to_be_bytes()])
}

/// What was done for the rights of a tenant's people, in one partition after a position, at most `limit`, in order.
///
/// # Errors
/// When the store cannot be read.
pub async fn requests(
    store: &dyn Store,
    (tenant, partition): (TenantId, u16),
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<(Position, RequestRow)>, StoreError> {
    page(store, (Table::Request, request_pk(tenant, partition)), after, limit).await
}

async fn page<T: serde::de::DeserializeOwned>(
    store: &dyn Store,
    (table, pk): (Table, KeyPart),
    after: Option<Position>,
    limit: usize,
) -> Result<Vec<(Position, T)>, StoreError> {
    let mut scan = Scan::of(table, pk.clone(), limit);
    if let Some(after) = after {
        scan = scan.after(after);
    }
    let read = store.scan(scan).await?.into_iter().map(|(ck, value)| {
        let at = position(ck.as_bytes()).ok_or_else(|| bad("a position"))?;
        Ok((at, decode_row(&RowKey::new(table, pk.clone(), ck), &value)?))
    });
    read.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::MessageId;
    use crate::store::{Commit, MemoryStore};

    #[tokio::test]
    async fn what_concerns_a_person_is_read_in_order_and_nobody_elses() {
        let (store, ann, bob) = (MemoryStore::new(), KeyId([1; 16]), KeyId([2; 16]));
        let message = |n: u64| OfContact::Message(MessageId([n as u8; 16]));
        let mut puts: Vec<Put> =
            [1_u64, 2, 300, 70_000].map(|n| put_of_contact(3, ann, message(n), Position(n)).expect("small")).into();
        puts.push(put_of_contact(3, bob, OfContact::Consent, Position(4)).expect("small"));
        puts.push(put_of_contact(4, ann, OfContact::Received, Position(5)).expect("small"));
        let through = Position(70_000);
        store.commit(Commit { partition: 3, through, puts, drops: Vec::new() }).await.expect("taken");
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = of_contact(&store, (3, ann), after, 3).await.expect("readable");
            let Some((last, _)) = page.last() else { break };
            after = Some(*last);
            found.extend(page);
        }
        assert_eq!(found, [1, 2, 300, 70_000].map(|n| (Position(n), message(n))));
        assert_eq!(of_contact(&store, (4, ann), None, 9).await, Ok(vec![(Position(5), OfContact::Received)]));
    }
}
