//! `GET /v1/portfolios`: how many people the portfolios of this tenant's sessions may begin to write to, and how many they
//! did.
//!
//! A portfolio may have sessions of several tenants: each that has one sees it, and the count over all of them.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::auth::Caller;
use super::problem::Problem;
use super::state::App;
use super::time::{maybe, stamp};
use crate::domain::record::Micros;
use crate::domain::row::{PortfolioHeld, PortfolioRow, Row, RowId};
use crate::store::rows;

/// Lists them by name. A tenant has a few, so there is no page.
pub async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Value>, Problem> {
    let named = app.directory.portfolios(&app, caller.scope.tenant()).await?;
    let ids: Vec<RowId> = named.values().copied().map(RowId::Portfolio).collect();
    let now = app.clock.wall();
    let mut data = Vec::with_capacity(ids.len());
    for row in rows::get_many(&*app.store, &ids).await?.into_iter().flatten() {
        if let Row::Portfolio(row) = row {
            data.push(view(&row, now));
        }
    }
    Ok(Json(json!({"data": data})))
}

/// Of one without a limit nobody counts the people.
fn view(row: &PortfolioRow, now: Micros) -> Value {
    json!({
        "name": row.name,
        "people_per_day": row.limit,
        "used": row.limit.map(|_| row.people.counted(now)),
        "free_at": maybe(row.limit.and_then(|limit| row.people.free_at(limit, now))),
        "held": row.held(now).map(|held| shown(&held)),
    })
}

fn shown(it: &PortfolioHeld) -> Value {
    json!({"code": it.code, "since": stamp(it.since), "until": stamp(it.until)})
}
