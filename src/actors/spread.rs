//! Spreading words on a tenant's gates: each is copied into every partition, and recorded as effective once all have applied
//! it.
//!
//! What is missing is read from the partitions' own rows each time: so whatever died half-way is completed by the next life,
//! and a copy that was appended twice is one word. A partition that is behind gets a further copy with each try, to nobody's
//! harm; a try waits for it for some seconds.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::append::{self, Persist};
use super::hands::Hands;
use crate::domain::address::Address;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, GateEffectiveV1};
use crate::domain::id::{EventId, TenantId, derive};
use crate::domain::record::{Principal, Record};
use crate::domain::row::{Asked, AsksRow};
use crate::journal::Appended;
use crate::store::StoreError;
use crate::store::gates::unheard;

/// How long one try waits until a word is applied everywhere.
const PATIENCE: Duration = Duration::from_secs(5);

/// How soon it looks again.
const LOOK: Duration = Duration::from_millis(10);

/// The longest wait between two tries.
const REST_MAX: Duration = Duration::from_secs(300);

/// What a tenant has to spread.
#[derive(Debug, Default)]
pub struct Spreading {
    asks: Box<AsksRow>,
    tries: Arc<Mutex<Tries>>,
}

/// One try is under way at most, and each that is in vain doubles the rest after it: a partition without an owner is not to
/// fill its journal with copies.
#[derive(Debug, Default)]
struct Tries {
    running: bool,
    vain: u32,
    /// Steady time.
    rest_until: Duration,
}

impl Tries {
    fn begins(&mut self, now: Duration) -> bool {
        let begins = !self.running && self.rest_until <= now;
        self.running |= begins;
        begins
    }

    fn ended(&mut self, spread: bool, now: Duration) {
        self.vain = if spread { 0 } else { (self.vain + 1).min(16) };
        let rest = Duration::from_secs(1) * 2_u32.pow(self.vain) / 2;
        self.rest_until = now + if spread { Duration::ZERO } else { rest.min(REST_MAX) };
    }
}

/// Ends a try, also one that dies.
struct Under(Arc<Mutex<Tries>>);

impl Drop for Under {
    fn drop(&mut self) {
        self.0.lock().running = false;
    }
}

impl Spreading {
    /// What was asked for, as the tenant's row says.
    #[must_use]
    pub fn of(asks: Box<AsksRow>) -> Self {
        Self { asks, tries: Arc::default() }
    }

    /// The row changed.
    pub fn follow(&mut self, asks: Box<AsksRow>) {
        self.asks = asks;
        self.tries.lock().rest_until = Duration::ZERO;
    }

    /// Spreads what is not known to be effective, unless that is under way or rests. `home` is the tenant's partition.
    pub fn spread(&self, hands: &Hands, tenant: TenantId, home: u16) {
        let pending: Vec<Asked> = self.asks.pending().cloned().collect();
        let now = hands.clock.steady();
        if pending.is_empty() || !self.tries.lock().begins(now) {
            return;
        }
        let (hands, under) = (hands.clone(), Under(Arc::clone(&self.tries)));
        crate::runtime::spawn("spread", async move {
            let spread = try_once(&hands, (tenant, home), pending).await.unwrap_or_else(|error| {
                tracing::warn!(%tenant, %error, "rows of gates cannot be read; the sweep tries again");
                false
            });
            under.0.lock().ended(spread, hands.clock.steady());
        });
    }
}

/// Copies words to wherever they are missing, and records those that are applied everywhere. Says whether all are.
async fn try_once(hands: &Hands, whose: (TenantId, u16), mut pending: Vec<Asked>) -> Result<bool, StoreError> {
    let mut appending = Vec::new();
    for asked in &pending {
        for partition in missing(hands, asked).await? {
            hands.trip("spread:copy");
            let record = copy(hands, whose.0, asked, partition);
            appending.extend(record.map(|record| hands.journal.append(partition, vec![record])));
        }
    }
    for appended in appending {
        // Refused or doubtful: the next try finds it missing, or there.
        if let Appended::Refused(refusal) = appended.await {
            tracing::warn!(tenant = %whose.0, %refusal, "a word on a gate is not recorded; the sweep tries again");
        }
    }
    let until = hands.clock.steady() + PATIENCE;
    loop {
        let mut left = Vec::with_capacity(pending.len());
        for asked in pending {
            if missing(hands, &asked).await?.is_empty() {
                record(hands, whose, &asked);
            } else {
                left.push(asked);
            }
        }
        if left.is_empty() || hands.clock.steady() >= until {
            return Ok(left.is_empty());
        }
        pending = left;
        tokio::time::sleep(LOOK).await;
    }
}

async fn missing(hands: &Hands, asked: &Asked) -> Result<Vec<u16>, StoreError> {
    let count = hands.journal.genesis().count;
    unheard(hands.store.as_ref(), count, &asked.gate, asked.position).await
}

fn copy(hands: &Hands, tenant: TenantId, asked: &Asked, partition: u16) -> Option<Record> {
    let id = EventId(derive("waybill gate", &[&asked.event.0, &partition.to_be_bytes()]));
    let (by, now) = (Principal::Node(hands.node), hands.clock.wall());
    let draft = Draft::new(id, Address::partition(partition), &Event::from(asked.copy()), by, now);
    let record = draft.tenant(tenant).cause(asked.event).record();
    record.inspect_err(|error| tracing::error!(%error, "a word on a gate cannot be written")).ok()
}

/// Until it is applied a try may record it again: it is the same event.
fn record(hands: &Hands, (tenant, home): (TenantId, u16), asked: &Asked) {
    hands.trip("spread:effective");
    let id = EventId::caused_by(asked.event, "effective");
    let facts = GateEffectiveV1 { gate: asked.gate.clone(), asked: asked.event };
    let draft = Draft::new(id, tenant, &Event::from(facts), Principal::Node(hands.node), hands.clock.wall());
    append::persist(hands, Persist { partition: home, draft: draft.tenant(tenant).cause(asked.event) });
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn one_try_at_a_time_and_a_longer_rest_after_each_in_vain() {
        let mut tries = Tries::default();
        assert!(tries.begins(SECOND) && !tries.begins(SECOND));
        let (mut now, mut rests) = (SECOND, Vec::new());
        for _ in 0..12 {
            tries.ended(false, now);
            tries.running = false;
            rests.push((tries.rest_until - now).as_secs());
            assert!(!tries.begins(now), "it rests");
            now = tries.rest_until;
            assert!(tries.begins(now));
        }
        assert_eq!((&rests[..4], rests[11]), (&[1, 2, 4, 8][..], 300));
        tries.ended(true, now);
        assert_eq!(tries.rest_until, now);
    }

    #[test]
    fn a_try_that_dies_is_over() {
        let tries = Arc::new(Mutex::new(Tries { running: true, ..Tries::default() }));
        drop(Under(Arc::clone(&tries)));
        assert!(tries.lock().begins(SECOND));
    }
}
