//! Accepting a message: the first row of the walk, for single requests, bulk lines and the Graph drop-in alike.
//!
//! [`accept`] does it all for one. In bulk the three steps are taken apart, so that many are prepared at once and still
//! stand in the journal in the order of their lines: [`prepare`] reads, decides and seals; [`Ready::submit`] hands the
//! record to the journal without waiting; [`Pending::settle`] waits for the answer.

mod consent;
mod fingerprint;
mod prepare;
mod request;
mod settle;

pub(in crate::api) use consent::gates as own_gates;
pub use fingerprint::fingerprint;
pub use prepare::{Prepared, Ready, prepare};
pub(in crate::api) use prepare::{alias, check_health, renewed, would_take};
pub use request::{IdempotencyKey, Request, Sender};
pub use settle::Pending;
pub(in crate::api) use settle::refused;

use super::auth::Caller;
use super::codes::Code;
use super::problem::Problem;
use super::state::App;
use crate::domain::id::MessageId;
use crate::domain::record::Position;

/// A message that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// The message.
    pub id: MessageId,
    /// Where its acceptance stands.
    pub partition: u16,
    /// Where in it.
    pub position: Position,
    /// It was taken before, under the same idempotency key and body.
    pub replayed: bool,
}

/// Takes a message: it is durable when this returns.
///
/// # Errors
/// Any problem of [`prepare`] and [`Pending::settle`]; `quota_exceeded` when the tenant is too fast. Only `doubtful`
/// leaves open whether it was accepted, and then names the message.
pub async fn accept(app: &App, caller: &Caller, request: Request) -> Result<Taken, Problem> {
    within_quota(app, caller).await?;
    match prepare(app, caller, request).await? {
        Prepared::Replayed(taken) => Ok(taken),
        Prepared::Ready(ready) => ready.submit(app).settle(app).await,
    }
}

async fn within_quota(app: &App, caller: &Caller) -> Result<(), Problem> {
    take_quota(app, caller).await?.map_err(|wait| {
        // At least a second: Retry-After has no smaller unit.
        let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        Problem::new(Code::QuotaExceeded, "the tenant's messages per second are used up")
            .retry_after(seconds)
            .remedy("send more slowly, use /v1/messages/bulk which waits by itself, or have the rate raised")
    })
}

/// Takes one message from the tenant's bucket, or says how long until there is one.
///
/// # Errors
/// When the directory cannot be read.
pub async fn take_quota(app: &App, caller: &Caller) -> Result<Result<(), std::time::Duration>, Problem> {
    let id = caller.scope.tenant();
    let pacing = &app.settings.pacing;
    let rate = match app.directory.tenant(app, id).await? {
        Some(tenant) => (tenant.per_second, tenant.burst),
        None => (pacing.tenant_per_second, pacing.tenant_burst),
    };
    Ok(app.quotas.take(id, rate, app.clock.steady()))
}
