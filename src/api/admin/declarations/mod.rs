//! `PUT /v1/admin/declarations`: what there should be. Declaring the same again changes nothing.
//!
//! | file | holds |
//! | --- | --- |
//! | `ask`, `document` | what is asked for, and reading it |
//! | `check` | what is wrong with it, all at once |
//! | `plan` | what each thing needs: nothing, an event, a secret |
//! | `tenant`, `portfolio`, `session`, `pool`, `endpoint`, `key` | one kind of thing each |
//!
//! Secrets are kept in the vault first, then the events are appended, keys last: a new key's text is shown only here, so
//! nothing may fail after it.
//!
//! To add a kind of thing: a struct in `ask`, its checks, a file that plans it.

mod ask;
mod check;
mod document;
mod endpoint;
mod key;
mod plan;
mod pool;
mod portfolio;
mod session;
mod tenant;

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use self::document::Document;
use self::plan::{Plan, Step};
use super::super::auth::Operator;
use super::super::problem::Problem;
use super::super::state::App;

/// Declares.
pub async fn declare(State(app): State<Arc<App>>, _: Operator, Document(ask): Document) -> Result<Response, Problem> {
    let checked = check::check(&app, &ask).await?;
    let mut plan = Plan::default();
    for it in &ask.tenants {
        plan.tenants.push(tenant::plan(&app, it).await?);
    }
    for it in &ask.portfolios {
        plan.portfolios.push(portfolio::plan(&app, it).await?);
    }
    for it in &ask.sessions {
        let tenant = checked.tenant(&it.tenant);
        plan.sessions.push(session::plan(&app, tenant, it).await?);
    }
    for it in &ask.pools {
        let tenant = checked.tenant(&it.tenant);
        plan.pools.push(pool::plan(&app, &ask, tenant, it).await?);
    }
    for it in &ask.endpoints {
        let tenant = checked.tenant(&it.tenant);
        plan.endpoints.push(endpoint::plan(&app, tenant, it).await?);
    }
    for it in &ask.keys {
        let tenant = checked.tenant(&it.tenant);
        plan.keys.push(key::plan(&app, tenant, it).await?);
    }
    if !ask.dry_run {
        plan.carry_out(&app).await?;
    }
    let shown = |steps: &[Step]| -> Vec<_> { steps.iter().map(|step| step.shown(ask.dry_run)).collect() };
    let body = json!({
        "dry_run": ask.dry_run,
        "tenants": shown(&plan.tenants),
        "portfolios": shown(&plan.portfolios),
        "sessions": shown(&plan.sessions),
        "pools": shown(&plan.pools),
        "endpoints": shown(&plan.endpoints),
        "keys": shown(&plan.keys),
    });
    let no_store = [(header::CACHE_CONTROL, "no-store")];
    Ok((no_store, axum::Json(body)).into_response())
}
