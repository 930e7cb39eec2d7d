//! `POST /v1/failures/retry`: queue messages again that failed or ran out of time.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;
use serde_json::Value;

use super::super::accept::renewed;
use super::super::auth::Caller;
use super::super::body::Json;
use super::super::problem::Problem;
use super::super::state::App;
use super::super::time;
use super::act::{self, Verb, act};
use super::select::{Chosen, Kind};
use super::wanted::Wanted;
use crate::domain::event::{Event, MessageRequeuedV1};
use crate::domain::id::{EventId, derive};
use crate::domain::message::State as Standing;
use crate::domain::row::MessageRow;

/// What can be queued again. What may have been sent is resolved first; a campaign that was cancelled stays so.
const KIND: Kind =
    Kind { states: &[Standing::Failed, Standing::Expired], fits: MessageRow::may_requeue, not_cancelled: true };

/// Which, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    #[serde(default)]
    filter: Wanted,
    #[serde(default)]
    dry_run: bool,
    fingerprint: Option<String>,
    reason: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
    expires_in: Option<Value>,
}

/// Queues messages again: each gets its next attempt number, its tries count afresh, and so does its time.
pub async fn retry(State(app): State<Arc<App>>, caller: Caller, Json(ask): Json<Ask>) -> Result<Response, Problem> {
    let span = ask.expires_in.as_ref().map(|value| time::duration("/expires_in", value));
    let span = span.transpose().map_err(|fault| Problem::invalid(vec![fault]))?;
    let now = app.clock.wall();
    let expiries = renewed(&app, span, now)?;
    let event = |chosen: &Chosen, reason: &str| {
        let (message, round) = (chosen.failing.message, chosen.asked.saturating_add(1));
        let expires_at = expiries[chosen.failing.category as usize];
        let id = EventId(derive("waybill requeue", &[&message.0, &round.to_be_bytes()]));
        let (reason, past_campaign) = (reason.to_owned(), chosen.past_campaign.then_some(true));
        (id, Event::from(MessageRequeuedV1 { message, round, expires_at, reason, past_campaign }))
    };
    let Ask { filter, dry_run, fingerprint, reason, limit, cursor, .. } = ask;
    let ask = act::Ask { filter, dry_run, fingerprint, reason, limit, cursor };
    act(&app, &caller, ask, Verb { name: "retry".to_owned(), kind: KIND, event }).await
}
