//! Spreading words on a tenant's gates: each is copied into every partition, and recorded as effective once all have applied
//! it. Where another node has just taken a partition over, a closing waits for what its last owner had open: that one may be
//! frozen right before its calls.
//!
//! What is missing is read from the partitions' own rows each time: so whatever died half-way is completed by the next life,
//! and a copy that was appended twice is one word. A partition that is behind gets a further copy with each try, to nobody's
//! harm; a try waits for it for some seconds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::append::{self, Persist};
use super::hands::Hands;
use crate::domain::address::Address;
use crate::domain::draft::Draft;
use crate::domain::event::{Event, GateEffectiveV1};
use crate::domain::id::{EventId, TenantId, derive};
use crate::domain::record::{Micros, Principal, Record};
use crate::domain::row::{Asked, AsksRow};
use crate::journal::Appended;
use crate::store::StoreError;
use crate::store::gates::{Late, unheard, without_effect};

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

/// How each word that is not effective was tried. A word waits for no other: one that comes while others rest is copied at
/// once, and they rest on.
#[derive(Debug, Default)]
struct Tries(HashMap<EventId, Tried>);

/// One try of a word is under way at most, and each that is in vain doubles the rest after it: a partition without an owner
/// is not to fill its journal with copies.
#[derive(Debug, Default)]
struct Tried {
    running: bool,
    vain: u32,
    /// Steady time.
    rest_until: Duration,
}

impl Tried {
    fn ended(&mut self, spread: bool, now: Duration) {
        self.vain = if spread { 0 } else { (self.vain + 1).min(16) };
        let rest = Duration::from_secs(1) * 2_u32.pow(self.vain) / 2;
        self.rest_until = now + if spread { Duration::ZERO } else { rest.min(REST_MAX) };
    }
}

impl Tries {
    /// A try of these words begins now, but for those that rest or are under way.
    fn begin<'a>(&mut self, pending: impl Iterator<Item = &'a Asked>, now: Duration) -> Vec<Asked> {
        let begins = |asked: &&Asked| {
            let tried = self.0.entry(asked.event).or_default();
            let begins = !tried.running && tried.rest_until <= now;
            tried.running |= begins;
            begins
        };
        pending.filter(begins).cloned().collect()
    }

    /// Words that are not to be spread any more are forgotten.
    fn follow(&mut self, asks: &AsksRow) {
        self.0.retain(|event, _| asks.pending().any(|asked| asked.event == *event));
    }
}

/// Ends a try of words, also one that dies.
struct Under {
    tries: Arc<Mutex<Tries>>,
    words: Vec<EventId>,
}

impl Under {
    /// Which of the words are not applied everywhere.
    fn ended(&self, left: &[Asked], now: Duration) {
        let mut tries = self.tries.lock();
        for word in &self.words {
            if let Some(tried) = tries.0.get_mut(word) {
                tried.ended(left.iter().all(|asked| asked.event != *word), now);
            }
        }
    }
}

impl Drop for Under {
    fn drop(&mut self) {
        let mut tries = self.tries.lock();
        for word in &self.words {
            if let Some(tried) = tries.0.get_mut(word) {
                tried.running = false;
            }
        }
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
        self.tries.lock().follow(&asks);
        self.asks = asks;
    }

    /// Spreads what is not known to be effective, unless that is under way or rests. `home` is the tenant's partition.
    pub fn spread(&self, hands: &Hands, tenant: TenantId, home: u16) {
        let begun = self.tries.lock().begin(self.asks.pending(), hands.clock.steady());
        if begun.is_empty() {
            return;
        }
        let words = begun.iter().map(|asked| asked.event).collect();
        let (hands, under) = (hands.clone(), Under { tries: Arc::clone(&self.tries), words });
        crate::runtime::spawn("spread", async move {
            let left = try_once(&hands, (tenant, home), begun.clone()).await.unwrap_or_else(|error| {
                tracing::warn!(%tenant, %error, "rows of gates cannot be read; the sweep tries again");
                begun
            });
            under.ended(&left, hands.clock.steady());
        });
    }
}

/// Copies words to wherever they are missing, and records those that are applied everywhere. Says which are not.
async fn try_once(hands: &Hands, whose: (TenantId, u16), mut pending: Vec<Asked>) -> Result<Vec<Asked>, StoreError> {
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
            if is_effective(hands, &asked).await? {
                record(hands, whose, &asked);
            } else {
                left.push(asked);
            }
        }
        if left.is_empty() || hands.clock.steady() >= until {
            return Ok(left);
        }
        pending = left;
        tokio::time::sleep(LOOK).await;
    }
}

async fn missing(hands: &Hands, asked: &Asked) -> Result<Vec<u16>, StoreError> {
    let count = hands.journal.genesis().count;
    unheard(hands.store.as_ref(), count, &asked.gate, asked.position).await
}

/// Whether all have applied it, and nothing that it stops may leave any more.
async fn is_effective(hands: &Hands, asked: &Asked) -> Result<bool, StoreError> {
    let count = hands.journal.genesis().count;
    let deadline = Micros::try_from(hands.limits.intent_deadline.as_micros()).unwrap_or(Micros::MAX);
    let word = (&asked.gate, asked.position, asked.closed);
    let late = hands.registry.is_shared().then(|| Late { now: hands.clock.wall(), deadline });
    Ok(without_effect(hands.store.as_ref(), count, word, late).await?.is_empty())
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
    use crate::domain::gate::Gate;
    use crate::domain::record::Position;
    use crate::domain::row::Controls;

    const SECOND: Duration = Duration::from_secs(1);

    fn word(n: u8) -> Asked {
        Asked {
            gate: Gate::Template { tenant: TenantId([1; 16]), name: format!("t{n}") },
            closed: true,
            reason: "why".to_owned(),
            event: EventId([n; 16]),
            position: Position(u64::from(n)),
            at: 0,
            by: Principal::Operator,
            effective: false,
            over: false,
            heard: Controls::default(),
        }
    }

    fn begins(tries: &Arc<Mutex<Tries>>, words: &[Asked], now: Duration) -> Option<Under> {
        let begun = tries.lock().begin(words.iter(), now);
        let words: Vec<EventId> = begun.iter().map(|asked| asked.event).collect();
        (!words.is_empty()).then(|| Under { tries: Arc::clone(tries), words })
    }

    #[test]
    fn one_try_of_a_word_at_a_time_and_a_longer_rest_after_each_in_vain() {
        let (tries, words) = (Arc::default(), [word(1)]);
        let (mut now, mut rests) = (SECOND, Vec::new());
        for _ in 0..12 {
            let under = begins(&tries, &words, now).expect("it does not rest");
            assert!(begins(&tries, &words, now).is_none(), "it is under way");
            under.ended(&words, now);
            drop(under);
            let until = tries.lock().0[&words[0].event].rest_until;
            rests.push((until - now).as_secs());
            assert!(begins(&tries, &words, until - SECOND).is_none(), "it rests");
            now = until;
        }
        assert_eq!((&rests[..4], rests[11]), (&[1, 2, 4, 8][..], 300));
        begins(&tries, &words, now).expect("it does not rest").ended(&[], now);
        assert_eq!(tries.lock().0[&words[0].event].rest_until, now);
    }

    #[test]
    fn a_new_word_is_copied_at_once_and_alone() {
        let tries = Arc::default();
        let stuck: Vec<Asked> = (1..20).map(word).collect();
        let under = begins(&tries, &stuck, SECOND).expect("they are new");
        let all: Vec<Asked> = (1..=20).map(word).collect();
        let urgent = begins(&tries, &all, SECOND).expect("one is new");
        assert_eq!(urgent.words, [EventId([20; 16])], "while a try of the others is under way");
        under.ended(&stuck, SECOND * 6);
        drop(under);
        let last: Vec<Asked> = (1..=21).map(word).collect();
        let urgent = begins(&tries, &last, SECOND * 6).expect("one is new");
        assert_eq!(urgent.words, [EventId([21; 16])], "while the others rest");
    }

    #[test]
    fn a_try_that_dies_is_over_and_what_is_effective_is_forgotten() {
        let (tries, words) = (Arc::default(), [word(1)]);
        drop(begins(&tries, &words, SECOND));
        assert!(begins(&tries, &words, SECOND).is_some());
        let mut spreading = Spreading { tries, ..Spreading::default() };
        spreading.follow(Box::default());
        assert!(spreading.tries.lock().0.is_empty());
    }
}
