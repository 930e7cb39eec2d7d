//! `GET /v1/pools` and `GET /v1/pools/{name}`: several sessions as one sender, each member with how it stands.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::auth::Caller;
use super::body::Query;
use super::directory::Session;
use super::page::Page;
use super::problem::Problem;
use super::state::App;
use crate::domain::pool::unable_since;
use crate::domain::row::{MemberRow, Row, RowId, SessionRow};
use crate::store::{StoreError, rows};

/// Lists the tenant's pools by name.
pub async fn list(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(page): Query<Page>,
) -> Result<Json<Value>, Problem> {
    let found = app.directory.pools(&app, caller.scope.tenant(), &page.after, page.limit()).await?;
    let mut data = Vec::with_capacity(found.len());
    for pool in &found {
        data.extend(shown(&app, &caller, pool).await?);
    }
    let last = found.last().map(|pool| pool.name.as_str());
    Ok(Json(page.answer(data, found.len(), last)))
}

/// Shows a pool.
pub async fn show(
    State(app): State<Arc<App>>,
    caller: Caller,
    Path(name): Path<String>,
) -> Result<Json<Value>, Problem> {
    let found = app.directory.session_named(&app, caller.scope.tenant(), &name).await?;
    let pool = found.filter(|found| found.is_pool).ok_or_else(|| Problem::not_found("pool"))?;
    shown(&app, &caller, &pool).await?.map(Json).ok_or_else(|| Problem::not_found("pool"))
}

async fn shown(app: &App, caller: &Caller, pool: &Session) -> Result<Option<Value>, StoreError> {
    let Some(row) = read(app, &[RowId::Session(pool.id)]).await?.pop().flatten() else {
        return Ok(None);
    };
    if !caller.scope.owns(row.tenant) {
        return Ok(None);
    }
    let members: Vec<&MemberRow> = row.members.iter().filter(|member| member.weight > 0).collect();
    let ids: Vec<RowId> = members.iter().map(|member| RowId::Session(member.session)).collect();
    let members = members.into_iter().zip(read(app, &ids).await?).map(|(member, session)| {
        json!({
            "session": session.as_ref().map(|session| &session.name),
            "id": member.session.to_string(),
            "weight": member.weight,
            "people": member.people,
            "able": unable_since(session.as_ref()).is_none(),
        })
    });
    Ok(Some(json!({
        "id": pool.id.to_string(),
        "name": row.name,
        "test": row.test,
        "suspended": row.suspended.as_ref().map(|suspended| &suspended.reason),
        "draining": row.draining,
        "members": members.collect::<Vec<_>>(),
    })))
}

async fn read(app: &App, ids: &[RowId]) -> Result<Vec<Option<SessionRow>>, StoreError> {
    let found = rows::get_many(&*app.store, ids).await?.into_iter();
    Ok(found.map(|row| if let Some(Row::Session(row)) = row { Some(row) } else { None }).collect())
}
