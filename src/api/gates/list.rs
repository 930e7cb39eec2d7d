//! `GET /v1/gates`: what is closed, since when, why and by whom, and how many messages wait behind it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::super::auth::Caller;
use super::super::problem::Problem;
use super::super::state::App;
use super::super::time::stamp;
use super::switch::late;
use super::view;
use crate::domain::gate::GatesRow;
use crate::domain::id::TenantId;
use crate::domain::record::Principal;
use crate::domain::row::{Asked, AsksRow, Row, RowId};
use crate::store::{gates, rows};

/// Lists the tenant's gates that are closed, and those that are being opened: at most 64 are closed, so there is no page.
pub async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Value>, Problem> {
    let asks = asks(&app, caller.scope.tenant()).await?;
    if asks.operators().next().is_none() {
        return Ok(Json(json!({"data": []})));
    }
    let known = gates::known(&*app.store, app.partitions).await?;
    let all: Vec<u16> = (0..app.partitions).collect();
    let elsewhere = match late(&app) {
        Some(late) => gates::sent_elsewhere(&*app.store, &all, late).await?,
        None => Vec::new(),
    };
    let data: Vec<Value> = asks.operators().map(|asked| shown(asked, &known, &elsewhere)).collect();
    Ok(Json(json!({"data": data})))
}

/// What was asked for of a tenant's gates.
pub(in crate::api) async fn asks(app: &App, tenant: TenantId) -> Result<AsksRow, Problem> {
    Ok(match rows::get(&*app.store, &RowId::Asks(tenant)).await? {
        Some(Row::Asks(row)) => *row,
        _ => AsksRow::default(),
    })
}

/// A closing has no effect yet `elsewhere`: see [`gates::sent_elsewhere`].
fn shown(asked: &Asked, known: &[GatesRow], elsewhere: &[u16]) -> Value {
    let follows = |(partition, row): &(u16, &GatesRow)| {
        let waits = asked.closed && !asked.effective && elsewhere.contains(partition);
        !waits && row.has_followed(&asked.gate, asked.position, asked.closed)
    };
    let applied = (0..).zip(known).filter(follows).count();
    let by = match asked.by {
        Principal::Key(key) => key.to_string(),
        Principal::Meta => "provider".to_owned(),
        _ => "operator".to_owned(),
    };
    let messages: u64 = known.iter().map(|row| row.behind(&asked.gate)).sum();
    json!({
        "gate": view(&asked.gate),
        "closed": asked.closed,
        "reason": asked.reason,
        "since": stamp(asked.at),
        "by": by,
        "effective": applied == known.len(),
        "partitions": {"applied": applied, "of": known.len()},
        "messages": messages,
    })
}
