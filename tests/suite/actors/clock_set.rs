//! The wall clock is set while messages leave: the rates hold, whichever way it went.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use waybill::channel::{Capabilities, Channel, Credential, SendCommand, whatsapp};
use waybill::domain::event::SessionDeclaredV1;
use waybill::domain::failure::Answer;
use waybill::domain::id::{SessionId, TenantId};
use waybill::domain::record::Micros;
use waybill::runtime::{BoxFuture, Clock, SystemClock};

use super::world::{World, limits};

const RATE: u32 = 100;
pub const HOUR: Micros = 3_600_000_000;

/// The machine's clock, and somebody who sets it.
#[derive(Default)]
pub struct Settable(pub AtomicI64);

impl Clock for Settable {
    fn wall(&self) -> Micros {
        SystemClock.wall() + self.0.load(Ordering::SeqCst)
    }

    fn steady(&self) -> Duration {
        SystemClock.steady()
    }
}

/// Takes everything, and counts it by the account that sends.
struct Counting {
    capabilities: Capabilities,
    sent: [AtomicUsize; 2],
}

const ACCOUNTS: [&str; 2] = ["100000000000001", "100000000000002"];

impl Counting {
    fn counts(&self) -> [usize; 2] {
        [0, 1].map(|n| self.sent[n].load(Ordering::SeqCst))
    }
}

impl Channel for Counting {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn send(&self, command: SendCommand, _: Arc<Credential>) -> BoxFuture<'static, Answer> {
        let account = ACCOUNTS.iter().position(|account| *account == command.account);
        self.sent[account.expect("one of ours")].fetch_add(1, Ordering::SeqCst);
        Box::pin(async move { Answer::Sent { provider_id: format!("wamid.{}", command.message) } })
    }
}

/// A session of this rate and a burst of a whole second.
async fn session(world: &World, tenant: TenantId, account: &str, per_second: u32) -> SessionId {
    let session = world.session_at(tenant, "orders", account, per_second).await;
    let facts = SessionDeclaredV1 {
        session,
        tenant,
        name: "orders".to_owned(),
        channel: "whatsapp".to_owned(),
        account: account.to_owned(),
        waba: None,
        app: None,
        portfolio: None,
        per_second,
        burst: per_second,
        test: false,
        members: None,
    };
    world.tell(session, tenant, facts).await;
    session
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_is_set_neither_hurries_nor_stops_anybody() {
    let sent = [AtomicUsize::new(0), AtomicUsize::new(0)];
    let channel = Arc::new(Counting { capabilities: whatsapp::capabilities(), sent });
    let mut world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits(), None).await;
    let clock = Arc::new(Settable::default());
    world.hands.clock = Arc::clone(&clock) as Arc<dyn Clock>;
    world.restart().await;
    // One is bound by its tenant's budget, the other by its number's rate.
    let tenants = [world.tenant("acme", RATE).await, world.tenant("other", 100_000).await];
    let rates = [100_000, RATE];
    for n in [0, 1] {
        let session = session(&world, tenants[n], ACCOUNTS[n], rates[n]).await;
        for person in 0..1_500 {
            // Nobody's ten minutes may be over before the clock goes back.
            let object = serde_json::json!({
                "to": format!("+49155{person:07}"), "type": "text", "text": { "body": "hello" },
            });
            let expires_at = clock.wall() + 86_400_000_000;
            world.accept_until(tenants[n], session, object, expires_at).await;
        }
    }
    // Whatever they began with is spent.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    for (way, by) in [("ahead", HOUR), ("back", -HOUR)] {
        let (before, begun) = (channel.counts(), Instant::now());
        for _ in 0..3 {
            clock.0.fetch_add(by, Ordering::SeqCst);
            tokio::time::sleep(Duration::from_millis(1_300)).await;
        }
        let (after, took) = (channel.counts(), begun.elapsed().as_secs_f64());
        for n in [0, 1] {
            let sent = f64::from(u32::try_from(after[n] - before[n]).unwrap());
            let due = f64::from(RATE) * took;
            println!("{way}, {}: {sent} in {took:.2} s, {due:.0} are due", ["tenant", "number"][n]);
            // Three settings would give, or cost, three bursts of 100; a machine that stood still makes up for one.
            assert!(sent <= 1.01 * due + 105.0, "{way}: {sent} of {due:.0}");
            assert!(sent >= due - 150.0, "{way}: {sent} of {due:.0}");
        }
    }
    world.stop().await;
}
