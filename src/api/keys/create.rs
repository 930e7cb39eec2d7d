//! `POST /v1/keys`: issue a key.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::super::auth::Caller;
use super::super::body::Json;
use super::super::codes::Code;
use super::super::key::NewKey;
use super::super::problem::Problem;
use super::super::propose::propose;
use super::super::state::App;
use crate::config::Name;
use crate::domain::draft::Draft;
use crate::domain::event::{ApiKeyIssuedV1, Event, Role};
use crate::domain::id::{ApiKeyId, EventId, TenantId};
use crate::domain::record::{Micros, Principal};
use crate::domain::row::{ApiKeyRow, Row, RowId};
use crate::store::rows;

/// What is asked for.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// Unique in the tenant.
    name: String,
    /// `admin`, `sender` or `auditor`.
    role: Role,
    /// Whether what it sends never reaches the provider.
    #[serde(default)]
    test: bool,
}

/// Issues a key. The answer is the only place where its text ever stands.
pub async fn create(State(app): State<Arc<App>>, caller: Caller, Json(ask): Json<Ask>) -> Result<Response, Problem> {
    let tenant = caller.scope.tenant();
    caller.may_change(ask.test)?;
    if Name::parse(&ask.name).is_none() {
        return Err(Problem::field("/name", "is not a name", "write 1 to 63 lower-case letters, digits and hyphens"));
    }
    if living(&app, tenant, &ask.name).await?.is_some() {
        return Err(
            Problem::new(Code::Taken, "a key of this name exists").remedy("revoke it first, or choose another name")
        );
    }
    let key = NewKey::draw(&*app.entropy, ask.test);
    let asked = (ask.name.as_str(), ask.role, ask.test);
    let by = Principal::Key(caller.key);
    let draft = issued(&app, &key, tenant, asked, by, app.clock.wall());
    let proposed = propose(&app, app.partition_of(tenant), draft).await?;
    let applied = proposed.shown(&app).await?;
    let body = json!({
        "id": key.id.to_string(),
        "name": ask.name,
        "role": ask.role,
        "test": ask.test,
        "key": key.text.as_str(),
        "position": proposed.place(),
        "applied": applied,
    });
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    Ok((StatusCode::CREATED, no_store, axum::Json(body)).into_response())
}

/// The tenant's last key of this name, whether it works or not.
///
/// # Errors
/// When the store cannot be read.
pub(in crate::api) async fn named(app: &App, tenant: TenantId, name: &str) -> Result<Option<ApiKeyId>, Problem> {
    let home = app.partition_of(tenant);
    Ok(rows::name_of(&*app.store, "key", home, (tenant.0, name)).await?.map(ApiKeyId))
}

/// The tenant's key of this name, if it works.
pub(in crate::api) async fn living(app: &App, tenant: TenantId, name: &str) -> Result<Option<ApiKeyRow>, Problem> {
    let Some(id) = named(app, tenant, name).await? else {
        return Ok(None);
    };
    Ok(match rows::get(&*app.store, &RowId::ApiKey(id)).await? {
        Some(Row::ApiKey(row)) if row.revoked_at.is_none() => Some(row),
        _ => None,
    })
}

/// The event of a new key, in its tenant's mailbox.
pub(in crate::api) fn issued(
    app: &App,
    key: &NewKey,
    tenant: TenantId,
    (name, role, test): (&str, Role, bool),
    by: Principal,
    at: Micros,
) -> Draft {
    let event = Event::from(ApiKeyIssuedV1 { key: key.id, tenant, name: name.to_owned(), role, test, hash: key.hash });
    Draft::new(EventId(app.entropy.id()), tenant, &event, by, at).tenant(tenant)
}
