//! A number that takes fewer messages a second than was declared: what it takes is found out, kept over a restart, and
//! counts what it receives.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use waybill::channel::{Capabilities, Channel, Credential, SendCommand, whatsapp};
use waybill::domain::event::InboundReceivedV1;
use waybill::domain::failure::{Answer, Bucket, FailureClass};
use waybill::domain::id::{KeyId, MessageId, SessionId, Tag, TenantId};
use waybill::domain::message::State;
use waybill::runtime::{BoxFuture, Entropy, SystemEntropy};

use super::world::{World, limits};

/// The provider's limit: 130429 beyond so many in any second.
struct Limited {
    capabilities: Capabilities,
    limit: usize,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    /// When messages were taken within the last second.
    taken: VecDeque<Instant>,
    sent: usize,
    refused: usize,
}

impl Limited {
    fn new(limit: usize) -> Arc<Self> {
        Arc::new(Self { capabilities: whatsapp::capabilities(), limit, seen: Mutex::default() })
    }

    /// How many were taken and refused since this was asked last.
    fn counts(&self) -> (usize, usize) {
        let mut seen = self.seen.lock();
        (std::mem::take(&mut seen.sent), std::mem::take(&mut seen.refused))
    }

    fn takes(&self) -> bool {
        let (mut seen, now) = (self.seen.lock(), Instant::now());
        while seen.taken.front().is_some_and(|at| now.duration_since(*at) >= Duration::from_secs(1)) {
            seen.taken.pop_front();
        }
        let takes = seen.taken.len() < self.limit;
        if takes {
            seen.taken.push_back(now);
        }
        seen.sent += usize::from(takes);
        seen.refused += usize::from(!takes);
        takes
    }
}

impl Channel for Limited {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn send(&self, command: SendCommand, _: Arc<Credential>) -> BoxFuture<'static, Answer> {
        let answer = match self.takes() {
            true => Answer::Sent { provider_id: format!("wamid.{}.{}", command.message, command.attempt) },
            false => {
                let class = FailureClass::Throttle(Bucket::Number);
                Answer::Rejected { code: 130_429, class, retry_after_ms: None, detail: String::new() }
            }
        };
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            answer
        })
    }
}

const ACCOUNT: &str = "100000000000009";

async fn house(channel: &Arc<Limited>, per_second: u32) -> (World, TenantId, SessionId) {
    let world = World::new(Arc::clone(channel) as Arc<dyn Channel>, limits(), None).await;
    let tenant = world.tenant("acme", 100_000).await;
    let session = world.session_at(tenant, "orders", ACCOUNT, per_second).await;
    (world, tenant, session)
}

async fn accept(world: &World, tenant: TenantId, session: SessionId, count: usize) -> Vec<MessageId> {
    let mut messages = Vec::new();
    for n in 0..count {
        messages.push(world.accept(tenant, session, &format!("+49155{n:07}")).await);
    }
    messages
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rate_that_the_provider_takes_is_found_and_kept_over_a_restart() {
    let channel = Limited::new(60);
    let (mut world, tenant, session) = house(&channel, 200).await;
    let messages = accept(&world, tenant, session, 1_400).await;
    let begun = Instant::now();
    let mut row = world.session_row(session).await;
    // 200, 100, 50; told at most every ten seconds.
    while row.paced.as_ref().is_none_or(|paced| paced.per_second > 60) {
        assert!(begun.elapsed() < Duration::from_secs(30), "{row:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
        row = world.session_row(session).await;
    }
    let found = row.paced.expect("just seen");
    assert!((25..=60).contains(&found.per_second) && found.code == 130_429, "{found:?}");

    world.restart().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    let (_, before) = channel.counts();
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_secs(8)).await;
    let ((sent, refused), took) = (channel.counts(), begun.elapsed().as_secs_f64());
    println!("refused before {before}, then in {took:.1} s {refused} of {}", sent + refused);
    assert!(refused <= 3, "{refused} refusals in {took:.1} s at a known rate");
    let rate = f64::from(u32::try_from(sent).unwrap()) / took;
    let known = f64::from(found.per_second);
    assert!(rate >= 0.8 * known && rate <= 1.1 * known + 2.0, "{rate:.1} a second, known are {known}");
    let paced = world.session_row(session).await.paced.expect("still lowered");
    assert_eq!((paced.per_second, paced.since), (found.per_second, found.since));
    let states = world.until(&messages, Duration::from_secs(90), &[State::Sent, State::Unknown]).await;
    // What was on its way at the restart is unknown, as after any death.
    let window = world.hands.limits.session.window;
    assert!(states[&State::Sent] >= 1_400 - window, "nothing failed, nothing is lost: {states:?}");
    world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_number_receives_counts_against_its_rate() {
    let channel = Limited::new(1_000_000);
    let (world, tenant, session) = house(&channel, 20).await;
    accept(&world, tenant, session, 200).await;
    while channel.counts().0 == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_secs(3)).await;
    let alone = f64::from(u32::try_from(channel.counts().0).unwrap()) / begun.elapsed().as_secs_f64();
    let (begun, mut next) = (Instant::now(), Instant::now());
    while begun.elapsed() < Duration::from_secs(4) {
        next += Duration::from_millis(100);
        let facts = InboundReceivedV1 {
            session,
            contact: KeyId([1; 16]),
            tag: Tag(SystemEntropy.id()),
            content: "text".to_owned(),
            provider_at: 0,
        };
        world.tell(session, tenant, facts).await;
        tokio::time::sleep(next.saturating_duration_since(Instant::now())).await;
    }
    let beside = f64::from(u32::try_from(channel.counts().0).unwrap()) / begun.elapsed().as_secs_f64();
    println!("{alone:.1} a second alone, {beside:.1} beside ten received");
    assert!(alone > 16.0 && alone < 23.0, "{alone:.1} at twenty a second");
    assert!(beside < 0.75 * alone && beside > 0.3 * alone, "{beside:.1} beside ten received, {alone:.1} alone");
    world.stop().await;
}
