//! Finding a message by its id, within a scope.

use std::time::Duration;

use super::super::applied::caught_up;
use super::super::auth::{Operator, TenantScope};
use super::super::problem::Problem;
use super::super::state::App;
use crate::domain::id::MessageId;
use crate::domain::row::{Accepted, MessageRow, Row, RowId};
use crate::domain::wamid;
use crate::store::{legs, rows};

/// How long a message that was accepted a moment ago is waited for before it is said not to exist.
const WAIT_NEW: Duration = Duration::from_secs(1);

/// A message that counts.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its id, as it was answered.
    pub id: MessageId,
    /// What it is called where it is: in the mailbox of another sender that is another id.
    pub place: MessageId,
    /// Its row there.
    pub row: MessageRow,
    /// What acceptance fixed.
    pub accepted: Accepted,
}

/// The message, if it is within the scope.
///
/// # Errors
/// `not_found` for one that does not exist, belongs to another tenant, or was withdrawn.
pub async fn find(app: &App, scope: TenantScope, id: &str) -> Result<Found, Problem> {
    let found = load(app, id).await?;
    found.filter(|found| scope.owns(found.accepted.tenant)).ok_or_else(|| Problem::not_found("message"))
}

/// The message, whose ever it is: for the operator.
///
/// # Errors
/// `not_found`.
pub async fn find_any(app: &App, _: Operator, id: &str) -> Result<Found, Problem> {
    load(app, id).await?.ok_or_else(|| Problem::not_found("message"))
}

async fn load(app: &App, text: &str) -> Result<Option<Found>, Problem> {
    let id = read(text)?;
    if let Some(found) = counting(app, id).await? {
        return Ok(Some(found));
    }
    // Right after its 202 a message may not be in the rows yet: its id says where to wait.
    if id.partition() >= app.partitions || !caught_up(app, id.partition(), WAIT_NEW).await? {
        return Ok(None);
    }
    counting(app, id).await
}

/// An id as we write it, or the `wamid` that the drop-in answered for it.
pub(super) fn read(text: &str) -> Result<MessageId, Problem> {
    wamid::read(text).or_else(|| text.parse().ok()).ok_or_else(|| {
        Problem::not_found("message")
            .remedy("an id is `msg_` and 32 hexadecimal digits, as the answer to sending has it")
    })
}

/// The message of this id, if one counts; as far as its partition has applied.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn counting(app: &App, id: MessageId) -> Result<Option<Found>, Problem> {
    let Some(Row::Message(row)) = rows::get(&*app.store, &RowId::Message(id)).await? else {
        return Ok(None);
    };
    // By another id it is nobody's but ours.
    if row.accepted.as_ref().is_none_or(|accepted| accepted.leg.is_some()) {
        return Ok(None);
    }
    followed(app, id, row).await
}

/// A message where it is now.
///
/// # Errors
/// When the store cannot be read.
pub(super) async fn followed(app: &App, id: MessageId, row: Box<MessageRow>) -> Result<Option<Found>, Problem> {
    let (place, row) = legs::follow(&*app.store, id, row).await?;
    Ok(row.accepted.clone().map(|accepted| Found { id, place, row: *row, accepted }))
}
