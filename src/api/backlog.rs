//! How many messages of each tenant wait to leave: read from its rows once a second, counted on in between.
//!
//! So a tenant may exceed its limit by what other nodes take of it within a second, and by what is durable and not applied
//! yet. The oldest reading is used by all while one of them reads anew.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;

use super::auth::Caller;
use super::codes::Code;
use super::problem::Problem;
use super::state::App;
use crate::domain::id::TenantId;
use crate::domain::row::{BacklogId, Row, RowId};
use crate::store::{StoreError, rows};

/// How long a reading is used: 64 rows, some 100 µs, once for each busy tenant.
const FRESH: Duration = Duration::from_secs(1);

/// Tenants remembered, 48 bytes each; beyond it all are forgotten and read again.
const MAX_TENANTS: usize = 65_536;

/// A full queue is asked for again when a hundredth of it can have left, but not before a second nor after five minutes.
const LONGEST: u64 = 300;

/// What is known of the tenants' queues.
#[derive(Debug, Default)]
pub struct Backlogs(Mutex<HashMap<TenantId, Known>>);

#[derive(Debug, Clone, Copy)]
struct Known {
    /// When it was read, or began to be; steady time.
    at: Duration,
    /// What the rows said, and what this node took since.
    messages: u64,
}

impl Backlogs {
    /// What is known, unless it is old: then the first who asks reads, and `None` says so.
    fn known(&self, tenant: TenantId, now: Duration) -> Option<u64> {
        let mut all = self.0.lock();
        let known = all.get_mut(&tenant)?;
        if now.saturating_sub(known.at) >= FRESH {
            known.at = now;
            return None;
        }
        Some(known.messages)
    }

    fn learn(&self, tenant: TenantId, messages: u64, now: Duration) {
        let mut all = self.0.lock();
        if all.len() >= MAX_TENANTS && !all.contains_key(&tenant) {
            all.clear();
        }
        all.insert(tenant, Known { at: now, messages });
    }

    /// One more is on its way into the journal.
    pub fn took(&self, tenant: TenantId) {
        if let Some(known) = self.0.lock().get_mut(&tenant) {
            known.messages += 1;
        }
    }
}

/// Whether the tenant may have one more waiting.
///
/// # Errors
/// `queue_full`; `unavailable` when the rows cannot be read.
pub async fn check(app: &App, caller: &Caller) -> Result<(), Problem> {
    let tenant = caller.scope.tenant();
    let now = app.clock.steady();
    let messages = match app.backlogs.known(tenant, now) {
        Some(messages) => messages,
        None => {
            let messages = read(app, tenant).await?;
            app.backlogs.learn(tenant, messages, now);
            messages
        }
    };
    let declared = app.directory.tenant(app, tenant).await?;
    let max = u64::from(declared.as_ref().and_then(|it| it.queue_max).unwrap_or(app.settings.delivery.queue_max));
    if messages < max {
        return Ok(());
    }
    let per_second = declared.map_or(app.settings.pacing.tenant_per_second, |it| it.per_second);
    let detail = format!("{messages} messages of the tenant wait to leave, and {max} may");
    Err(Problem::new(Code::QueueFull, detail)
        .retry_after(retry_after(max, per_second))
        .remedy("wait until some have left, cancel what is not needed, or have `queue_max` of the tenant raised"))
}

fn retry_after(max: u64, per_second: u32) -> u32 {
    let seconds = max / 100 / u64::from(per_second.max(1));
    u32::try_from(seconds.clamp(1, LONGEST)).unwrap_or(1)
}

/// What the rows of all partitions say.
///
/// # Errors
/// When they cannot be read.
pub async fn read(app: &App, tenant: TenantId) -> Result<u64, StoreError> {
    let ids: Vec<RowId> =
        (0..app.partitions).map(|partition| RowId::Backlog(BacklogId { tenant, partition })).collect();
    let found = rows::get_many(&*app.store, &ids).await?;
    Ok(found
        .into_iter()
        .map(|row| match row {
            Some(Row::Backlog(row)) => row.messages,
            _ => 0,
        })
        .sum())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: TenantId = TenantId([1; 16]);

    #[test]
    fn one_reads_anew_each_second_and_the_others_go_on_with_what_they_have() {
        let (backlogs, at) = (Backlogs::default(), Duration::from_millis);
        assert_eq!(backlogs.known(ONE, at(0)), None, "nothing is known");
        backlogs.learn(ONE, 7, at(0));
        backlogs.took(ONE);
        assert_eq!(backlogs.known(ONE, at(999)), Some(8));
        assert_eq!(backlogs.known(ONE, at(1_000)), None, "the first reads");
        assert_eq!(backlogs.known(ONE, at(1_001)), Some(8), "the next does not");
        backlogs.learn(ONE, 3, at(1_000));
        assert_eq!(backlogs.known(ONE, at(1_500)), Some(3));
    }

    #[test]
    fn it_is_asked_for_again_when_some_can_have_left() {
        assert_eq!((retry_after(2_000_000, 1_000), retry_after(10, 1_000), retry_after(100_000_000, 1)), (20, 1, 300));
    }
}
