//! `GET /v1/campaigns/{name}` and `GET /v1/campaigns`.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;

use super::super::auth::Caller;
use super::super::body::Query;
use super::super::gates::asks;
use super::super::page::Page;
use super::super::problem::Problem;
use super::super::state::App;
use super::{find, shown, shown_of};
use crate::domain::id::CampaignId;
use crate::domain::row::{Row, RowId};
use crate::store::rows;

/// Shows a campaign: where it is, how far, how fast.
pub async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (campaign, row) = find(&app, &caller, &name).await?;
    Ok(Json(shown(&app, campaign, &row).await?))
}

/// Lists the tenant's campaigns by name, also those that are over.
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Problem> {
    let tenant = caller.scope.tenant();
    let after = rows::Named { scope: tenant.0, name: page.after.clone(), id: [0; 16] };
    let home = app.partition_of(tenant);
    let mut found = rows::names(&*app.store, "campaign", home, Some(&after), page.limit()).await?;
    found.retain(|named| named.scope == tenant.0);
    let ids: Vec<RowId> = found.iter().map(|named| RowId::Campaign(CampaignId(named.id))).collect();
    let asks = asks(&app, tenant).await?;
    let mut data = Vec::with_capacity(found.len());
    for (named, row) in found.iter().zip(rows::get_many(&*app.store, &ids).await?) {
        if let Some(Row::Campaign(row)) = row {
            data.push(shown_of(&app, (CampaignId(named.id), &row), &asks).await?);
        }
    }
    let last = found.last().map(|named| named.name.as_str());
    Ok(Json(page.answer(data, found.len(), last)))
}
