//! An opt-out that was acknowledged and applied at any place of the walk before the gate: nothing of marketing leaves
//! after it, though its attempt was proposed before.
//!
//! One message a case. The walk is stopped at one visit of one place; there the opt-out is appended, and applied by its
//! own partition; then the walk goes on. Where the gate had not begun by then, the message must not be sent.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use parking_lot::Mutex;
use serde_json::json;
use tokio::sync::mpsc as signal;
use waybill::actors::hands::{Fault, Limits};
use waybill::channel::{Channel, Scripted};
use waybill::domain::consent::Gates;
use waybill::domain::event::{Category, ConsentChangedV1};
use waybill::domain::id::{KeyId, MessageId, SessionId, TenantId};
use waybill::domain::message::State;
use waybill::domain::routing;
use waybill::runtime::{Clock, SystemClock};

use super::panics::PLACES;
use super::world::{PARTITIONS, World, limits};

const LONG: Duration = Duration::from_secs(20);

/// Visits of a place that are tried, or fewer where the message leaves before: loops that turn more often only turn again.
const VISITS: u64 = 12;

/// Between the proposal of the attempt and the gate: here a gate that was read with the proposal would let it through.
const PROPOSED: [&str; 3] = ["session:proposed", "session:before_begin", "attempt:before_gate"];

/// Stops the walk at one visit of one place.
struct Stop {
    place: &'static str,
    visit: u64,
    armed: AtomicBool,
    seen: AtomicU64,
    /// Whether the message's gate was begun.
    gate: AtomicBool,
    reached: signal::UnboundedSender<()>,
    go: Mutex<mpsc::Receiver<()>>,
}

impl Stop {
    fn passed(&self, at: &'static str) {
        if !self.armed.load(Ordering::SeqCst) {
            return;
        }
        if at == self.place && self.seen.fetch_add(1, Ordering::SeqCst) == self.visit {
            self.reached.send(()).expect("the test waits");
            // What else is on this thread goes on elsewhere.
            tokio::task::block_in_place(|| self.go.lock().recv_timeout(LONG)).expect("the test lets it go on");
        }
        if at == "attempt:before_gate" {
            self.gate.store(true, Ordering::SeqCst);
        }
    }
}

/// The person agreed once, and now says no.
struct Case {
    world: World,
    channel: Arc<Scripted>,
    tenant: TenantId,
    session: SessionId,
    to: String,
    contact: KeyId,
}

impl Case {
    async fn set(fault: Fault) -> Self {
        let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
        let limits = Limits { gates: Gates::STRICT, ..limits() };
        let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits, Some(fault)).await;
        let tenant = world.tenant("acme", 100_000).await;
        let session = world.session(tenant, "orders").await;
        let (to, contact) = elsewhere(&world, tenant, session).await;
        let case = Self { world, channel, tenant, session, to, contact };
        case.says(true).await;
        case
    }

    /// Durable and applied when this returns.
    async fn says(&self, marketing: bool) {
        let said_at = SystemClock.wall() - i64::from(marketing) * 1_000_000;
        let word =
            ConsentChangedV1 { contact: self.contact, marketing, source: "test".into(), said_at, evidence: None };
        self.world.tell(self.contact, self.tenant, word).await;
        self.world.applied(self.contact).await;
    }

    async fn accept(&self, category: Category) -> MessageId {
        let template = json!({ "name": "sale", "language": { "code": "en" } });
        let object = json!({ "to": self.to, "type": "template", "template": template });
        self.world.accept_for(self.tenant, self.session, category, object).await
    }

    async fn ended(&self, message: MessageId) -> State {
        let states = self.world.until(&[message], LONG, &[State::Sent, State::Failed]).await;
        *states.keys().next().expect("a state")
    }
}

/// A person whose mailbox is in no partition that the walk needs: one that stands still could not apply the opt-out.
pub async fn elsewhere(world: &World, tenant: TenantId, session: SessionId) -> (String, KeyId) {
    let taken = [routing::partition(&tenant.into(), PARTITIONS), routing::partition(&session.into(), PARTITIONS)];
    for n in 0..1_000 {
        let to = format!("+49155{n:07}");
        let contact = world.contact(tenant, &to).await;
        if !taken.contains(&routing::partition(&contact.into(), PARTITIONS)) {
            return (to, contact);
        }
    }
    panic!("every person is in the same partitions");
}

/// What one case showed.
#[derive(Debug, PartialEq, Eq)]
enum Shown {
    /// The place was not visited so often before the message had left.
    NotReached,
    /// The gate had begun when the opt-out was applied: either end is right.
    TooLate,
    /// The opt-out came first, and nothing left.
    Held,
}

async fn case(place: &'static str, visit: u64) -> Shown {
    let (reached, mut stands) = signal::unbounded_channel();
    let (go_on, go) = mpsc::channel();
    let stop = Arc::new(Stop {
        place,
        visit,
        armed: AtomicBool::new(false),
        seen: AtomicU64::new(0),
        gate: AtomicBool::new(false),
        reached,
        go: Mutex::new(go),
    });
    let fault = Arc::clone(&stop);
    let case = Case::set(Arc::new(move |at| fault.passed(at))).await;
    for partition in 0..PARTITIONS {
        case.world.caught_up(partition).await;
    }
    stop.armed.store(true, Ordering::SeqCst);
    let sale = case.accept(Category::Marketing).await;
    let stood = tokio::select! {
        stood = stands.recv() => stood.is_some(),
        _ = case.ended(sale) => false,
    };
    if !stood {
        stop.armed.store(false, Ordering::SeqCst);
        // Whoever reaches the place all the same must not wait for ever.
        go_on.send(()).expect("the stop lives");
        case.world.stop().await;
        return Shown::NotReached;
    }
    case.says(false).await;
    let too_late = stop.gate.load(Ordering::SeqCst);
    go_on.send(()).expect("it stands there");
    let later = case.accept(Category::Marketing).await;
    let update = case.accept(Category::Utility).await;
    let end = case.ended(sale).await;
    assert_eq!((case.ended(later).await, case.ended(update).await), (State::Failed, State::Sent), "{place} {visit}");
    let left: Vec<MessageId> = case.channel.asked().into_iter().map(|command| command.message).collect();
    assert!(!left.contains(&later), "{place} {visit}: accepted after the opt-out, and sent");
    if !too_late {
        assert!(!left.contains(&sale), "{place} {visit}: sent after the opt-out was applied");
        let failed = case.world.row(sale).await.and_then(|row| row.failed).expect("it failed");
        assert_eq!((end, failed.class.as_str()), (State::Failed, "opted_out"), "{place} {visit}");
    }
    case.world.stop().await;
    if too_late { Shown::TooLate } else { Shown::Held }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_opt_out_at_any_place_before_the_gate_holds() {
    let mut held: BTreeMap<&str, u64> = BTreeMap::new();
    for place in PLACES {
        for visit in 0..VISITS {
            match case(place, visit).await {
                Shown::NotReached => break,
                Shown::TooLate => {}
                Shown::Held => *held.entry(place).or_default() += 1,
            }
        }
    }
    println!("an opt-out held at so many visits: {held:?}");
    for place in PROPOSED {
        assert!(held.contains_key(place), "{place}: no case came before the gate, so nothing is shown: {held:?}");
    }
}
