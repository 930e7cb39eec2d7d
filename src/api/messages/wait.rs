//! `?wait=<position>`: an answer only once that position is in the rows.
//!
//! A partition is shared by many tenants, and how far it has come tells of their traffic. So only who has a message there
//! may wait, in that message's own partition, and only for what the journal holds: what will never come is refused at once.

use std::time::Duration;

use super::super::applied::{end, place, reached};
use super::super::auth::Caller;
use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::state::App;
use super::find::{find, read};
use crate::domain::record::Position;

/// Waits until the rows show a position that concerns a message of the caller's.
///
/// # Errors
/// `not_found` as for the message itself; `invalid_query` for another partition or a position that does not stand yet;
/// `overloaded` when too many wait; `not_applied` when the time is over.
pub(super) async fn wait(app: &App, caller: &Caller, id: &str, at: &str, timeout: Duration) -> Result<(), Problem> {
    let (partition, position) = place(app, at)?;
    let _share = app.waits.take(Some(caller.scope.tenant())).map_err(|full| full.problem("waiting requests"))?;
    if !is_told(app, caller, id, partition, position).await {
        let found = find(app, caller.scope, id).await?;
        let its = [found.id, found.place].iter().any(|id| id.partition() == partition);
        if !its || !stands(app, partition, position).await? {
            return Err(Problem::new(Code::InvalidQuery, "`wait` is no position of this message")
                .remedy("write `<partition>:<position>` as an answer about this message has it"));
        }
    }
    if reached(app, partition, position, timeout).await? {
        return Ok(());
    }
    Err(Problem::new(Code::NotApplied, "the position was not reached in time")
        .remedy("ask again, or without `wait` for the state so far"))
}

/// Whether what stands at this position is about this message and of the caller's tenant. Asked of the journal, because
/// right after its 202 a message has no row that says whose it is.
async fn is_told(app: &App, caller: &Caller, id: &str, partition: u16, position: Position) -> bool {
    let Ok(id) = read(id) else {
        return false;
    };
    if id.partition() != partition || !stands(app, partition, position).await.unwrap_or(false) {
        return false;
    }
    match app.journal.read(partition, position).await {
        Ok(entry) => {
            let header = &entry.record.header;
            header.subject == Some(id) && header.tenant.is_some_and(|tenant| caller.scope.owns(tenant))
        }
        Err(error) => {
            tracing::warn!(%error, partition, "a position that is waited for cannot be read");
            false
        }
    }
}

/// Whether something stands there by now, whichever node wrote it.
async fn stands(app: &App, partition: u16, position: Position) -> Result<bool, Problem> {
    Ok(position < app.journal.end(partition) || position < end(app, partition).await?)
}
