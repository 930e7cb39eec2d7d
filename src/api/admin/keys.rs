//! `DELETE /v1/admin/keys/{tenant}/{name}`: a key of any tenant works no more.
//!
//! By name, because the operator declared it by name: for a key that leaked, and for one whose text nobody has.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;

use super::super::auth::Operator;
use super::super::keys::{named, revoked};
use super::super::problem::Problem;
use super::super::state::App;
use crate::domain::record::Principal;

/// Revokes the last key of this name.
pub async fn revoke_key(
    State(app): State<Arc<App>>,
    _: Operator,
    Path((tenant, name)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let missing = |what: &'static str| {
        move || Problem::not_found(what).remedy("check the spelling: names are as they were declared")
    };
    let tenant = app.directory.tenant_named(&app, &tenant).await?.ok_or_else(missing("tenant"))?;
    let key = named(&app, tenant.id, &name).await?.ok_or_else(missing("key"))?;
    revoked(&app, tenant.id, key, Principal::Operator).await
}
