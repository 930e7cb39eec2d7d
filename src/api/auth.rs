//! Who is calling: a key of a tenant, or the operator. The only place that makes a [`TenantScope`].

use std::collections::HashMap;
use std::time::Duration;

use axum::http::{HeaderMap, header};
use parking_lot::Mutex;
use subtle::ConstantTimeEq;

use super::codes::Code;
use super::key;
pub use super::key::OperatorKey;
use super::problem::Problem;
use super::state::App;
use crate::domain::event::Role;
use crate::domain::id::{ApiKeyId, TenantId};
use crate::domain::row::{ApiKeyRow, Row, RowId};
use crate::store::rows;

/// Whose things may be seen and changed. Made only from a credential, in this file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TenantScope(TenantId);

impl TenantScope {
    /// The tenant.
    #[must_use]
    pub fn tenant(self) -> TenantId {
        self.0
    }

    /// Whether a thing of this owner is within the scope.
    #[must_use]
    pub fn owns(self, owner: TenantId) -> bool {
        self.0 == owner
    }
}

/// Whoever holds an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Caller {
    /// Whose things.
    pub scope: TenantScope,
    /// Which key.
    pub key: ApiKeyId,
    /// What it may do.
    pub role: Role,
    /// A test key: what it sends never reaches the provider, and what is live it cannot change.
    pub test: bool,
}

impl Caller {
    /// Whether this key may change a thing. A test key changes test things only: such keys are handed around freely, and
    /// nothing that really goes out may hang on one.
    ///
    /// # Errors
    /// `forbidden` for a test key and a live thing.
    pub fn may_change(&self, test_thing: bool) -> Result<(), Problem> {
        if self.test && !test_thing {
            return Err(Problem::new(Code::Forbidden, "a test key changes test things only").remedy("use a live key"));
        }
        Ok(())
    }
}

/// Whoever holds the operator's key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Operator(());

impl Operator {
    /// The operator sees every tenant, one at a time.
    #[must_use]
    pub fn scope(self, tenant: TenantId) -> TenantScope {
        TenantScope(tenant)
    }
}

/// The credential of a request: `Authorization: Bearer …`.
///
/// # Errors
/// 401 when there is none.
pub fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let missing =
        || Problem::new(Code::Unauthorized, "there is no bearer token").remedy("send `Authorization: Bearer <key>`");
    let value = headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
    let text = value.to_str().map_err(|_| missing())?;
    let (scheme, token) = text.split_once(' ').ok_or_else(missing)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(missing());
    }
    Ok(token)
}

/// Who holds this key.
///
/// # Errors
/// 401 for a text that is no key (without a look at the store), an unknown key, a revoked one; 503 when the store
/// cannot be read.
pub async fn authenticate(app: &App, text: &str) -> Result<Caller, Problem> {
    let Some(id) = key::parse(text) else {
        return Err(
            unknown().remedy("a key is `wb_live_…` or `wb_test_…` with its checksum; check that it was copied whole")
        );
    };
    let row = app.keys.row(app, id).await?.ok_or_else(unknown)?;
    let same: bool = key::hash(text).ct_eq(&row.hash).into();
    if !same || row.revoked_at.is_some() {
        return Err(unknown());
    }
    Ok(Caller { scope: TenantScope(row.tenant), key: id, role: row.role, test: row.test })
}

/// Whether a caller's key still works: for requests that last longer than a key is remembered.
///
/// # Errors
/// As [`authenticate`].
pub async fn still_works(app: &App, caller: &Caller) -> Result<(), Problem> {
    let row = app.keys.row(app, caller.key).await?;
    row.filter(|row| row.revoked_at.is_none()).map(drop).ok_or_else(unknown)
}

/// Whether this is the operator's key.
///
/// # Errors
/// 401 when it is not.
pub fn authenticate_operator(app: &App, text: &str) -> Result<Operator, Problem> {
    if app.operator.matches(text) {
        return Ok(Operator(()));
    }
    Err(Problem::new(Code::Unauthorized, "this is not the operator's key")
        .remedy("routes below /v1/admin/ take the operator's key only"))
}

fn unknown() -> Problem {
    Problem::new(Code::Unauthorized, "the key is unknown or was revoked")
}

/// Keys remembered, about 150 bytes each: 1.5 MB.
const MAX_KEYS: usize = 10_000;

/// Keys that were read lately. A revoked key may be let in for as long as this remembers it.
#[derive(Debug)]
pub struct KeyCache {
    ttl: Duration,
    rows: Mutex<HashMap<ApiKeyId, (Duration, ApiKeyRow)>>,
}

impl KeyCache {
    /// A cache that remembers so long (`auth.key_cache`, at most 5 s).
    #[must_use]
    pub fn new(ttl: Duration) -> Self {
        Self { ttl, rows: Mutex::default() }
    }

    /// The key's row, from memory or from the store. Unknown keys are not remembered.
    async fn row(&self, app: &App, id: ApiKeyId) -> Result<Option<ApiKeyRow>, Problem> {
        let now = app.clock.steady();
        let held = self.rows.lock().get(&id).cloned();
        if let Some((_, row)) = held.filter(|(read_at, _)| now.saturating_sub(*read_at) < self.ttl) {
            return Ok(Some(row));
        }
        let Some(Row::ApiKey(row)) = rows::get(&*app.store, &RowId::ApiKey(id)).await? else {
            return Ok(None);
        };
        self.remember(id, now, row.clone());
        Ok(Some(row))
    }

    fn remember(&self, id: ApiKeyId, now: Duration, row: ApiKeyRow) {
        let mut rows = self.rows.lock();
        if rows.len() >= MAX_KEYS {
            rows.retain(|_, (read_at, _)| now.saturating_sub(*read_at) < self.ttl);
        }
        if rows.len() >= MAX_KEYS {
            rows.clear();
        }
        rows.insert(id, (now, row));
    }

    /// Forgets a key: it was revoked here.
    pub fn forget(&self, id: ApiKeyId) {
        self.rows.lock().remove(&id);
    }
}
