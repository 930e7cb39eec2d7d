//! Campaigns: a named batch of a tenant, declared, loaded, planned, started, paused, ended.
//!
//! | file | holds |
//! | --- | --- |
//! | `declare` | `PUT /v1/campaigns/{name}` |
//! | `audience` | one line of an audience as a message request; loading, and the same without loading |
//! | `steps` | start, pause, resume, cancel |
//! | `plan` | the way of what waits, in virtual time |
//! | `show` | one, and the list |
//!
//! What is loaded is a message like any other, accepted in its sender's mailbox; it stands behind the campaign's gate. When
//! that is cancelled, what stands there is called off, and what is in the outbox; and what waits for a time of its own (quiet
//! hours, a hold, its portfolio), which is found by walking once through all that does, or else when that time comes.

mod audience;
mod declare;
mod plan;
mod show;
mod steps;

pub(in crate::api) use audience::Audience;
pub use audience::{audience, validate};
pub use declare::declare;
pub use plan::plan;
pub use show::{list, show};
pub use steps::{cancel, pause, resume, start};

use serde_json::{Value, json};

use super::auth::Caller;
use super::gates::asks;
use super::problem::Problem;
use super::state::App;
use super::time::{maybe, stamp};
use crate::domain::campaign::CampaignState;
use crate::domain::id::CampaignId;
use crate::domain::record::{Micros, Principal};
use crate::domain::row::{AsksRow, CampaignRow, PROGRESS, ProgressRow, Row, RowId};
use crate::store::rows;

/// The tenant's campaign of this name.
///
/// # Errors
/// `not_found`.
async fn find(app: &App, caller: &Caller, name: &str) -> Result<(CampaignId, CampaignRow), Problem> {
    let campaign = CampaignId::named(caller.scope.tenant(), name);
    match rows::get(&*app.store, &RowId::Campaign(campaign)).await? {
        Some(Row::Campaign(row)) if caller.scope.owns(row.tenant) => Ok((campaign, *row)),
        _ => Err(Problem::not_found("campaign")),
    }
}

async fn progress(app: &App, campaign: CampaignId) -> Result<ProgressRow, Problem> {
    Ok(match rows::get(&*app.store, &RowId::Progress(campaign)).await? {
        Some(Row::Progress(row)) => *row,
        _ => ProgressRow::default(),
    })
}

/// Whether the campaign belongs to a test session, so that a test key may change it.
async fn is_test(app: &App, row: &CampaignRow) -> Result<bool, Problem> {
    Ok(app.directory.session(app, row.session).await?.is_some_and(|session| session.test))
}

/// A campaign as answers show it.
async fn shown(app: &App, campaign: CampaignId, row: &CampaignRow) -> Result<Value, Problem> {
    let asks = asks(app, row.tenant).await?;
    shown_of(app, (campaign, row), &asks).await
}

async fn shown_of(app: &App, (campaign, row): (CampaignId, &CampaignRow), asks: &AsksRow) -> Result<Value, Problem> {
    let progress = progress(app, campaign).await?;
    let effective = asks.on(&row.gate(campaign)).is_none();
    Ok(view(campaign, row, &progress, effective, app.clock.wall()))
}

fn view(campaign: CampaignId, row: &CampaignRow, progress: &ProgressRow, effective: bool, now: Micros) -> Value {
    let rate = progress.per_second(now).filter(|_| row.state == CampaignState::Running);
    let eta = rate.filter(|_| progress.left() > 0).map(|rate| now + (progress.left() as f64 / rate * 1e6) as Micros);
    let counts: serde_json::Map<String, Value> =
        PROGRESS.iter().zip(progress.counts).map(|(word, count)| ((*word).to_owned(), json!(count))).collect();
    let moved = row.moved.as_ref().map(|moved| {
        let by = match moved.by {
            Principal::Key(key) => key.to_string(),
            Principal::Node(_) => "waybill".to_owned(),
            _ => "operator".to_owned(),
        };
        json!({"at": stamp(moved.at), "by": by, "reason": moved.reason})
    });
    json!({
        "id": campaign.to_string(),
        "name": row.name,
        "state": row.state.word(),
        "from": row.from,
        "template": {"name": row.template, "language": row.language},
        "category": row.category,
        "priority": row.priority,
        "expires_at": maybe(row.expires_at),
        "start_at": maybe(row.start_at),
        "declared_at": stamp(row.declared_at),
        "started_at": maybe(row.started_at),
        "moved": moved,
        "effective": effective,
        "messages": progress.all(),
        "left": progress.left(),
        "counts": counts,
        "first_sent_at": maybe(progress.first_sent),
        "last_sent_at": maybe(progress.last_sent),
        "per_second": rate.map(|rate| (rate * 10.0).round() / 10.0),
        "eta": maybe(eta),
    })
}
