//! One number that is throttled, one tenant at its budget, one dead endpoint: the others keep their pace.
//!
//! Each case is a ratio of two runs in one process: the well-behaved session's time beside the trouble, over its time
//! alone. It is paced (400 a second), so its own speed does not depend on how busy the machine is.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use governor::Quota;
use waybill::actors::hands::Limits;
use waybill::channel::{Capabilities, Channel, Credential, SendCommand, whatsapp};
use waybill::domain::failure::{Answer, Bucket, FailureClass};
use waybill::domain::id::{MessageId, SessionId, TenantId};
use waybill::domain::message::State;
use waybill::runtime::BoxFuture;
use waybill::webhook::{Deliver, Delivered, Post};

use super::world::{World, limits};

/// Answers one account with a rejection for ever, everybody else with `Sent` after two milliseconds.
struct Throttling {
    capabilities: Capabilities,
    account: &'static str,
    class: FailureClass,
    code: i32,
}

impl Channel for Throttling {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn send(&self, command: SendCommand, _: Arc<Credential>) -> BoxFuture<'static, Answer> {
        let throttled = command.account == self.account;
        let (class, code) = (self.class, self.code);
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            if throttled {
                return Answer::Rejected { code, class, retry_after_ms: None, detail: String::new() };
            }
            Answer::Sent { provider_id: format!("wamid.{}.{}", command.message, command.attempt) }
        })
    }
}

const GOOD: &str = "100000000000001";
const BAD: &str = "100000000000002";

async fn house(bucket: Bucket, code: i32) -> World {
    let channel = Throttling {
        capabilities: whatsapp::capabilities(),
        account: BAD,
        class: FailureClass::Throttle(bucket),
        code,
    };
    World::new(Arc::new(channel), limits(), None).await
}

async fn accept(world: &World, tenant: TenantId, session: SessionId, count: usize) -> Vec<MessageId> {
    let mut messages = Vec::new();
    for n in 0..count {
        messages.push(world.accept(tenant, session, &format!("+49155{:07}", n % 50)).await);
    }
    messages
}

/// How long the good session needs for 200 messages.
async fn pace(world: &World, tenant: TenantId, session: SessionId) -> f64 {
    let start = Instant::now();
    let messages = accept(world, tenant, session, 200).await;
    world.until(&messages, Duration::from_secs(30), &[State::Sent]).await;
    start.elapsed().as_secs_f64()
}

/// The median of three ratios.
fn median(mut ratios: Vec<f64>) -> f64 {
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_throttled_number_slows_nobody_else() {
    for (bucket, code) in [(Bucket::Number, 130_429), (Bucket::Pair, 131_056)] {
        let mut ratios = Vec::new();
        for _ in 0..3 {
            let world = house(bucket, code).await;
            let tenant = world.tenant("acme", 100_000).await;
            let good = world.session_at(tenant, "good", GOOD, 400).await;
            let bad = world.session_at(tenant, "bad", BAD, 400).await;
            let alone = pace(&world, tenant, good).await;
            let stuck = accept(&world, tenant, bad, 200).await;
            let beside = pace(&world, tenant, good).await;
            let states = world.until(&stuck, Duration::from_secs(5), &[State::Queued, State::Sending]).await;
            assert!(states.values().sum::<usize>() == 200, "nothing is lost or failed by a throttle: {states:?}");
            ratios.push(beside / alone);
            world.stop().await;
        }
        let ratio = median(ratios);
        println!("throttle {code}: {ratio:.2} of the undisturbed time");
        assert!(ratio <= 1.5, "{code}: {ratio:.2}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_at_its_budget_slows_no_other_tenant() {
    let mut ratios = Vec::new();
    for _ in 0..3 {
        let world = house(Bucket::Number, 130_429).await;
        let (small, large) = (world.tenant("small", 5).await, world.tenant("large", 100_000).await);
        let good = world.session_at(large, "good", GOOD, 400).await;
        let greedy = world.session_at(small, "greedy", "100000000000003", 400).await;
        let alone = pace(&world, large, good).await;
        accept(&world, small, greedy, 400).await;
        let beside = pace(&world, large, good).await;
        ratios.push(beside / alone);
        world.stop().await;
    }
    let ratio = median(ratios);
    println!("tenant at its budget: {ratio:.2} of the undisturbed time");
    assert!(ratio <= 1.5, "{ratio:.2}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_to_one_person_delays_nobody_else_on_the_number() {
    let mut ratios = Vec::new();
    for _ in 0..3 {
        let channel = Throttling {
            capabilities: whatsapp::capabilities(),
            account: BAD,
            class: FailureClass::Throttle(Bucket::Number),
            code: 130_429,
        };
        // One person takes one message in 20 ms: the flood alone would last for forty seconds.
        let pair = Quota::with_period(Duration::from_millis(20)).expect("a period").allow_burst(NonZeroU32::MIN);
        let world = World::new(Arc::new(channel), Limits { pair, ..limits() }, None).await;
        let tenant = world.tenant("acme", 100_000).await;
        let good = world.session_at(tenant, "good", GOOD, 400).await;
        let alone = pace(&world, tenant, good).await;
        let mut flood = Vec::new();
        for _ in 0..2_000 {
            flood.push(world.accept(tenant, good, "+491559999999").await);
        }
        let beside = pace(&world, tenant, good).await;
        let first = world.until(&flood[..20], Duration::from_secs(20), &[State::Sent]).await;
        assert_eq!(first[&State::Sent], 20, "the flood goes on at its own pace");
        ratios.push(beside / alone);
        world.stop().await;
    }
    let ratio = median(ratios);
    println!("beside a flood to one person: {ratio:.2} of the undisturbed time");
    assert!(ratio <= 1.5, "{ratio:.2}");
}

/// Customers: those at `dead.example` never answer, the others do after a millisecond.
#[derive(Default)]
struct Customers {
    told: AtomicUsize,
    tried: AtomicUsize,
}

impl Deliver for Customers {
    async fn deliver(&self, post: Post) -> Delivered {
        if post.url.host_str() == Some("dead.example") {
            self.tried.fetch_add(1, Relaxed);
            tokio::time::sleep(Duration::from_millis(500)).await;
            return Delivered::TimedOut;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
        self.told.fetch_add(1, Relaxed);
        Delivered::Acknowledged { status: 200 }
    }
}

/// How long until a customer was told of each of 200 messages that it was sent.
async fn telling(world: &World, customers: &Customers, tenant: TenantId, session: SessionId) -> f64 {
    let (start, before) = (Instant::now(), customers.told.load(Relaxed));
    accept(world, tenant, session, 200).await;
    while customers.told.load(Relaxed) < before + 200 {
        assert!(start.elapsed() < Duration::from_secs(30), "told {}", customers.told.load(Relaxed) - before);
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    start.elapsed().as_secs_f64()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_customer_delays_no_other_customer() {
    let mut ratios = Vec::new();
    for _ in 0..3 {
        let customers = Arc::new(Customers::default());
        let channel = Throttling {
            capabilities: whatsapp::capabilities(),
            account: BAD,
            class: FailureClass::Throttle(Bucket::Number),
            code: 130_429,
        };
        let world = World::with_customers(Arc::new(channel), Arc::clone(&customers) as _, limits()).await;
        let tenant = world.tenant("acme", 100_000).await;
        let session = world.session_at(tenant, "s", GOOD, 400).await;
        world.endpoint_at(tenant, "alive", "https://alive.example/hook").await;
        let alone = telling(&world, &customers, tenant, session).await;
        // The same tenant's second endpoint, so both read the same feeds; it is behind from its first pass on.
        world.endpoint_at(tenant, "dead", "https://dead.example/hook").await;
        let beside = telling(&world, &customers, tenant, session).await;
        assert!(customers.tried.load(Relaxed) > 0, "the dead one was tried");
        ratios.push(beside / alone);
        world.stop().await;
    }
    let ratio = median(ratios);
    println!("dead customer: {ratio:.2} of the undisturbed time");
    assert!(ratio <= 1.5, "{ratio:.2}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_is_held_to_its_budget() {
    let world = house(Bucket::Number, 130_429).await;
    let tenant = world.tenant("small", 20).await;
    let session = world.session_at(tenant, "s", GOOD, 400).await;
    let messages = accept(&world, tenant, session, 60).await;
    let start = Instant::now();
    world.until(&messages, Duration::from_secs(30), &[State::Sent]).await;
    let took = start.elapsed().as_secs_f64();
    // 60 at 20 a second, beginning spent: three seconds, less the time that accepting took.
    assert!((2.0..6.0).contains(&took), "60 messages at 20 a second took {took:.2} s");
    world.stop().await;
}

/// Keeps every call of this tenant's numbers, and answers the others at once.
struct Slow {
    capabilities: Capabilities,
    under_way: AtomicUsize,
}

impl Channel for Slow {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn send(&self, command: SendCommand, _: Arc<Credential>) -> BoxFuture<'static, Answer> {
        let slow = command.account.starts_with('2');
        self.under_way.fetch_add(usize::from(slow), Relaxed);
        Box::pin(async move {
            if slow {
                std::future::pending::<()>().await;
            }
            Answer::Sent { provider_id: format!("wamid.{}.{}", command.message, command.attempt) }
        })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tenant_whose_calls_never_end_leaves_places_for_another_one() {
    let channel = Arc::new(Slow { capabilities: whatsapp::capabilities(), under_way: AtomicUsize::new(0) });
    let limits = Limits { intent_deadline: Duration::from_secs(2), ..limits() };
    let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits, None).await;
    let (slow, quick) = (world.tenant("slow", 100_000).await, world.tenant("quick", 100_000).await);
    // 64 windows of 16: as many calls as there may be in the house.
    for n in 0..64 {
        let (name, account) = (format!("slow-{n}"), format!("20000000000{n:04}"));
        let session = world.session_at(slow, &name, &account, 100_000).await;
        accept(&world, slow, session, 16).await;
    }
    let start = Instant::now();
    while channel.under_way.load(Relaxed) < 800 {
        assert!(start.elapsed() < Duration::from_secs(60), "{} are under way", channel.under_way.load(Relaxed));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let good = world.session_at(quick, "good", GOOD, 100_000).await;
    let messages = accept(&world, quick, good, 50).await;
    world.until(&messages, Duration::from_secs(20), &[State::Sent]).await;
    for message in messages {
        let row = world.row(message).await.expect("it is there");
        assert_eq!(row.attempts.len(), 1, "an attempt missed its deadline");
    }
    world.stop().await;
}
