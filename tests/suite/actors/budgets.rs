//! What several numbers share: the people of a portfolio's day, whatever dies meanwhile; a business account's calls; a
//! template that the provider paused.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde_json::json;
use waybill::actors::hands::{Fault, Limits};
use waybill::channel::{Channel, Line, Scripted};
use waybill::domain::event::{PortfolioDeclaredV1, Priority, WindowOpenedV1};
use waybill::domain::failure::{Answer, Bucket, FailureClass};
use waybill::domain::gate::Gate;
use waybill::domain::id::{BudgetId, InstallationId, MessageId, SessionId, TenantId};
use waybill::domain::message::State;
use waybill::domain::record::{Micros, Principal};
use waybill::domain::row::{PortfolioRow, Row, RowId};
use waybill::domain::waiting::{Why, waiting};
use waybill::runtime::{Clock, SystemClock};
use waybill::store::rows;

use super::deaths::Deaths;
use super::world::{World, limits};

pub(super) const SOON: Duration = Duration::from_secs(40);
pub(super) const HOUR: Micros = 3_600_000_000;

/// The machine's clocks, put forward.
#[derive(Default)]
pub(super) struct Ahead(pub(super) AtomicI64);

impl Clock for Ahead {
    fn wall(&self) -> Micros {
        SystemClock.wall() + self.0.load(Ordering::SeqCst)
    }

    fn steady(&self) -> Duration {
        let ahead = u64::try_from(self.0.load(Ordering::SeqCst)).expect("forward");
        SystemClock.steady() + Duration::from_micros(ahead)
    }
}

pub(super) struct Business {
    pub(super) world: World,
    pub(super) channel: Arc<Scripted>,
    pub(super) clock: Arc<Ahead>,
    pub(super) tenant: TenantId,
    pub(super) sessions: [SessionId; 2],
    pub(super) portfolio: BudgetId,
}

impl Business {
    /// Two numbers of one business account, in a portfolio of so many people a day.
    pub(super) async fn of(people_per_day: Option<u32>, script: Vec<Line>, fault: Option<Fault>) -> Self {
        let clock = Arc::new(Ahead::default());
        let channel = Arc::new(Scripted::new(Arc::clone(&clock) as Arc<dyn Clock>, script));
        let (by, as_channel) = (Arc::clone(&clock) as Arc<dyn Clock>, Arc::clone(&channel) as Arc<dyn Channel>);
        // Who has nothing to do lives on: what is shared is told to the living.
        let limits = Limits { idle: 60_000_000, ..limits() };
        let world = World::by_clock(as_channel, limits, fault, by).await;
        let tenant = world.tenant("acme", 100_000).await;
        let portfolio = BudgetId::portfolio(InstallationId([1; 16]), "group");
        let facts = PortfolioDeclaredV1 { portfolio, name: "group".to_owned(), people_per_day };
        world.tell(portfolio, tenant, facts).await;
        world.applied(portfolio).await;
        let of = (Some("102"), Some("group"));
        let first = world.session_of(tenant, ("orders", "100000000000001", 100_000), of).await;
        let second = world.session_of(tenant, ("news", "100000000000002", 100_000), of).await;
        world.applied(first).await;
        world.applied(second).await;
        Self { world, channel, clock, tenant, sessions: [first, second], portfolio }
    }

    /// A template to each of these people, by one number and the other in turn.
    pub(super) async fn write_to(&self, people: impl Iterator<Item = usize>) -> Vec<MessageId> {
        let expires = Some(self.clock.wall() + 96 * HOUR);
        let mut messages = Vec::new();
        for n in people {
            let to = (&*number(n), "update");
            messages.push(self.world.accept_template(self.tenant, self.sessions[n % 2], to, expires).await);
        }
        messages
    }

    /// The people who were written to.
    pub(super) fn reached(&self) -> BTreeSet<String> {
        self.channel.asked().into_iter().map(|command| command.to).collect()
    }

    pub(super) async fn row(&self) -> PortfolioRow {
        match rows::get(self.world.hands.store.as_ref(), &RowId::Portfolio(self.portfolio)).await.unwrap() {
            Some(Row::Portfolio(row)) => *row,
            other => panic!("no portfolio but {other:?}"),
        }
    }

    /// How many of these messages wait for their portfolio, and say until when.
    async fn waiting(&self, messages: &[MessageId]) -> usize {
        let mut count = 0;
        for message in messages {
            let row = self.world.row(*message).await;
            let why = row.and_then(|row| waiting(&row, None, self.clock.wall()));
            count += usize::from(why.is_some_and(|why| why.why == Why::Portfolio && why.until.is_some()));
        }
        count
    }

    /// Waits until so many of these wait for their portfolio.
    pub(super) async fn until_waiting(&self, messages: &[MessageId], count: usize) {
        let start = std::time::Instant::now();
        loop {
            let waiting = self.waiting(messages).await;
            if waiting == count {
                return;
            }
            assert!(start.elapsed() < SOON, "{waiting} wait in place of {count}; reached {}", self.reached().len());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

pub(super) fn number(n: usize) -> String {
    format!("+49155{n:07}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_people_as_the_portfolio_may_are_written_to_and_the_others_wait_and_say_so() {
    let mut business = Business::of(Some(50), Vec::new(), None).await;
    let messages = business.write_to(0..200).await;
    business.until_waiting(&messages, 150).await;
    assert_eq!(business.reached().len(), 50);
    assert_eq!(business.row().await.people.counted(business.clock.wall()), 50);

    // Who wrote to the number is not counted, and who was written to is no further person; neither waits behind those who
    // do. Nor does what is urgent, or answers somebody.
    let reached = business.reached();
    let mut passing = Vec::new();
    for n in 200..220 {
        let contact = business.world.contact(business.tenant, &number(n)).await;
        let until = business.clock.wall() + 24 * HOUR;
        let facts = WindowOpenedV1 { contact, session: business.sessions[n % 2], until };
        business.world.tell(contact, business.tenant, facts).await;
        business.world.applied(contact).await;
    }
    passing.extend(business.write_to(200..220).await);
    let known: Vec<usize> = (0..200).filter(|n| reached.contains(&number(*n))).take(5).collect();
    passing.extend(business.write_to(known.into_iter()).await);
    let answer = json!({ "to": number(150), "type": "text", "text": { "body": "here" } });
    let urgent = (Priority::Urgent, None);
    passing.push(business.world.accept_with(business.tenant, business.sessions[0], urgent, answer).await);
    business.world.until(&passing, SOON, &[State::Sent]).await;
    assert_eq!(business.row().await.people.counted(business.clock.wall()), 50);

    // Another process knows as much.
    let before = business.channel.asked().len();
    business.world.restart().await;
    let more = business.write_to(300..310).await;
    business.until_waiting(&more, 10).await;
    assert_eq!(business.channel.asked().len(), before);
    business.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_later_as_many_others_are_written_to() {
    let business = Business::of(Some(50), Vec::new(), None).await;
    let messages = business.write_to(0..200).await;
    business.until_waiting(&messages, 150).await;
    let first = business.reached();
    assert_eq!(first.len(), 50);
    business.clock.0.fetch_add(23 * HOUR, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(business.reached().len(), 50, "somebody left before the day was over");
    business.clock.0.fetch_add(HOUR * 5 / 2, Ordering::SeqCst);
    let start = std::time::Instant::now();
    while business.reached().len() < 100 {
        assert!(start.elapsed() < SOON, "{} left", business.reached().len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(business.reached().len(), 100, "one too many left");
    assert_eq!(business.row().await.people.counted(business.clock.wall()), 50);
    business.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_raised_limit_is_for_those_who_wait_already() {
    let business = Business::of(Some(20), Vec::new(), None).await;
    let messages = business.write_to(0..60).await;
    business.until_waiting(&messages, 40).await;
    let (portfolio, name) = (business.portfolio, "group".to_owned());
    let raised = PortfolioDeclaredV1 { portfolio, name, people_per_day: Some(50) };
    business.world.tell(portfolio, business.tenant, raised).await;
    let start = std::time::Instant::now();
    while business.reached().len() < 50 {
        assert!(start.elapsed() < SOON, "{} left", business.reached().len());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    business.until_waiting(&messages, 10).await;
    assert_eq!(business.reached().len(), 50);
    business.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deaths_of_partitions_and_sessions_admit_nobody_more() {
    const PLACES: [&str; 4] =
        ["partition:before_commit", "session:before_step", "session:before_propose", "portfolio:ask"];
    let (deaths, fault) = Deaths::at(PLACES, (5, 60), true);
    let business = Business::of(Some(50), Vec::new(), Some(fault)).await;
    let messages = business.write_to(0..200).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    deaths.want(false);
    let start = std::time::Instant::now();
    loop {
        let waiting = business.waiting(&messages).await;
        let mut settled = 0;
        for message in &messages {
            let state = business.world.row(*message).await.map(|row| row.state());
            settled += usize::from(matches!(state, Some(State::Sent | State::Unknown)));
        }
        if waiting + settled == messages.len() {
            break;
        }
        assert!(start.elapsed() < SOON, "{waiting} wait, {settled} are settled");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    deaths.were_more_than(10);
    let counted = business.row().await.people.counted(business.clock.wall());
    let reached = business.reached().len();
    assert!(counted == 50 && (40..=50).contains(&reached), "{counted} count, {reached} were reached");
    business.world.stop().await;
}

pub(super) fn refused(code: i32, bucket: Bucket, wait: Duration) -> Line {
    let retry_after_ms = Some(u64::try_from(wait.as_millis()).expect("short"));
    let class = FailureClass::Throttle(bucket);
    Line::Say(Answer::Rejected { code, class, retry_after_ms, detail: String::new() })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_provider_refuses_for_the_portfolios_sake_holds_all_of_it_and_no_answers() {
    let script = vec![refused(131_064, Bucket::Portfolio, Duration::from_secs(3_600))];
    let business = Business::of(None, script, None).await;
    let first = business.write_to(0..1).await;
    let start = std::time::Instant::now();
    while business.row().await.held.is_none() {
        assert!(start.elapsed() < SOON, "not held");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let messages = business.write_to(1..40).await;
    business.until_waiting(&messages, 39).await;
    assert_eq!(business.channel.asked().len(), 1, "into the wall");
    let waits = business.world.row(messages[0]).await.and_then(|row| row.attempts.last().cloned());
    assert_eq!(waits.and_then(|attempt| attempt.ended).map(|ended| ended.code), Some(131_064));
    let answer = json!({ "to": number(1), "type": "text", "text": { "body": "here" } });
    let mut answers = Vec::new();
    for session in business.sessions {
        answers.push(business.world.accept_as(business.tenant, session, answer.clone()).await);
    }
    business.world.until(&answers, SOON, &[State::Sent]).await;
    business.clock.0.fetch_add(HOUR + 1, Ordering::SeqCst);
    business.world.until(&[first, messages].concat(), SOON, &[State::Sent]).await;
    business.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_business_accounts_throttle_that_one_number_meets_calms_the_other() {
    let business = Business::of(None, Vec::new(), None).await;
    let elsewhere = (("other", "100000000000003", 100_000), (Some("103"), None));
    let elsewhere = business.world.session_of(business.tenant, elsewhere.0, elsewhere.1).await;
    business.world.applied(elsewhere).await;
    // Both live, then the first is refused.
    let [first, second] = business.sessions;
    let text = |n| json!({ "to": number(n), "type": "text", "text": { "body": "hello" } });
    let greeting = business.world.accept_as(business.tenant, second, text(0)).await;
    business.world.until(&[greeting], SOON, &[State::Sent]).await;
    business.channel.then(refused(80_007, Bucket::Waba, Duration::from_secs(20)));
    business.world.accept_as(business.tenant, first, text(0)).await;
    let start = std::time::Instant::now();
    while business.world.session_row(first).await.held.is_none() {
        assert!(start.elapsed() < SOON, "not held");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let before = business.channel.asked().len();
    for n in 0..20 {
        business.world.accept_as(business.tenant, second, text(n)).await;
    }
    // One that comes to life only now hears of it too.
    let late = (("late", "100000000000004", 100_000), (Some("102"), None));
    let late = business.world.session_of(business.tenant, late.0, late.1).await;
    business.world.accept_as(business.tenant, late, text(0)).await;
    let free = business.world.accept_as(business.tenant, elsewhere, text(0)).await;
    business.world.until(&[free], SOON, &[State::Sent]).await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(business.channel.asked().len(), before + 1, "a neighbour runs into the same wall");
    for session in [second, late] {
        let held = business.world.session_row(session).await.held.expect("it says so");
        assert_eq!((held.code, held.bucket.as_deref()), (80_007, Some("waba")));
    }
    assert!(business.world.session_row(elsewhere).await.held.is_none());
    business.world.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_template_that_the_provider_paused_stops_by_itself_and_goes_on_when_somebody_says_so() {
    let refusal = || refused(132_015, Bucket::Template, Duration::from_secs(1));
    let script = vec![refusal()];
    let business = Business::of(None, script, None).await;
    let (tenant, session) = (business.tenant, business.sessions[0]);
    let first = business.world.accept_template(tenant, session, (&number(0), "sale"), None).await;
    let gate = Gate::Template { tenant, name: "sale".to_owned() };
    let stopped = async || {
        let start = std::time::Instant::now();
        loop {
            let found = rows::get(business.world.hands.store.as_ref(), &RowId::Asks(tenant)).await.unwrap();
            if let Some(Row::Asks(asks)) = found
                && let Some(asked) = asks.on(&gate).filter(|asked| asked.closed && asked.effective)
            {
                break asked.clone();
            }
            assert!(start.elapsed() < SOON, "its gate is open");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let asked = stopped().await;
    assert!(asked.closed && asked.reason.contains("132015") && asked.by == Principal::Meta, "{asked:?}");
    let second = business.world.accept_template(tenant, session, (&number(1), "sale"), None).await;
    let other = business.world.accept_template(tenant, session, (&number(2), "update"), None).await;
    business.world.until(&[other], SOON, &[State::Sent]).await;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(business.channel.asked().len(), 2, "one of the paused template was tried again");
    let mended = || {
        let (gate, reason) = (gate.clone(), "mended".to_owned());
        waybill::domain::event::GateAskedV1 { gate, closed: false, reason }
    };
    // Not mended at all: it is stopped again at once.
    business.channel.then(refusal());
    business.world.tell(tenant, tenant, mended()).await;
    business.world.applied(tenant).await;
    assert_ne!(stopped().await.event, asked.event);
    business.world.tell(tenant, tenant, mended()).await;
    business.world.until(&[first, second], SOON, &[State::Sent]).await;
    business.world.stop().await;
}
