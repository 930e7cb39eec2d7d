//! One POST: its parts are composed side by side, then appended together.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::super::problem::Problem;
use super::append::{self, Placed};
use super::callbacks::Callbacks;
use super::compose::{Composer, Trouble};
use crate::channel::whatsapp::callback;
use crate::domain::callback::Part;
use crate::telemetry;

/// Parts of one POST composed at once. A new person costs a sync of the vault: 1,000 new people one after the other
/// would take seconds, and group commit serves 32 at the price of one.
const AT_ONCE: usize = 32;

/// Writes down what a POST says, all of it.
///
/// # Errors
/// 503: something could not be made durable now.
pub(super) async fn take(callbacks: &Callbacks, body: &[u8]) -> Result<(), Problem> {
    let composer = Arc::new(Composer::new(callbacks));
    let placed = match callback::parse(body, composer.now()) {
        Ok(parts) => compose(composer, parts).await?,
        Err(error) => {
            // Signed, so it is Meta's; refused, it would come back for seven days and be no better.
            tracing::warn!(%error, "a signed callback cannot be read; it is carried");
            composer.unreadable(body).await?
        }
    };
    let kinds: Vec<u16> = placed.iter().map(|placed| placed.record.header.kind).collect();
    append::all(&*callbacks.app.journal, placed).await?;
    telemetry::callback_written(kinds.into_iter());
    Ok(())
}

/// The events of all parts, in the order of the parts.
async fn compose(composer: Arc<Composer>, parts: Vec<Part>) -> Result<Vec<Placed>, Trouble> {
    let parts: Arc<[Part]> = parts.into();
    let mut composed: Vec<Vec<Placed>> = Vec::new();
    composed.resize_with(parts.len(), Vec::new);
    let mut tasks = JoinSet::new();
    let mut running = HashMap::new();
    let mut next = 0;
    loop {
        while next < parts.len() && tasks.len() < AT_ONCE {
            let (composer, parts) = (Arc::clone(&composer), Arc::clone(&parts));
            let task = tasks.spawn(async move { composer.part(&parts[next]).await });
            running.insert(task.id(), next);
            next += 1;
        }
        let Some(done) = tasks.join_next_with_id().await else {
            break;
        };
        let (id, done) = match done {
            Ok((id, done)) => (id, Some(done)),
            Err(died) => (died.id(), None),
        };
        let Some(index) = running.remove(&id) else {
            continue;
        };
        composed[index] = match done {
            Some(done) => done?,
            None => {
                tracing::error!(word = parts[index].body.word(), "composing a part panicked");
                composer.as_it_came(&parts[index]).await?
            }
        };
    }
    Ok(composed.into_iter().flatten().collect())
}
