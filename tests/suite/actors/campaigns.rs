//! Campaigns: what is loaded waits, leaves as it was planned, stops when it is paused, is called off when it is cancelled;
//! each once, whatever dies meanwhile.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::Quota;
use waybill::channel::{Channel, Scripted};
use waybill::domain::campaign::CampaignState;
use waybill::domain::event::{
    CampaignDeclaredV1, CampaignMovedV1, CampaignStep, Category, Event, Priority, SessionDeclaredV1, SessionResumedV1,
    SessionSuspendedV1,
};
use waybill::domain::gate::GatesRow;
use waybill::domain::id::{CampaignId, MessageId, SessionId, TenantId};
use waybill::domain::message::State;
use waybill::domain::pacing::with_margin;
use waybill::domain::plan::{Person, Plan, Scene as Planned, plan};
use waybill::domain::record::{Micros, Position};
use waybill::domain::routing;
use waybill::domain::row::{CampaignRow, MessageRow, ProgressRow, Row, RowId};
use waybill::journal::Journal;
use waybill::runtime::{Clock, SystemClock};
use waybill::store::rows;

use super::deaths::Deaths;
use super::world::{PARTITIONS, World, limits};

const SOON: Duration = Duration::from_secs(30);

/// What leaves at once after a rest.
const BURST: usize = 100;

pub(super) struct Scene {
    pub(super) world: World,
    pub(super) channel: Arc<Scripted>,
    tenant: TenantId,
    session: SessionId,
    campaign: CampaignId,
}

impl Scene {
    /// A campaign of a session at this rate.
    pub(super) async fn new(
        per_second: u32,
        start_at: Option<Micros>,
        fault: Option<waybill::actors::hands::Fault>,
    ) -> Self {
        let channel = Arc::new(Scripted::new(Arc::new(SystemClock), []));
        let world = World::new(Arc::clone(&channel) as Arc<dyn Channel>, limits(), fault).await;
        let tenant = world.tenant("acme", 100_000).await;
        let session = world.session_at(tenant, "shop", "100000000000009", per_second).await;
        let campaign = CampaignId::named(tenant, "sale");
        let facts = CampaignDeclaredV1 {
            campaign,
            name: "sale".to_owned(),
            session,
            from: "shop".to_owned(),
            template: "sale".to_owned(),
            language: "de".to_owned(),
            category: Category::Utility,
            priority: Priority::Bulk,
            expires_at: None,
            start_at,
            pool: None,
        };
        world.tell(tenant, tenant, facts).await;
        world.applied(tenant).await;
        Self { world, channel, tenant, session, campaign }
    }

    /// A burst that makes up for what a busy machine comes too late.
    async fn gives_slack(&self, per_second: u32, burst: u32) {
        let facts = SessionDeclaredV1 {
            session: self.session,
            tenant: self.tenant,
            name: "shop".to_owned(),
            channel: "whatsapp".to_owned(),
            account: "100000000000009".to_owned(),
            waba: None,
            per_second,
            burst,
            test: false,
            app: None,
            portfolio: None,
            members: None,
        };
        self.world.tell(self.session, self.tenant, facts).await;
        self.world.applied(self.session).await;
    }

    pub(super) async fn load(&self, people: std::ops::Range<u32>) -> Vec<MessageId> {
        let mut loaded = Vec::new();
        for n in people {
            let to = format!("+49155{n:07}");
            let object = serde_json::json!({ "to": to, "type": "text", "text": { "body": "sale" } });
            loaded.push(self.world.accept_line((self.tenant, self.session), self.campaign, object).await);
        }
        self.world.applied(self.session).await;
        loaded
    }

    async fn step(&self, step: CampaignStep) {
        let facts = CampaignMovedV1 { campaign: self.campaign, step, reason: "asked".to_owned(), follows: None };
        self.world.tell(self.tenant, self.tenant, facts).await;
        self.world.applied(self.tenant).await;
    }

    /// Takes a step, and waits until it is recorded as effective.
    pub(super) async fn steps(&self, step: CampaignStep) {
        self.step(step).await;
        self.world.until_effective(self.tenant).await;
    }

    async fn row(&self, id: RowId) -> Option<Row> {
        rows::get(self.world.hands.store.as_ref(), &id).await.unwrap()
    }

    async fn campaign(&self) -> CampaignRow {
        match self.row(RowId::Campaign(self.campaign)).await {
            Some(Row::Campaign(row)) => *row,
            other => panic!("no campaign but {other:?}"),
        }
    }

    async fn progress(&self) -> ProgressRow {
        match self.row(RowId::Progress(self.campaign, self.home())).await {
            Some(Row::Progress(row)) => *row,
            _ => ProgressRow::default(),
        }
    }

    fn home(&self) -> u16 {
        routing::partition(&self.session.into(), PARTITIONS)
    }

    async fn gates(&self) -> GatesRow {
        match self.row(RowId::Gates(self.home())).await {
            Some(Row::Gates(row)) => *row,
            _ => GatesRow::default(),
        }
    }

    async fn until_state(&self, wanted: CampaignState) {
        let start = std::time::Instant::now();
        loop {
            let state = self.campaign().await.state;
            if state == wanted {
                return;
            }
            assert!(start.elapsed() < SOON, "still {state:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn until_asked(&self, count: usize) {
        let start = std::time::Instant::now();
        while self.channel.asked().len() < count {
            assert!(start.elapsed() < SOON, "{} of {count}", self.channel.asked().len());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Where the words on the gate stand in the sender's partition: whether they close it.
    async fn words(&self) -> Vec<(Position, bool)> {
        let (mut tail, end) = (self.world.journal.tail(self.home(), Position(0)), self.world.journal.end(self.home()));
        let mut words: Vec<(Position, bool)> = Vec::new();
        while tail.position() < end {
            for entry in tail.next().await.unwrap() {
                if let Ok(Event::GateSet(facts)) = entry.record.event() {
                    // A word that was copied twice is one.
                    if words.last().is_none_or(|(_, closed)| *closed != facts.closed) {
                        words.push((entry.position, facts.closed));
                    }
                }
            }
        }
        words
    }

    async fn rows(&self, messages: &[MessageId]) -> Vec<MessageRow> {
        let mut found = Vec::new();
        for message in messages {
            found.push(self.world.row(*message).await.expect("accepted"));
        }
        found
    }

    /// How the pure core says that it will go.
    async fn planned(&self, messages: &[MessageId], (rate, burst): (u32, u32), begins: Micros) -> Plan {
        let [rate, burst] = [rate, burst].map(|n| NonZeroU32::new(n).unwrap());
        let fast = Quota::per_second(NonZeroU32::new(100_000).unwrap());
        let scene = Planned {
            begins,
            number: with_margin(Quota::per_second(rate).allow_burst(burst)),
            paced: None,
            pair: fast,
            tenant: fast,
            rested: true,
        };
        let people: Vec<Person> = self.rows(messages).await.into_iter().map(person).collect();
        plan(scene, &people, |_, _| None)
    }

    fn asked_at_most_once(&self, messages: &[MessageId]) -> usize {
        let mut times: HashMap<MessageId, usize> = HashMap::new();
        for command in self.channel.asked() {
            *times.entry(command.message).or_default() += 1;
        }
        assert!(times.values().all(|times| *times == 1), "one was sent twice");
        assert!(times.keys().all(|message| messages.contains(message)));
        times.len()
    }
}

fn person(row: MessageRow) -> Person {
    let accepted = row.accepted.expect("accepted");
    Person { contact: accepted.contact, expires_at: accepted.expires_at, zone: 0 }
}

fn begun(rows: &[MessageRow], between: std::ops::Range<u64>) -> Vec<Micros> {
    let attempts = rows.iter().flat_map(|row| &row.attempts);
    let mut at: Vec<Micros> =
        attempts.filter(|a| between.contains(&a.started.position.0)).map(|attempt| attempt.started.at).collect();
    at.sort_unstable();
    at
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_campaign_leaves_as_planned_stops_when_paused_and_is_finished() {
    let scene = Scene::new(100, None, None).await;
    scene.gives_slack(100, 100).await;
    let people = scene.load(0..1_000).await;
    assert_eq!((scene.progress().await.counts[0], scene.channel.asked().len()), (1_000, 0), "loaded, and waiting");
    let gates = scene.gates().await;
    assert_eq!((gates.campaigns(), gates.operators_closed(), gates.gates[0].behind[0].messages), (1, 0, 1_000));
    let begins = SystemClock.wall();
    let planned = scene.planned(&people, (100, 100), begins).await;
    assert_eq!(planned.sent, 1_000);
    let whole = (planned.ends_at - begins) as f64 / 1e6;
    assert!((9.0..=9.5).contains(&whole), "a burst, and 100 a second: {whole}");

    scene.steps(CampaignStep::Start).await;
    scene.until_asked(500).await;
    scene.steps(CampaignStep::Pause).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let half = scene.channel.asked().len();
    assert!(half < 900, "{half}");
    tokio::time::sleep(Duration::from_millis(700)).await;
    assert_eq!(scene.channel.asked().len(), half, "it is paused");
    let late = scene.load(1_000..1_010).await;
    scene.steps(CampaignStep::Resume).await;
    let all: Vec<MessageId> = people.iter().chain(&late).copied().collect();
    scene.until_asked(1_010).await;
    scene.world.until(&all, SOON, &[State::Sent]).await;
    assert_eq!(scene.asked_at_most_once(&all), 1_010);

    let words = scene.words().await;
    let [(opened, false), (closed, true), (reopened, false)] = words[..] else { panic!("{words:?}") };
    let rows = scene.rows(&all).await;
    let first = begun(&rows, opened.0..closed.0);
    let second = begun(&rows, reopened.0..u64::MAX);
    // One that was begun right before the pause was stopped before it left, and was begun once more.
    assert_eq!(first.len() + second.len(), begun(&rows, 0..u64::MAX).len(), "one was begun while the gate was closed");
    // Behind the burst with which each half begins. What a busy machine comes too
    // late, a burst makes up for.
    let (mut took, mut seconds) = (0.0, 0.0);
    for half in [&first, &second] {
        let ends = async |count: usize| scene.planned(&people[..count], (100, 100), begins).await.ends_at;
        seconds += (ends(half.len()).await - ends(BURST).await) as f64 / 1e6;
        took += (half[half.len() - 1] - half[BURST - 1]) as f64 / 1e6;
    }
    assert!((took / seconds - 1.0).abs() < 0.1, "planned {seconds} s, took {took} s");

    scene.until_state(CampaignState::Finished).await;
    let progress = scene.progress().await;
    assert_eq!((progress.counts[2], progress.left()), (1_010, 0));
    scene.world.applied(scene.session).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let gates = scene.gates().await;
    assert_eq!((gates.campaigns(), gates.closings().len()), (0, 0), "over: {gates:?}");
    assert!(gates.campaign(scene.campaign).is_some_and(|known| known.over && known.closed.is_none()), "{gates:?}");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_has_not_left_a_cancelled_campaign_is_called_off_wherever_it_is() {
    let scene = Scene::new(100_000, None, None).await;
    let (world, session) = (&scene.world, scene.session);
    let sent = scene.load(0..50).await;
    scene.steps(CampaignStep::Start).await;
    world.until(&sent, SOON, &[State::Sent]).await;
    scene.steps(CampaignStep::Pause).await;
    world.tell(session, scene.tenant, SessionSuspendedV1 { session, reason: "full".to_owned() }).await;
    let left = scene.load(50..650).await;
    scene.steps(CampaignStep::Resume).await;
    // In the outbox by now, beyond the ring.
    let start = std::time::Instant::now();
    while scene.gates().await.campaign(scene.campaign).is_none_or(|known| !known.behind.is_empty()) {
        assert!(start.elapsed() < SOON);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    scene.steps(CampaignStep::Cancel).await;
    let late = scene.load(650..660).await;
    world.tell(session, scene.tenant, SessionResumedV1 { session, reason: None }).await;
    world.until(&left, SOON, &[State::Cancelled]).await;
    world.until(&late, SOON, &[State::Cancelled]).await;
    let progress = scene.progress().await;
    assert_eq!((progress.counts[2], progress.counts[7], progress.left()), (50, 610, 0));
    assert_eq!(scene.asked_at_most_once(&sent), 50);
    scene.step(CampaignStep::Resume).await;
    assert_eq!(scene.campaign().await.state, CampaignState::Cancelled, "for ever");
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_called_off_and_one_whose_time_has_come_starts_by_itself() {
    let scene = Scene::new(100_000, Some(SystemClock.wall() + 3_000_000), None).await;
    let people = scene.load(0..100).await;
    assert_eq!((scene.campaign().await.state, scene.channel.asked().len()), (CampaignState::Draft, 0));
    scene.world.until(&people, SOON, &[State::Sent]).await;
    let row = scene.campaign().await;
    assert!(row.started_at >= row.start_at, "{row:?}");
    assert_eq!(scene.asked_at_most_once(&people), 100);
    scene.world.stop().await;

    let scene = Scene::new(100_000, None, None).await;
    let people = scene.load(0..600).await;
    scene.steps(CampaignStep::Cancel).await;
    scene.world.until(&people, SOON, &[State::Cancelled]).await;
    assert!(scene.channel.asked().is_empty());
    scene.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deaths_lose_none_of_a_campaign_and_double_none() {
    const PLACES: [&str; 6] = [
        "partition:before_commit",
        "session:before_step",
        "session:before_propose",
        "tenant:mail",
        "spread:copy",
        "campaign:step",
    ];
    let (deaths, fault) = Deaths::at(PLACES, (7, 60), false);
    let scene = Scene::new(500, None, Some(fault)).await;
    deaths.want(true);
    let mut people = scene.load(0..600).await;
    assert!(scene.channel.asked().is_empty(), "one left before the start");
    scene.steps(CampaignStep::Start).await;
    scene.until_asked(150).await;
    scene.steps(CampaignStep::Pause).await;
    people.extend(scene.load(600..700).await);
    // Another process, whose rows are rebuilt from nothing.
    let scene = Scene { world: scene.world.reborn().await, ..scene };
    for partition in 0..PARTITIONS {
        scene.world.caught_up(partition).await;
    }
    assert_eq!(scene.campaign().await.state, CampaignState::Paused);
    let half = scene.channel.asked().len();
    assert!((150..600).contains(&half), "{half}");
    scene.steps(CampaignStep::Resume).await;
    let states = scene.world.until(&people, Duration::from_secs(60), &[State::Sent, State::Unknown]).await;
    deaths.were_more_than(10);
    let sent = scene.asked_at_most_once(&people);
    let unknown = states.get(&State::Unknown).copied().unwrap_or(0);
    assert!(sent + unknown >= people.len() && states[&State::Sent] > people.len() / 2, "{states:?}, {sent} asked");
    let words = scene.words().await;
    let [(opened, false), (closed, true), (reopened, false), ..] = words[..] else { panic!("{words:?}") };
    let rows = scene.rows(&people).await;
    let all = begun(&rows, 0..u64::MAX).len();
    let open = begun(&rows, opened.0..closed.0).len() + begun(&rows, reopened.0..u64::MAX).len();
    assert_eq!(open, all, "one was begun while the gate was closed");
    scene.world.stop().await;
}
