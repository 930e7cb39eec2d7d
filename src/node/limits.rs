//! Settings → the actors' bounds.

use std::time::Duration;

use crate::actors::hands::Limits;
use crate::config::Settings;
use crate::domain::consent::Gates;
use crate::domain::pacing::pair;
use crate::domain::record::Micros;
use crate::domain::retry::RetryLimits;
use crate::domain::session::SessionLimits;
use crate::webhook::Schedule;

/// A head in retry blocks its recipient's lane at most so long (rule: order holds for first attempts).
const LANE_BLOCK: Duration = Duration::from_secs(60);

/// A session without work is put away after so long; starting it again costs one event.
const IDLE: Duration = Duration::from_secs(60);

fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX / 4)
}

/// The bounds that these settings ask for.
#[must_use]
pub fn limits(settings: &Settings) -> Limits {
    let (delivery, pacing, consent, runtime) =
        (&settings.delivery, &settings.pacing, &settings.consent, &settings.runtime);
    let window = usize::try_from(delivery.window).unwrap_or(32);
    Limits {
        session: SessionLimits {
            window,
            tick: window.min(32),
            ring: usize::try_from(delivery.ring).unwrap_or(256),
            lane_block: micros(LANE_BLOCK),
            retry: RetryLimits {
                max_attempts: u16::try_from(delivery.max_attempts).unwrap_or(u16::MAX),
                base: micros(delivery.retry_base),
                cap: micros(delivery.retry_cap),
            },
        },
        gates: Gates { require_opt_in: consent.require_opt_in, require_window: consent.require_window },
        intent_deadline: delivery.intent_deadline,
        unknown_after: micros(delivery.unknown_after),
        pair: pair(pacing.pair_interval, pacing.pair_burst),
        failover_after: micros(settings.pool.failover_after),
        idle: micros(IDLE),
        schedule: Schedule { steps: settings.webhooks.schedule.clone(), jitter: settings.webhooks.jitter },
        endpoint_concurrency: usize::try_from(settings.webhooks.concurrency_per_endpoint).unwrap_or(8),
        endpoint_batch: usize::try_from(settings.webhooks.batch).unwrap_or(64),
        disable_after: micros(settings.webhooks.disable_after),
        publish_every: micros(settings.audit.publish_every),
        restart_budget: runtime.restart_budget,
        restart_window: runtime.restart_window,
        restart_backoff: (runtime.backoff_base, runtime.backoff_cap),
    }
}
