//! `DELETE /v1/keys/{id}`: a key works no more.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use super::super::auth::Caller;
use super::super::problem::Problem;
use super::super::propose::propose;
use super::super::state::App;
use crate::domain::draft::Draft;
use crate::domain::event::{ApiKeyRevokedV1, Event};
use crate::domain::id::{ApiKeyId, EventId, TenantId};
use crate::domain::record::Principal;
use crate::domain::row::{Row, RowId};
use crate::store::rows;

/// Revokes a key. Other nodes may let it in for as long as they remember it (`auth.key_cache`, at most 5 s).
pub async fn revoke(State(app): State<Arc<App>>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    let missing = || Problem::not_found("key");
    let key: ApiKeyId = id.parse().map_err(|_| missing())?;
    match rows::get(&*app.store, &RowId::ApiKey(key)).await? {
        Some(Row::ApiKey(row)) if caller.scope.owns(row.tenant) => caller.may_change(row.test)?,
        _ => return Err(missing()),
    }
    revoked(&app, caller.scope.tenant(), key, Principal::Key(caller.key)).await
}

/// Revokes a tenant's key, whoever asks for it.
pub(in crate::api) async fn revoked(
    app: &App,
    tenant: TenantId,
    key: ApiKeyId,
    by: Principal,
) -> Result<Response, Problem> {
    let event = Event::from(ApiKeyRevokedV1 { key });
    let draft = Draft::new(EventId(app.entropy.id()), tenant, &event, by, app.clock.wall()).tenant(tenant);
    let proposed = propose(app, app.partition_of(tenant), draft).await?;
    let answer = proposed.answer(app).await;
    app.keys.forget(key);
    answer
}
