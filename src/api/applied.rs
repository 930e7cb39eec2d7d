//! Waiting until the rows show what the journal holds.

use std::time::Duration;

use super::codes::Code;
use super::problem::Problem;
use super::state::App;
use crate::domain::record::Position;
use crate::store::applied;

/// Longest wait that a caller may ask for.
pub const WAIT_MAX: Duration = Duration::from_secs(30);

/// How long a verb waits for its own event to show before it answers that it is on its way.
pub const WAIT_OWN: Duration = Duration::from_secs(5);

/// Waits until the rows of a partition cover a position. Says whether they do.
///
/// # Errors
/// When the store cannot be read.
pub async fn reached(app: &App, partition: u16, position: Position, wait: Duration) -> Result<bool, Problem> {
    Ok(applied::reached(&*app.store, partition, position, wait.min(WAIT_MAX)).await?)
}

/// The end of a partition now, whichever node appended last.
///
/// # Errors
/// `unavailable` when the journal does not say.
pub async fn end(app: &App, partition: u16) -> Result<Position, Problem> {
    app.journal.fresh_end(partition).await.map_err(|error| {
        tracing::warn!(%error, partition, "the end of a partition is not known");
        Problem::new(Code::Unavailable, error.to_string()).retry_after(1)
    })
}

/// Waits until everything that the journal holds of a partition now is in the rows.
///
/// # Errors
/// When the store cannot be read.
pub async fn caught_up(app: &App, partition: u16, wait: Duration) -> Result<bool, Problem> {
    let end = end(app, partition).await?;
    Ok(applied::caught_up(&*app.store, partition, end, wait.min(WAIT_MAX)).await?)
}

/// As [`caught_up`], for what cannot be answered from older rows.
///
/// # Errors
/// `not_applied` when that takes longer than a verb waits.
pub async fn must_catch_up(app: &App, partition: u16) -> Result<(), Problem> {
    if caught_up(app, partition, WAIT_OWN).await? {
        return Ok(());
    }
    Err(Problem::new(Code::NotApplied, "the rows are behind the journal")
        .retry_after(5)
        .remedy("ask again; if it stays so, look at the partition in GET /metrics"))
}

/// A place that a caller names: `<partition>:<position>`, as answers give it.
///
/// # Errors
/// `invalid_query`.
pub fn place(app: &App, text: &str) -> Result<(u16, Position), Problem> {
    let read = text
        .split_once(':')
        .and_then(|(partition, position)| Some((partition.parse().ok()?, Position(position.parse().ok()?))));
    read.filter(|(partition, _)| *partition < app.partitions).ok_or_else(|| {
        Problem::new(Code::InvalidQuery, "`wait` is no position of this journal")
            .remedy("write `<partition>:<position>` as an answer's `position` has it")
    })
}
