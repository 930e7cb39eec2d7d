//! `GET /v1/admin/status`: how far each partition is, and what is wrong.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::super::auth::Operator;
use super::super::problem::Problem;
use super::super::state::App;
use crate::domain::record::Position;
use crate::domain::row::{Row, RowId};
use crate::store::rows;

/// Shows the instance as this node sees it.
pub async fn status(State(app): State<Arc<App>>, _: Operator) -> Result<Json<Value>, Problem> {
    let mut partitions = Vec::with_capacity(usize::from(app.partitions));
    for partition in 0..app.partitions {
        let row = match rows::get(&*app.store, &RowId::Partition(partition)).await? {
            Some(Row::Partition(row)) => row,
            _ => Default::default(),
        };
        let applied = app.store.applied(partition).await?;
        let set_aside = rows::quarantined(&*app.store, partition).await?;
        // With the brokers away it is shown what this node knows.
        let end = app.journal.fresh_end(partition).await.unwrap_or_else(|_| app.journal.end(partition));
        let next = applied.map_or(Position(0), Position::next);
        partitions.push(json!({
            "partition": partition,
            "end": end.0,
            "events": app.journal.distance(partition, Position(0), end),
            "behind": app.journal.distance(partition, next, end),
            "applied": applied.map(|position| position.0),
            "epoch": row.claim.map(|position| position.0),
            "node": row.node.map(|node| node.to_string()),
            "quarantined": set_aside.len(),
        }));
    }
    let genesis = app.journal.genesis();
    let reasons = app.health.reasons().into_iter().chain(app.health.pressure());
    let reasons = reasons.chain(app.health.warnings());
    let reasons: Vec<Value> = reasons.map(|(part, why)| json!({"part": part, "why": why})).collect();
    Ok(Json(json!({
        "installation": genesis.installation.to_string(),
        "node": app.node.to_string(),
        "healthy": app.health.is_well(),
        "reasons": reasons,
        "names": app.directory.len(),
        "in_flight_free": app.in_flight.free(),
        "partitions": partitions,
    })))
}
