//! `POST /v1/failures/resolve`: somebody decides what many unknown outcomes were.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use serde::Deserialize;

use super::super::auth::Caller;
use super::super::body::Json;
use super::super::problem::Problem;
use super::super::state::App;
use super::act::{self, Verb, act};
use super::select::{Chosen, Kind};
use super::wanted::Wanted;
use crate::domain::event::{AttemptRef, Event, Resolution, UnknownResolvedV1};
use crate::domain::id::{EventId, derive};
use crate::domain::message::State as Standing;

/// What can be resolved.
const KIND: Kind =
    Kind { states: &[Standing::Unknown], fits: |row| row.state() == Standing::Unknown, not_cancelled: false };

/// Which, as what, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    #[serde(default)]
    filter: Wanted,
    /// `sent`, `resend` or `give_up`.
    #[serde(rename = "as")]
    resolution: Resolution,
    #[serde(default)]
    dry_run: bool,
    fingerprint: Option<String>,
    reason: Option<String>,
    limit: Option<usize>,
    cursor: Option<String>,
}

/// Resolves unknown outcomes.
pub async fn resolve(State(app): State<Arc<App>>, caller: Caller, Json(ask): Json<Ask>) -> Result<Response, Problem> {
    let resolution = ask.resolution;
    let event = |chosen: &Chosen, reason: &str| {
        let of = AttemptRef { message: chosen.failing.message, attempt: chosen.attempt };
        let parts: [&[u8]; 3] = [&of.message.0, &of.attempt.to_be_bytes(), &[resolution as u8]];
        let id = EventId(derive("waybill resolution of many", &parts));
        (id, Event::from(UnknownResolvedV1 { of, resolution, reason: Some(reason.to_owned()) }))
    };
    let Ask { filter, dry_run, fingerprint, reason, limit, cursor, .. } = ask;
    let ask = act::Ask { filter, dry_run, fingerprint, reason, limit, cursor };
    act(&app, &caller, ask, Verb { name: format!("resolve {resolution:?}"), kind: KIND, event }).await
}
