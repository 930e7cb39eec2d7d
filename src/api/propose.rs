//! Appending what a verb decided: events whose repetition changes nothing.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::accept::{check_health, refused};
use super::applied::{WAIT_OWN, reached};
use super::codes::Code;
use super::problem::Problem;
use super::state::App;
use crate::domain::draft::Draft;
use crate::domain::record::{Position, Record};
use crate::journal::{Appended, Appending};

/// How often a doubtful append of the same event is tried: it has one id, so a repetition is the same step.
const TRIES: usize = 3;

/// An event that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposed {
    /// Where it stands.
    pub partition: u16,
    /// Where in it.
    pub position: Position,
}

/// Appends one event to a partition.
///
/// # Errors
/// `unhealthy`, `overloaded`: nothing happened. `doubtful`: it may have; asking again is safe.
pub async fn propose(app: &App, partition: u16, draft: Draft) -> Result<Proposed, Problem> {
    propose_while(app, &[], partition, draft).await
}

/// The same, also while these parts are not well: for what mends them.
///
/// # Errors
/// As [`propose`].
pub async fn propose_while(app: &App, sick: &[&str], partition: u16, draft: Draft) -> Result<Proposed, Problem> {
    if !app.health.reasons().iter().all(|(part, _)| sick.contains(part)) {
        check_health(app)?;
    }
    let record = draft.record().map_err(|error| Problem::new(Code::TooLarge, error.to_string()))?;
    let records = vec![record];
    let first = app.journal.append(partition, records.clone());
    settle(app, partition, records, first).await
}

/// Appends batches, all at once. Says where the last event of each stands.
///
/// # Errors
/// As [`propose`], for the first batch that fails; others may have been appended.
pub async fn propose_many(app: &App, batches: Vec<(u16, Vec<Record>)>) -> Result<Vec<Proposed>, Problem> {
    check_health(app)?;
    let append = |(partition, records): &(u16, Vec<Record>)| app.journal.append(*partition, records.clone());
    let under_way: Vec<Appending> = batches.iter().map(append).collect();
    let mut proposed = Vec::with_capacity(batches.len());
    for ((partition, records), first) in batches.into_iter().zip(under_way) {
        proposed.push(settle(app, partition, records, first).await?);
    }
    Ok(proposed)
}

async fn settle(app: &App, partition: u16, records: Vec<Record>, first: Appending) -> Result<Proposed, Problem> {
    let deadline = app.settings.server.request_timeout;
    let mut appending = first;
    for tries_left in (0..TRIES).rev() {
        match tokio::time::timeout(deadline, appending).await {
            Ok(Appended::Durable { last, .. }) => {
                return Ok(Proposed { partition, position: last });
            }
            Ok(Appended::Refused(refusal)) => return Err(refused(&refusal)),
            Ok(Appended::Doubtful) | Err(_) if tries_left == 0 => break,
            Ok(Appended::Doubtful) | Err(_) => {}
        }
        appending = app.journal.append(partition, records.clone());
    }
    Err(Problem::new(Code::Doubtful, "it may or may not have happened")
        .remedy("ask for the present state, and send it again if it did not"))
}

impl Proposed {
    /// Waits a while until the rows show it.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn shown(self, app: &App) -> Result<bool, Problem> {
        reached(app, self.partition, self.position, WAIT_OWN).await
    }

    /// The place as answers write it.
    #[must_use]
    pub fn place(self) -> String {
        format!("{}:{}", self.partition, self.position.0)
    }

    /// 200 once the rows show it, else 202: it is durable and on its way.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn answer(self, app: &App) -> Result<Response, Problem> {
        let applied = self.shown(app).await?;
        let status = if applied { StatusCode::OK } else { StatusCode::ACCEPTED };
        let body = json!({"position": self.place(), "applied": applied});
        Ok((status, Json(body)).into_response())
    }
}
