//! The last step of accepting: wait for the journal's answer; what is in doubt is withdrawn by name.

use super::super::applied::{WAIT_OWN, reached};
use super::super::codes::Code;
use super::super::problem::Problem;
use super::super::state::App;
use super::Taken;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, MessageWithdrawnV1};
use crate::domain::id::{EventId, MessageId};
use crate::domain::record::{Header, Position, Record};
use crate::domain::row::{Row, RowId};
use crate::journal::{Appended, Appending, Refusal};
use crate::store::rows;
use crate::telemetry;
use std::time::Duration;

/// An acceptance on its way into the journal. Dropping it takes nothing back.
#[must_use = "an acceptance is not durable before it is settled"]
pub struct Pending {
    appending: Appending,
    header: Header,
    partition: u16,
    message: MessageId,
    nonce: u64,
    /// When preparing began, and when it was handed to the journal.
    since: (Duration, Duration),
}

impl Pending {
    pub(super) fn new(
        appending: Appending,
        header: Header,
        (partition, message, nonce): (u16, MessageId, u64),
        since: (Duration, Duration),
    ) -> Self {
        Self { appending, header, partition, message, nonce, since }
    }

    /// Waits until the acceptance is durable, at most `server.request_timeout`.
    ///
    /// # Errors
    /// `overloaded`, `unhealthy`, `too_large`, `withdrawn`: nothing was accepted. `doubtful`: nobody knows, and the
    /// problem names the message.
    pub async fn settle(self, app: &App) -> Result<Taken, Problem> {
        let Self { appending, header, partition, message, nonce, since } = self;
        let deadline = app.settings.server.request_timeout;
        match tokio::time::timeout(deadline, appending).await {
            Ok(Appended::Durable { first, .. }) => {
                let now = app.clock.steady();
                telemetry::stage("accept", now.saturating_sub(since.0));
                telemetry::stage("commit", now.saturating_sub(since.1));
                Ok(Taken::fresh(message, partition, first))
            }
            Ok(Appended::Refused(refusal)) => Err(refused(&refusal)),
            Ok(Appended::Doubtful) | Err(_) => withdraw(app, &header, partition, message, nonce).await,
        }
    }
}

/// The answer to an append that the journal did not take.
pub(in crate::api) fn refused(refusal: &Refusal) -> Problem {
    match refusal {
        Refusal::Overloaded => Problem::new(Code::Overloaded, "the journal's queue is full")
            .retry_after(1)
            .remedy("send again after the time in Retry-After"),
        Refusal::Failed(_) | Refusal::Closed => {
            Problem::new(Code::Unhealthy, "the journal takes nothing at the moment").retry_after(5)
        }
        Refusal::TooLarge { .. } => Problem::new(Code::TooLarge, refusal.to_string()),
        Refusal::Empty | Refusal::Body { .. } | Refusal::NoSuchPartition { .. } => {
            tracing::error!(%refusal, "the journal refused a well-formed append");
            Problem::new(Code::Internal, "the request could not be written")
        }
    }
}

/// Whichever of the two lands first, the acceptance with this nonce is void once the withdrawal stands; unless an attempt
/// had begun by then, which makes it a fact. So the rows are asked before anything is claimed.
async fn withdraw(
    app: &App,
    accepted: &Header,
    partition: u16,
    message: MessageId,
    nonce: u64,
) -> Result<Taken, Problem> {
    let doubtful = || {
        Problem::new(Code::Doubtful, "the message may or may not have been accepted")
            .about(message)
            .remedy(format!("GET /v1/messages/{message} tells; sending again with the same Idempotency-Key is safe"))
    };
    let record = withdrawal(app, accepted, message, nonce).ok_or_else(doubtful)?;
    let appending = app.journal.append(partition, vec![record]);
    let deadline = app.settings.server.request_timeout;
    let Ok(Appended::Durable { last, .. }) = tokio::time::timeout(deadline, appending).await else {
        return Err(doubtful());
    };
    match reached(app, partition, last, WAIT_OWN).await {
        Ok(true) => {}
        Ok(false) | Err(_) => return Err(doubtful()),
    }
    match rows::get(&*app.store, &RowId::Message(message)).await {
        Err(_) => Err(doubtful()),
        Ok(row) => match row.as_ref().and_then(|row| stands(row, nonce)) {
            Some(position) => Ok(Taken::fresh(message, partition, position)),
            None => Err(Problem::new(Code::Withdrawn, "the journal did not answer; the acceptance was withdrawn")
                .retry_after(1)
                .remedy("nothing was accepted; send it again")),
        },
    }
}

/// Where this very acceptance stands, if it counts.
fn stands(row: &Row, nonce: u64) -> Option<Position> {
    let Row::Message(row) = row else {
        return None;
    };
    let accepted = row.accepted.as_ref()?;
    (accepted.nonce == nonce).then_some(accepted.fact.position)
}

fn withdrawal(app: &App, accepted: &Header, message: MessageId, nonce: u64) -> Option<Record> {
    let event = Event::from(MessageWithdrawnV1 { message, nonce });
    let draft = Draft::new(
        EventId::caused_by(accepted.id, "withdrawn"),
        accepted.address,
        &event,
        accepted.by,
        app.clock.wall(),
    )
    .cause(accepted.id)
    .subject(message);
    let draft = match accepted.tenant {
        Some(tenant) => draft.tenant(tenant),
        None => draft,
    };
    draft.record().ok()
}
