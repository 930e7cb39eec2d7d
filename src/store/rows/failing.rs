//! Rows of failures: appended as messages come to stand so, read page by page.

use super::{BUCKET, bad, position};
use crate::domain::id::TenantId;
use crate::domain::record::Position;
use crate::domain::row::FailingRow;
use crate::domain::table::{KeyPart, RowKey, Table};
use crate::store::codec::{decode_row, encode};
use crate::store::error::StoreError;
use crate::store::seam::{Put, Scan, Store};

/// Failures of one event at most: outcomes travel 64 at a time.
const OF_ONE_EVENT: usize = 64;

/// A failure's upsert: the `number`-th row of the event at `at`.
///
/// # Errors
/// When the row is larger than a value may be.
pub fn put_failing(
    tenant: TenantId,
    partition: u16,
    number: u16,
    row: &FailingRow,
    at: Position,
) -> Result<Put, StoreError> {
    let ck = KeyPart::join(&[&at.0.to_be_bytes(), &number.to_be_bytes()]);
    let key = RowKey::new(Table::Failing, pk(tenant, partition, at.0 / BUCKET), ck);
    Ok(Put { key, value: encode(row)?, at })
}

fn pk(tenant: TenantId, partition: u16, bucket: u64) -> KeyPart {
    KeyPart::join(&[&tenant.0, &partition.to_be_bytes(), &bucket.to_be_bytes()])
}

/// What one reading found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Failing {
    /// Rows by position. Those of one event are all there or none is, so a position is a whole cursor.
    pub rows: Vec<(Position, FailingRow)>,
    /// Everything up to here was read.
    pub reached: Position,
}

/// A tenant's failures of one partition after `after` up to `through`: at most `limit` rows, and what else the last
/// event has, of at most `buckets` buckets. Failures are rare, and a reading that finds none has to end as well.
///
/// # Errors
/// When the store cannot be read.
pub async fn failing(
    store: &dyn Store,
    (tenant, partition): (TenantId, u16),
    after: Option<Position>,
    through: Position,
    limit: usize,
    buckets: u64,
) -> Result<Failing, StoreError> {
    let mut rows: Vec<(Position, FailingRow)> = Vec::new();
    let from = after.map_or(0, |after| after.0.saturating_add(1));
    let last = (through.0 / BUCKET).min((from / BUCKET).saturating_add(buckets.saturating_sub(1)));
    for bucket in from / BUCKET..=last {
        let pk = pk(tenant, partition, bucket);
        let mut scan = Scan::of(Table::Failing, pk.clone(), (limit + OF_ONE_EVENT).saturating_sub(rows.len()).max(1));
        if let Some(before) = from.checked_sub(1) {
            scan = scan.after(KeyPart::join(&[&before.to_be_bytes(), &[u8::MAX; 2]]));
        }
        for (ck, value) in store.scan(scan).await? {
            let at = position(ck.as_bytes()).ok_or_else(|| bad("a failure's position"))?;
            if at > through {
                return Ok(Failing { rows, reached: through });
            }
            if let Some(reached) = rows.last().map(|(last, _)| *last).filter(|last| rows.len() >= limit && *last < at) {
                return Ok(Failing { rows, reached });
            }
            rows.push((at, decode_row(&RowKey::new(Table::Failing, pk.clone(), ck), &value)?));
        }
    }
    let end = (last + 1).saturating_mul(BUCKET) - 1;
    Ok(Failing { rows, reached: through.min(Position(end)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Category;
    use crate::domain::id::{MessageId, SessionId};
    use crate::domain::message::State;
    use crate::store::{Commit, MemoryStore};

    const OURS: (TenantId, u16) = (TenantId([1; 16]), 3);

    fn row(n: u8) -> FailingRow {
        FailingRow {
            message: MessageId([n; 16]),
            session: SessionId([2; 16]),
            category: Category::Utility,
            template: None,
            state: State::Failed,
            at: 0,
            since: Position(0),
            class: "request".to_owned(),
            code: 100,
        }
    }

    /// Failures at these positions, each with so many rows.
    async fn store(events: &[(u64, u16)]) -> MemoryStore {
        let store = MemoryStore::new();
        let (mut puts, mut n) = (Vec::new(), 0);
        for (at, count) in events {
            for number in 0..*count {
                n += 1;
                puts.push(put_failing(OURS.0, OURS.1, number, &row(n), Position(*at)).expect("small"));
            }
        }
        let through = puts.last().map_or(Position(0), |put| put.at);
        store.commit(Commit { partition: OURS.1, through, puts, drops: Vec::new() }).await.expect("taken");
        store
    }

    #[tokio::test]
    async fn pages_hold_every_failure_once_whatever_their_size() {
        let end = Position(5 * BUCKET);
        let store = store(&[(1, 1), (2, 3), (9, 1), (BUCKET + 4, 2), (4 * BUCKET, 1)]).await;
        for (limit, buckets) in [(1, 1), (1, 9), (2, 2), (3, 1), (100, 100)] {
            let (mut found, mut after, mut readings) = (Vec::new(), None, 0);
            while after != Some(end) {
                let page = failing(&store, OURS, after, end, limit, buckets).await.expect("readable");
                assert!(page.rows.len() <= limit + 2, "no more than one event beyond the limit");
                assert!(Some(page.reached) > after, "a reading gets on");
                found.extend(page.rows.into_iter().map(|(_, row)| row.message.0[0]));
                after = Some(page.reached);
                readings += 1;
            }
            assert_eq!(found, (1..=8).collect::<Vec<u8>>(), "limit {limit}, {readings} readings");
        }
    }

    #[tokio::test]
    async fn nothing_is_read_beyond_what_was_asked_for() {
        let store = store(&[(1, 1), (7, 1)]).await;
        let page = failing(&store, OURS, None, Position(6), 10, 10).await.expect("readable");
        assert_eq!((page.rows.len(), page.reached), (1, Position(6)));
        let other = failing(&store, (TenantId([9; 16]), 3), None, Position(9), 10, 10).await.expect("readable");
        assert_eq!((other.rows.len(), other.reached), (0, Position(9)));
    }
}
