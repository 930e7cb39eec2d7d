//! `GET /v1/gates`: what is closed, since when, why and by whom, and how many messages wait behind it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::super::auth::Caller;
use super::super::problem::Problem;
use super::super::state::App;
use super::super::time::stamp;
use super::view;
use crate::domain::gate::GatesRow;
use crate::domain::id::TenantId;
use crate::domain::record::Principal;
use crate::domain::row::{Asked, AsksRow, Row, RowId};
use crate::store::{gates, rows};

/// Lists the tenant's gates that are closed, and those that are being opened: at most 64 are closed, so there is no page.
pub async fn list(State(app): State<Arc<App>>, caller: Caller) -> Result<Json<Value>, Problem> {
    let asks = asks(&app, caller.scope.tenant()).await?;
    let known =
        if asks.operators().next().is_none() { Vec::new() } else { gates::known(&*app.store, app.partitions).await? };
    let data: Vec<Value> = asks.operators().map(|asked| shown(asked, &known)).collect();
    Ok(Json(json!({"data": data})))
}

/// What was asked for of a tenant's gates.
pub(in crate::api) async fn asks(app: &App, tenant: TenantId) -> Result<AsksRow, Problem> {
    Ok(match rows::get(&*app.store, &RowId::Asks(tenant)).await? {
        Some(Row::Asks(row)) => *row,
        _ => AsksRow::default(),
    })
}

fn shown(asked: &Asked, known: &[GatesRow]) -> Value {
    let applied = known.iter().filter(|row| row.has_followed(&asked.gate, asked.position, asked.closed)).count();
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
