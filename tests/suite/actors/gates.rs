//! Operator's gates: what is stopped waits and holds up nobody, comes back in its order, each once, whatever dies meanwhile.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use waybill::actors::egress::Place;
use waybill::channel::{Channel, Scripted};
use waybill::domain::event::{Event, GateAskedV1, SessionResumedV1, SessionSuspendedV1};
use waybill::domain::gate::Gate;
use waybill::domain::id::{MessageId, SessionId, TenantId};
use waybill::domain::message::State;
use waybill::domain::record::Position;
use waybill::journal::Journal;
use waybill::runtime::{Clock, SystemClock};
use waybill::store::gates;

use super::deaths::Deaths;
use super::world::{PARTITIONS, World, limits};

const SOON: Duration = Duration::from_secs(30);

struct Scene {
    world: World,
    channel: Arc<Scripted>,
    tenant: TenantId,
    session: SessionId,
}

impl Scene {
    async fn new(fault: Option<waybill::actors::hands::Fault>) -> Self {
        let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
        let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits(), fault).await;
        let tenant = world.tenant("acme", 100_000).await;
        let session = world.session(tenant, "orders").await;
        Self { world, channel, tenant, session }
    }

    fn template(&self, name: &str) -> Gate {
        Gate::Template { tenant: self.tenant, name: name.to_owned() }
    }

    async fn ask(&self, gate: Gate, closed: bool) {
        let facts = GateAskedV1 { gate, closed, reason: "asked".to_owned() };
        self.world.tell(self.tenant, self.tenant, facts).await;
        self.world.applied(self.tenant).await;
    }

    /// Asks, and waits until that is recorded as effective.
    async fn switch(&self, gate: Gate, closed: bool) {
        self.ask(gate, closed).await;
        self.world.until_effective(self.tenant).await;
    }

    async fn accept(&self, to: &str, template: &str) -> MessageId {
        self.world.accept_template(self.tenant, self.session, (to, template), None).await
    }

    async fn are_behind(&self, messages: &[MessageId]) {
        let start = std::time::Instant::now();
        for message in messages {
            loop {
                let row = self.world.row(*message).await;
                if row.as_ref().is_some_and(|row| row.waits_since().is_some()) {
                    break;
                }
                assert!(start.elapsed() < SOON, "not behind its gate: {row:?}");
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    }

    /// How often each message was asked for at the channel, which must be once.
    fn asked_once(&self, messages: &[MessageId]) {
        let mut times: HashMap<MessageId, usize> = HashMap::new();
        for command in self.channel.asked() {
            *times.entry(command.message).or_default() += 1;
        }
        for message in messages {
            assert_eq!(times.get(message), Some(&1), "{message}");
        }
    }

    /// An attempt that was on its way at a death may be unknown, and never have been made.
    fn asked_at_most_once(&self) {
        let mut asked: Vec<_> = self.channel.asked().into_iter().map(|command| command.message).collect();
        let all = asked.len();
        asked.sort_unstable();
        asked.dedup();
        assert_eq!(asked.len(), all, "one was sent twice");
    }

    /// The order in which these left, as places in the list.
    fn order(&self, messages: &[MessageId]) -> Vec<usize> {
        let asked = self.channel.asked().into_iter();
        asked.filter_map(|command| messages.iter().position(|message| *message == command.message)).collect()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_suspended_template_waits_holds_up_nobody_and_leaves_in_its_order() {
    let scene = Scene::new(None).await;
    scene.switch(scene.template("price"), true).await;
    let (mut stopped, mut others) = (Vec::new(), Vec::new());
    // Some pages of them.
    for n in 0..1_500 {
        let to = format!("+49155{:07}", n % 10);
        stopped.push(scene.accept(&to, "price").await);
        // The same person has both: the second one does not wait for the first.
        if n % 10 == n / 10 % 10 {
            others.push(scene.accept(&to, "greeting").await);
        }
    }
    scene.world.until(&others, SOON, &[State::Sent]).await;
    scene.are_behind(&stopped).await;
    scene.world.until(&stopped, SOON, &[State::Queued]).await;
    assert!(scene.order(&stopped).is_empty(), "one left through a closed gate");

    scene.ask(scene.template("price"), false).await;
    // Handed in while the others are let out: behind them.
    for n in 0..500 {
        stopped.push(scene.accept(&format!("+49155{:07}", n % 10), "price").await);
    }
    scene.world.until(&stopped, SOON, &[State::Sent]).await;
    scene.asked_once(&stopped);
    scene.asked_once(&others);
    let order = scene.order(&stopped);
    for person in 0..10 {
        let own: Vec<usize> = order.iter().copied().filter(|at| at % 10 == person).collect();
        assert!(own.is_sorted(), "person {person}: {own:?}");
    }
    scene.world.until_effective(scene.tenant).await;
    let known = gates::known(scene.world.hands.store.as_ref(), PARTITIONS).await.unwrap();
    assert!(known.iter().all(|row| row.closings().is_empty() && row.closed().count() == 0), "{known:?}");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_queued_before_leaves_the_outbox_and_the_rest_goes_on() {
    let scene = Scene::new(None).await;
    let (world, session) = (&scene.world, scene.session);
    world.tell(session, scene.tenant, SessionSuspendedV1 { session, reason: "full".to_owned() }).await;
    let (mut stopped, mut others) = (Vec::new(), Vec::new());
    // Many rings of them, and more than leave the outbox at once.
    for n in 0..1_400 {
        let to = format!("+49155{n:07}");
        let template = if n % 7 == 0 { "greeting" } else { "price" };
        let message = scene.accept(&to, template).await;
        if n % 7 == 0 { others.push(message) } else { stopped.push(message) }
    }
    scene.switch(scene.template("price"), true).await;
    world.tell(session, scene.tenant, SessionResumedV1 { session, reason: None }).await;
    world.until(&others, SOON, &[State::Sent]).await;
    scene.are_behind(&stopped).await;
    assert!(scene.order(&stopped).is_empty());
    let row = world.row(stopped[0]).await.expect("a row");
    assert!(row.attempts.is_empty() && row.state() == State::Queued, "it did not fail: {row:?}");
    // Nothing is proposed for them while they wait.
    let before = world.mail(session).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(world.mail(session).await - before < 10, "the session spins");

    scene.switch(scene.template("price"), false).await;
    world.until(&stopped, SOON, &[State::Sent]).await;
    scene.asked_once(&stopped);
    scene.asked_once(&others);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_country_and_a_tenant_are_stopped_and_expire_on_time_behind_their_gates() {
    let scene = Scene::new(None).await;
    let germany = Gate::Country { tenant: scene.tenant, code: 49 };
    scene.switch(germany.clone(), true).await;
    let german = scene.accept("+4915500000001", "price").await;
    let austrian = scene.accept("+436601234567", "price").await;
    let soon = SystemClock.wall() + 2_000_000;
    let (to, world) = (("+4915500000002", "price"), &scene.world);
    let short = world.accept_template(scene.tenant, scene.session, to, Some(soon)).await;
    world.until(&[austrian], SOON, &[State::Sent]).await;
    scene.are_behind(&[german]).await;
    world.until(&[short], SOON, &[State::Expired]).await;
    assert!(SystemClock.wall() >= soon);

    scene.switch(Gate::Tenant { tenant: scene.tenant }, true).await;
    scene.switch(germany, false).await;
    let second = scene.accept("+436601234567", "price").await;
    scene.are_behind(&[german, second]).await;
    scene.switch(Gate::Tenant { tenant: scene.tenant }, false).await;
    world.until(&[german, second], SOON, &[State::Sent]).await;
    scene.asked_once(&[german, austrian, second]);
    assert!(scene.order(&[short]).is_empty());
    scene.world.stop().await;
}

/// How often a word on a gate stands in each partition's journal.
async fn copies(world: &World) -> Vec<usize> {
    let mut copies = Vec::new();
    for partition in 0..PARTITIONS {
        let (mut tail, end, mut found) = (world.journal.tail(partition, Position(0)), world.journal.end(partition), 0);
        while tail.position() < end {
            let entries = tail.next().await.unwrap();
            found += entries.iter().filter(|entry| matches!(entry.record.event(), Ok(Event::GateSet(_)))).count();
        }
        copies.push(found);
    }
    copies
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_death_before_the_last_copy_is_made_good() {
    let visits = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&visits);
    let fault = Arc::new(move |at: &'static str| {
        // Of the copies, one and a half tries' worth; then of the record that it is effective, once.
        let visit = count.load(Ordering::SeqCst);
        if at == "spread:copy" && [2, 4].contains(&count.fetch_add(1, Ordering::SeqCst)) {
            panic!("injected at {at}, visit {visit}");
        }
    });
    let scene = Scene::new(Some(fault)).await;
    let gate = scene.template("price");
    scene.switch(gate.clone(), true).await;
    assert!(visits.load(Ordering::SeqCst) > 5, "nothing died");
    let copies = copies(&scene.world).await;
    assert!(copies.iter().all(|copies| *copies >= 1), "{copies:?}");
    let known = gates::known(scene.world.hands.store.as_ref(), PARTITIONS).await.unwrap();
    assert!(known.iter().all(|row| row.closed().count() == 1), "{known:?}");
    let message = scene.accept("+4915500000001", "price").await;
    scene.are_behind(&[message]).await;
    scene.switch(gate, false).await;
    scene.world.until(&[message], SOON, &[State::Sent]).await;
    scene.asked_once(&[message]);
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_process_completes_what_the_last_one_began() {
    let visits = AtomicU64::new(0);
    let fault = Arc::new(move |at: &'static str| {
        if at == "spread:copy" && visits.fetch_add(1, Ordering::SeqCst) >= 2 {
            panic!("injected at {at}");
        }
    });
    let scene = Scene::new(Some(fault)).await;
    let gate = scene.template("price");
    scene.ask(gate.clone(), true).await;
    while copies(&scene.world).await.iter().sum::<usize>() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let known = gates::known(scene.world.hands.store.as_ref(), PARTITIONS).await.unwrap();
    assert!(known.iter().filter(|row| row.closed().count() == 1).count() < usize::from(PARTITIONS), "{known:?}");

    let scene = Scene { world: scene.world.reborn().await, ..scene };
    for partition in 0..PARTITIONS {
        scene.world.caught_up(partition).await;
    }
    scene.world.until_effective(scene.tenant).await;
    let known = gates::known(scene.world.hands.store.as_ref(), PARTITIONS).await.unwrap();
    assert!(known.iter().all(|row| row.closed().count() == 1), "{known:?}");
    let mut messages = Vec::new();
    for n in 0..600 {
        messages.push(scene.accept(&format!("+49155{n:07}"), "price").await);
    }
    scene.are_behind(&messages).await;
    scene.ask(gate, false).await;
    let scene = Scene { world: scene.world.reborn().await, ..scene };
    let states = scene.world.until(&messages, SOON, &[State::Sent, State::Unknown]).await;
    assert!(states[&State::Sent] > messages.len() / 2, "{states:?}");
    scene.asked_at_most_once();
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deaths_while_gates_close_and_open_lose_none_and_double_none() {
    const PLACES: [&str; 4] =
        ["partition:before_commit", "session:before_step", "session:before_propose", "tenant:mail"];
    let (deaths, fault) = Deaths::at(PLACES, (5, 60), false);
    let scene = Scene::new(Some(fault)).await;
    let (world, session) = (&scene.world, scene.session);
    world.tell(session, scene.tenant, SessionSuspendedV1 { session, reason: "full".to_owned() }).await;
    let mut messages = Vec::new();
    for n in 0..600 {
        messages.push(scene.accept(&format!("+49155{n:07}"), "price").await);
    }
    deaths.want(true);
    scene.switch(scene.template("price"), true).await;
    world.tell(session, scene.tenant, SessionResumedV1 { session, reason: None }).await;
    for n in 600..700 {
        messages.push(scene.accept(&format!("+49155{n:07}"), "price").await);
    }
    scene.are_behind(&messages).await;
    assert!(scene.order(&messages).is_empty(), "one left through a closed gate");
    scene.switch(scene.template("price"), false).await;
    let states = world.until(&messages, Duration::from_secs(60), &[State::Sent, State::Unknown]).await;
    deaths.were_more_than(10);
    assert!(states[&State::Sent] > messages.len() / 2, "{states:?}");
    scene.asked_at_most_once();
    scene.world.stop().await;
}

impl Scene {
    /// Nothing else may be on its way while these are held.
    async fn all_places(&self) -> Vec<Place> {
        let (windows, mut places) = (&self.world.hands.windows, Vec::new());
        // No tenant gets all: the last one is for who has none.
        while windows.free() > 0 {
            let stranger = TenantId((places.len() as u128 + 1).to_be_bytes());
            places.push(windows.take(stranger).await.expect("a place"));
        }
        places
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_stopped_while_its_attempt_waits_does_not_leave() {
    let scene = Scene::new(None).await;
    let (world, session) = (&scene.world, scene.session);
    // Nothing has a place: intents are valid, and wait.
    let places = scene.all_places().await;
    let messages = [scene.accept("+4915500000001", "price").await, scene.accept("+4915500000002", "greeting").await];
    world.until(&messages, SOON, &[State::Sending]).await;
    scene.switch(scene.template("price"), true).await;
    drop(places);
    world.until(&messages[1..], SOON, &[State::Sent]).await;
    scene.are_behind(&messages[..1]).await;
    assert!(scene.order(&messages[..1]).is_empty(), "one left through a closed gate");
    let row = world.row(messages[0]).await.expect("a row");
    assert_eq!((row.attempts.len(), row.counted), (1, 0), "none of its tries: {row:?}");
    scene.switch(scene.template("price"), false).await;
    world.until(&messages, SOON, &[State::Sent]).await;
    // The same of a session.
    let places = scene.all_places().await;
    let third = scene.accept("+4915500000003", "greeting").await;
    world.until(&[third], SOON, &[State::Sending]).await;
    world.tell(session, scene.tenant, SessionSuspendedV1 { session, reason: "full".to_owned() }).await;
    world.applied(session).await;
    drop(places);
    world.until(&[third], SOON, &[State::Queued]).await;
    assert!(scene.order(&[third]).is_empty(), "one left a suspended session");
    world.tell(session, scene.tenant, SessionResumedV1 { session, reason: None }).await;
    world.until(&[third], SOON, &[State::Sent]).await;
    scene.world.stop().await;
}
