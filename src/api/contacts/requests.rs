//! `GET /v1/privacy/requests`: what people asked for by right, and what was done about it.
//!
//! What is open comes first, of all partitions; then what was done, partition by partition, page by page.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use super::super::auth::Caller;
use super::super::body::Query;
use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::state::App;
use super::super::time::stamp;
use super::erase::{open, view};
use crate::domain::record::{Position, Principal};
use crate::domain::row::RequestRow;
use crate::store::rows;

/// Requests of a page.
const PAGE: usize = 200;

/// From where on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    /// `next` of the page before.
    after: Option<String>,
}

/// Lists them. It names contacts by their ids and nobody by name.
pub async fn requests(
    State(app): State<Arc<App>>,
    caller: Caller,
    Query(ask): Query<Ask>,
) -> Result<Json<Value>, Problem> {
    let tenant = caller.scope.tenant();
    let from = ask.after.as_deref().map(place).transpose()?;
    let mut data = Vec::new();
    if from.is_none() {
        for partition in 0..app.partitions {
            let open = open(&app, partition).await?;
            data.extend(open.erasures.iter().filter(|open| caller.scope.owns(open.tenant)).map(view));
        }
    }
    let (first, mut after) = from.map_or((0, None), |(partition, at)| (partition, Some(at)));
    let mut done = 0;
    for partition in first..app.partitions {
        for (at, row) in rows::requests(&*app.store, (tenant, partition), after, PAGE - done).await? {
            data.push(done_view(&row));
            done += 1;
            if done == PAGE {
                return Ok(Json(json!({"data": data, "next": format!("{partition}:{}", at.0)})));
            }
        }
        after = None;
    }
    Ok(Json(json!({"data": data, "next": null})))
}

fn place(text: &str) -> Result<(u16, Position), Problem> {
    let read = || {
        let (partition, position) = text.split_once(':')?;
        Some((partition.parse().ok()?, Position(position.parse().ok()?)))
    };
    read().ok_or_else(|| {
        Problem::new(Code::InvalidQuery, "`after` is not a place").remedy("give `next` of the page before as it was")
    })
}

fn done_view(row: &RequestRow) -> Value {
    json!({
        "id": row.asked.to_string(),
        "right": row.right,
        "contact": row.contact.to_string(),
        "state": "done",
        "asked_at": stamp(row.asked_at),
        "done_at": stamp(row.done_at),
        "by": match row.by {
            Principal::Key(key) => key.to_string(),
            _ => "operator".to_owned(),
        },
        "reason": row.reason,
        "messages": row.messages,
        "cancelled": row.cancelled,
        "opt_out_kept": row.opt_out_kept,
    })
}
