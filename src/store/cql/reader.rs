//! Rows, marks and scans; the digest of everything.

use std::ops::ControlFlow;
use std::sync::Arc;

use scylla::deserialize::row::DeserializeRow;
use scylla::response::query_result::QueryResult;
use scylla::response::{PagingState, PagingStateResponse};
use scylla::statement::prepared::PreparedStatement;
use scylla::value::CqlValue;
use sha2::{Digest, Sha256};
use tokio::task::JoinSet;

use super::super::error::StoreError;
use super::super::key;
use super::super::seam::{Row, Scan};
use super::shared::{Shared, Until};
use super::statements::number;
use crate::domain::record::Position;
use crate::domain::table::{KeyPart, RowKey, Table};
use crate::telemetry;

/// Rows read at once for one caller.
const AT_ONCE: usize = 64;

/// The value of a row.
pub async fn get(shared: &Shared, key: &RowKey) -> Result<Option<Vec<u8>>, StoreError> {
    key::encode(key)?;
    let began = shared.clock.steady();
    let (session, get) = (&shared.cluster.session, &shared.statements.of(key.table).get);
    let values = (number(key.table), key.pk.as_bytes(), key.ck.as_bytes());
    let result = shared.ask("read a row", Until::Patience, || session.execute_unpaged(get, values)).await?;
    telemetry::cql("read", shared.clock.steady().saturating_sub(began));
    let found: Vec<(Vec<u8>,)> = rows(shared, result)?;
    Ok(found.into_iter().next().map(|(value,)| value))
}

/// The values of several rows, in the order of the keys.
pub async fn get_many(shared: &Arc<Shared>, keys: &[RowKey]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
    if let [one] = keys {
        return Ok(vec![get(shared, one).await?]);
    }
    let (mut found, mut under_way) = (vec![None; keys.len()], JoinSet::new());
    let mut rest = keys.iter().enumerate();
    loop {
        while under_way.len() < AT_ONCE
            && let Some((place, key)) = rest.next()
        {
            let (shared, key) = (Arc::clone(shared), key.clone());
            under_way.spawn(async move { get(&shared, &key).await.map(|value| (place, value)) });
        }
        let Some(done) = under_way.join_next().await else { return Ok(found) };
        let (place, value) = done.map_err(|error| shared.latched(format!("a read did not end: {error}")))??;
        found[place] = value;
    }
}

/// Up to where a partition is applied.
pub async fn mark(shared: &Shared, partition: u16) -> Result<Option<Position>, StoreError> {
    let (session, mark) = (&shared.cluster.session, &shared.statements.get_mark);
    let asked = (i32::from(partition),);
    let result = shared.ask("read a mark", Until::Patience, || session.execute_unpaged(mark, asked)).await?;
    let found: Vec<(Vec<u8>,)> = rows(shared, result)?;
    found.into_iter().next().map(|(through,)| position(partition, &through)).transpose()
}

/// A position as it stands in a column.
pub fn position(partition: u16, bytes: &[u8]) -> Result<Position, StoreError> {
    let why = || format!("the mark of partition {partition} has {} bytes", bytes.len());
    let bytes = bytes.try_into().map_err(|_| StoreError::Row { key: None, why: why() })?;
    Ok(Position(u64::from_be_bytes(bytes)))
}

/// A range of rows.
pub async fn scan(shared: &Shared, scan: Scan) -> Result<Vec<Row>, StoreError> {
    let (lower, upper, _) = key::range(&scan)?;
    if scan.limit == 0 || key::is_empty(&lower, &upper) {
        return Ok(Vec::new());
    }
    let began = shared.clock.steady();
    let (mut found, mut next) = (Vec::new(), Some(PagingState::start()));
    while let Some(state) = next {
        next = page(shared, &scan, state, &mut found).await?;
    }
    telemetry::cql("read", shared.clock.steady().saturating_sub(began));
    Ok(found)
}

/// One page of a scan, and where the next one begins.
async fn page(
    shared: &Shared,
    scan: &Scan,
    state: PagingState,
    found: &mut Vec<Row>,
) -> Result<Option<PagingState>, StoreError> {
    let of = shared.statements.of(scan.table);
    let statement = of.scan(scan.after.is_some(), scan.before.is_some(), scan.reverse);
    let blob = |part: &KeyPart| CqlValue::Blob(part.as_bytes().to_vec());
    let mut values = vec![CqlValue::SmallInt(number(scan.table)), blob(&scan.pk)];
    values.extend(scan.after.iter().chain(&scan.before).map(blob));
    values.push(CqlValue::Int(i32::try_from(scan.limit).unwrap_or(i32::MAX)));
    let (result, next) = one_page(shared, "scan rows", statement, &values, state).await?;
    let rows: Vec<(Vec<u8>, Vec<u8>)> = rows(shared, result)?;
    found.extend(rows.into_iter().map(|(ck, value)| (KeyPart::from(&ck[..]), value)));
    Ok(next)
}

async fn one_page(
    shared: &Shared,
    doing: &'static str,
    statement: &PreparedStatement,
    values: &[CqlValue],
    state: PagingState,
) -> Result<(QueryResult, Option<PagingState>), StoreError> {
    let session = &shared.cluster.session;
    let ask = || session.execute_single_page(statement, values, state.clone());
    let (result, next): (QueryResult, PagingStateResponse) = shared.ask(doing, Until::Patience, ask).await?;
    Ok(match next.into_paging_control_flow() {
        ControlFlow::Continue(state) => (result, Some(state)),
        ControlFlow::Break(()) => (result, None),
    })
}

/// Everything that a statement without values finds.
pub async fn everything<R>(shared: &Shared, statement: &PreparedStatement) -> Result<Vec<R>, StoreError>
where
    R: for<'f, 'm> DeserializeRow<'f, 'm>,
{
    let (mut found, mut next) = (Vec::new(), Some(PagingState::start()));
    while let Some(state) = next {
        let (result, further) = one_page(shared, "read a table", statement, &[], state).await?;
        found.extend(rows::<R>(shared, result)?);
        next = further;
    }
    Ok(found)
}

/// The rows of an answer.
pub fn rows<R>(shared: &Shared, result: QueryResult) -> Result<Vec<R>, StoreError>
where
    R: for<'f, 'm> DeserializeRow<'f, 'm>,
{
    shared.cluster.rows("read rows", result).map_err(|error| shared.latched(error.to_string()))
}

/// The digest of all rows of these tables, in the order of their keys. The database has them in the order of their hashes, so
/// all partition keys are read first and sorted: some 50 bytes of memory for each.
pub async fn digest(shared: &Arc<Shared>, tables: &[Table]) -> Result<[u8; 32], StoreError> {
    let mut scans = Vec::new();
    for of in shared.statements.both() {
        let keys: Vec<(i16, Vec<u8>)> = everything(shared, &of.keys).await?;
        let listed = |tbl: i16| tables.iter().copied().find(|table| number(*table) == tbl);
        scans.extend(keys.into_iter().filter_map(|(tbl, pk)| Some((listed(tbl)?, KeyPart::from(&pk[..])))));
    }
    scans.sort_unstable_by_key(|(table, pk)| key::prefix(*table, pk).unwrap_or_default());
    let mut hash = Sha256::new();
    for some in scans.chunks(AT_ONCE) {
        let mut firsts = first_pages(shared, some).await?;
        for ((table, pk), first) in some.iter().zip(&mut firsts) {
            let (mut rows, mut next) = first.take().unwrap_or_default();
            loop {
                for (ck, value) in rows.drain(..) {
                    key::digest_row(&mut hash, &key::encode_parts(*table, pk, &ck)?, &value);
                }
                let Some(state) = next else { break };
                next = page(shared, &whole(*table, pk), state, &mut rows).await?;
            }
        }
    }
    Ok(hash.finalize().into())
}

fn whole(table: Table, pk: &KeyPart) -> Scan {
    Scan::of(table, pk.clone(), usize::MAX)
}

type Page = (Vec<Row>, Option<PagingState>);

/// The first pages of these partition keys, read together; most have no second one.
async fn first_pages(shared: &Arc<Shared>, keys: &[(Table, KeyPart)]) -> Result<Vec<Option<Page>>, StoreError> {
    let (mut found, mut under_way) = (Vec::new(), JoinSet::new());
    found.resize_with(keys.len(), || None);
    for (place, (table, pk)) in keys.iter().cloned().enumerate() {
        let shared = Arc::clone(shared);
        under_way.spawn(async move {
            let mut rows = Vec::new();
            let next = page(&shared, &whole(table, &pk), PagingState::start(), &mut rows).await?;
            Ok::<_, StoreError>((place, (rows, next)))
        });
    }
    while let Some(done) = under_way.join_next().await {
        let (place, page) = done.map_err(|error| shared.latched(format!("a read did not end: {error}")))??;
        found[place] = Some(page);
    }
    Ok(found)
}
