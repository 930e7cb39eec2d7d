//! Several numbers as one sender: people keep theirs while it can send, others take over when it cannot, and whatever dies
//! meanwhile, each message is sent once and what is to one person keeps its order.

mod campaign;
mod moving;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use waybill::actors::hands::{Fault, Limits};
use waybill::channel::{Capabilities, Channel, Credential, SendCommand, whatsapp};
use waybill::domain::event::{MessageMovedOutV1, SessionResumedV1, SessionSuspendedV1};
use waybill::domain::failure::{Answer, FailureClass};
use waybill::domain::id::{MessageId, SessionId, TenantId};
use waybill::domain::message::State;
use waybill::domain::routing;
use waybill::runtime::BoxFuture;

use super::world::{PARTITIONS, World, limits};

const SOON: Duration = Duration::from_secs(60);

/// A provider that takes everything but from numbers that it barred.
struct Provider {
    capabilities: Capabilities,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    barred: BTreeSet<String>,
    /// Account, recipient, text: in the order in which they were taken.
    taken: Vec<(String, String, String)>,
    refused: usize,
}

impl Provider {
    fn new() -> Arc<Self> {
        Arc::new(Self { capabilities: whatsapp::capabilities(), seen: Mutex::default() })
    }

    fn bar(&self, account: &str) {
        self.seen.lock().barred.insert(account.to_owned());
    }

    fn taken(&self) -> Vec<(String, String, String)> {
        self.seen.lock().taken.clone()
    }
}

impl Channel for Provider {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn send(&self, command: SendCommand, _: Arc<Credential>) -> BoxFuture<'static, Answer> {
        let mut seen = self.seen.lock();
        let answer = if seen.barred.contains(&command.account) {
            seen.refused += 1;
            let class = FailureClass::Sender;
            Answer::Rejected { code: 131_031, class, retry_after_ms: None, detail: String::new() }
        } else {
            let text = command.object["text"]["body"].as_str().unwrap_or_default().to_owned();
            seen.taken.push((command.account, command.to, text));
            Answer::Sent { provider_id: format!("wamid.{}.{}", command.message, command.attempt) }
        };
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            answer
        })
    }
}

struct Scene {
    world: World,
    provider: Arc<Provider>,
    tenant: TenantId,
    sessions: Vec<SessionId>,
    pool: SessionId,
    messages: Vec<MessageId>,
}

fn account(n: usize) -> String {
    format!("10000000000000{n}")
}

impl Scene {
    async fn new(weights: &[u32], fault: Option<Fault>) -> Self {
        Self::by(weights, fault, limits()).await
    }

    async fn by(weights: &[u32], fault: Option<Fault>, limits: Limits) -> Self {
        let provider = Provider::new();
        let world = World::new(Arc::clone(&provider) as Arc<dyn Channel>, limits, fault).await;
        let tenant = world.tenant("acme", 100_000).await;
        let mut sessions = Vec::new();
        for n in 0..weights.len() {
            sessions.push(world.session_at(tenant, &format!("number-{n}"), &account(n), 100_000).await);
        }
        let members: Vec<(SessionId, u32)> = sessions.iter().copied().zip(weights.iter().copied()).collect();
        let pool = world.pool(tenant, "shop", &members).await;
        Self { world, provider, tenant, sessions, pool, messages: Vec::new() }
    }

    /// One more message to each of so many people.
    async fn send(&mut self, people: usize) {
        self.send_to(0..people).await;
    }

    /// One more to each of these.
    async fn send_to(&mut self, people: std::ops::Range<usize>) {
        for person in people {
            let number = self.messages.len();
            let object = serde_json::json!({
                "to": format!("+49155{person:07}"), "type": "text", "text": { "body": format!("{number}") }
            });
            self.messages.push(self.world.accept_as(self.tenant, self.pool, object).await);
        }
    }

    /// Somebody stops a number.
    async fn suspend(&self, session: SessionId) {
        let reason = "a look at it".to_owned();
        self.world.tell(session, self.tenant, SessionSuspendedV1 { session, reason }).await;
        self.world.applied(session).await;
    }

    async fn all_sent(&self) {
        self.world.until(&self.messages, SOON, &[State::Sent]).await;
    }

    /// From which numbers each person was written to, in order.
    fn numbers(&self) -> HashMap<String, Vec<String>> {
        let mut numbers: HashMap<String, Vec<String>> = HashMap::new();
        for (account, to, _) in self.provider.taken() {
            let of = numbers.entry(to).or_default();
            if of.last() != Some(&account) {
                of.push(account);
            }
        }
        numbers
    }

    /// How many were taken, each at most once.
    fn at_most_once(&self) -> usize {
        let taken = self.provider.taken();
        let texts: BTreeSet<&String> = taken.iter().map(|(.., text)| text).collect();
        assert_eq!(texts.len(), taken.len(), "doubled");
        taken.len()
    }

    /// Each was taken once, and what is to one person in its order.
    fn once_and_in_order(&self) {
        assert_eq!(self.at_most_once(), self.messages.len(), "lost");
        self.in_order();
    }

    /// What is to one person was taken in its order.
    fn in_order(&self) {
        let (taken, mut last) = (self.provider.taken(), HashMap::new());
        for (_, to, text) in &taken {
            let number: usize = text.parse().expect("a number");
            let before = last.insert(to, number);
            assert!(before.is_none_or(|before| before < number), "{to}: {number} after {before:?}");
        }
    }

    /// The same after deaths: an attempt that was on its way may have been made, and nobody knows.
    async fn none_lost_none_doubled(&self) -> usize {
        let states = self.world.until(&self.messages, SOON, &[State::Sent, State::Unknown]).await;
        let (sent, known) = (self.at_most_once(), states.get(&State::Sent).copied().unwrap_or_default());
        assert!(known <= sent && sent <= self.messages.len(), "{states:?}, and {sent} were taken");
        self.in_order();
        sent
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_keep_their_number_and_numbers_have_their_share() {
    let mut scene = Scene::new(&[3, 1], None).await;
    scene.send(80).await;
    scene.send(80).await;
    scene.all_sent().await;
    scene.once_and_in_order();
    let numbers = scene.numbers();
    assert!(numbers.values().all(|of| of.len() == 1), "{numbers:?}");
    let first = numbers.values().filter(|of| of[0] == account(0)).count();
    assert_eq!((first, numbers.len()), (60, 80), "three of four");
    let people: Vec<u64> =
        scene.world.session_row(scene.pool).await.members.iter().map(|member| member.people).collect();
    assert_eq!(people, [60, 20]);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_of_five_numbers_is_barred_and_the_others_take_over() {
    let mut scene = Scene::new(&[1; 5], None).await;
    scene.send(60).await;
    scene.all_sent().await;
    scene.provider.bar(&account(2));
    for _ in 0..10 {
        scene.send(60).await;
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    scene.all_sent().await;
    scene.once_and_in_order();
    assert!(scene.provider.seen.lock().refused > 0, "the barred number was found out");
    for (person, of) in scene.numbers() {
        let moved = of[0] == account(2);
        assert_eq!(of.len(), if moved { 2 } else { 1 }, "{person}: {of:?}");
    }
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_at_a_number_that_is_stopped_for_a_moment_stays_there() {
    let mut scene = Scene::new(&[1, 1], None).await;
    scene.send(20).await;
    scene.all_sent().await;
    let before = scene.numbers();
    let reason = "a look at it".to_owned();
    scene.world.tell(scene.sessions[0], scene.tenant, SessionSuspendedV1 { session: scene.sessions[0], reason }).await;
    scene.world.applied(scene.sessions[0]).await;
    scene.send(20).await;
    scene
        .world
        .tell(scene.sessions[0], scene.tenant, SessionResumedV1 { session: scene.sessions[0], reason: None })
        .await;
    scene.all_sent().await;
    scene.once_and_in_order();
    assert_eq!(scene.numbers(), before, "nobody was given another number");
    scene.world.stop().await;
}

/// A fault at this place, at every second visit, so often.
fn faults(place: &'static str, budget: u64) -> (Fault, Arc<AtomicU64>) {
    let (met, fired) = (AtomicU64::new(0), Arc::new(AtomicU64::new(0)));
    let count = Arc::clone(&fired);
    let fault = move |at: &'static str| {
        if at == place && met.fetch_add(1, Ordering::SeqCst).is_multiple_of(2) && count.load(Ordering::SeqCst) < budget
        {
            count.fetch_add(1, Ordering::SeqCst);
            panic!("injected at {at}");
        }
    };
    (Arc::new(fault), fired)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_at_each_place_of_a_move_loses_nothing_and_doubles_nothing() {
    for place in ["pool:turn", "pool:route", "pool:leave", "move:arrive"] {
        let (fault, fired) = faults(place, 4);
        let mut scene = Scene::new(&[1; 3], Some(fault)).await;
        scene.send(30).await;
        scene.none_lost_none_doubled().await;
        scene.provider.bar(&account(1));
        for _ in 0..8 {
            scene.send(30).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        scene.none_lost_none_doubled().await;
        assert!(fired.load(Ordering::SeqCst) > 0, "{place} was not met");
        scene.world.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_ends_between_leaving_and_coming_leaves_nothing_behind() {
    let mut scene = Scene::new(&[1; 3], None).await;
    for round in 0..6 {
        scene.send(30).await;
        if round == 2 {
            scene.provider.bar(&account(0));
        }
        scene.world.restart().await;
    }
    let sent = scene.none_lost_none_doubled().await;
    scene.world = scene.world.reborn().await;
    assert_eq!(scene.none_lost_none_doubled().await, sent, "rows that are rebuilt send nothing again");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_are_told_of_a_message_by_the_id_that_was_answered() {
    let mut scene = Scene::new(&[1, 1], None).await;
    scene.world.endpoint(scene.tenant).await;
    scene.send(20).await;
    scene.all_sent().await;
    let start = std::time::Instant::now();
    let told = || -> Vec<(String, String)> {
        let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
        let body =
            |post: &waybill::webhook::Post| serde_json::from_slice::<serde_json::Value>(&post.body).expect("JSON");
        let posts = scene.world.endpoint.posts();
        posts.iter().map(body).map(|body| (text(&body["type"]), text(&body["data"]["message_id"]))).collect()
    };
    while told().len() < 20 {
        assert!(start.elapsed() < SOON, "told {} of 20", told().len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let known: BTreeSet<String> = scene.messages.iter().map(ToString::to_string).collect();
    let of: BTreeSet<String> =
        told().into_iter().filter(|(word, _)| word == "message.sent").map(|(_, id)| id).collect();
    assert_eq!(of, known);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_at_a_number_goes_where_somebody_says() {
    let provider = Provider::new();
    let world = World::new(Arc::clone(&provider) as Arc<dyn Channel>, limits(), None).await;
    let tenant = world.tenant("acme", 100_000).await;
    let from = world.session_at(tenant, "old", &account(7), 100_000).await;
    let to = world.session_at(tenant, "new", &account(8), 100_000).await;
    world.tell(from, tenant, SessionSuspendedV1 { session: from, reason: "given up".to_owned() }).await;
    let mut messages = Vec::new();
    for n in 0..30 {
        messages.push(world.accept(tenant, from, &format!("+49155{n:07}")).await);
    }
    world.applied(from).await;
    for message in &messages {
        let leg = message.leg(1, to, routing::partition(&to.into(), PARTITIONS));
        let reason = Some("given up".to_owned());
        let out = MessageMovedOutV1 { session: from, message: *message, number: 1, to, leg, person: None, reason };
        world.tell(from, tenant, out).await;
    }
    world.until(&messages, SOON, &[State::Sent]).await;
    let taken = provider.taken();
    assert_eq!(taken.len(), 30);
    assert!(taken.iter().all(|(by, ..)| *by == account(8)));
    world.stop().await;
}
