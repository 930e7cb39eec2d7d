//! Several nodes over one journal, store and vault: each a root of its own, which owns what a test proposes to it. A house
//! beside them accepts messages and reads rows; one wire hears every call, of whichever node.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::json;
use waybill::actors::hands::{Fault, Limits};
use waybill::actors::ownership::Proposer;
use waybill::channel::{Capabilities, Channel, Credential, Scripted, SendCommand};
use waybill::domain::event::Event;
use waybill::domain::failure::Answer;
use waybill::domain::id::{MessageId, SessionId, TenantId};
use waybill::domain::message::State;
use waybill::domain::record::Micros;
use waybill::domain::row::{Row, RowId};
use waybill::runtime::{BoxFuture, Clock, SystemClock};
use waybill::store::rows;

use super::clock_set::Settable;
use super::world::{PARTITIONS, World};

/// One call whose first byte left.
#[derive(Debug, Clone)]
pub struct Call {
    pub node: u8,
    pub message: MessageId,
    pub to: String,
    pub at: Instant,
}

/// What all nodes speak to.
#[derive(Default)]
pub struct Wire {
    calls: Mutex<Vec<Call>>,
    slow: Mutex<Option<Duration>>,
}

impl Wire {
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().clone()
    }

    /// The next call takes so long.
    pub fn slow_down_one(&self, takes: Duration) {
        *self.slow.lock() = Some(takes);
    }
}

/// One node's end of the wire: an answer takes its time.
struct End {
    wire: Arc<Wire>,
    node: u8,
    takes: Duration,
    capabilities: Capabilities,
}

impl Channel for End {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn send(&self, command: SendCommand, _: Arc<Credential>) -> BoxFuture<'static, Answer> {
        if SystemClock.steady() > command.deadline {
            return Box::pin(std::future::ready(Answer::NotSent { why: "deadline" }));
        }
        let provider_id = format!("wamid.{}.{}", command.message, command.attempt);
        let (node, takes) = (self.node, self.wire.slow.lock().take().unwrap_or(self.takes));
        self.wire.calls.lock().push(Call { node, message: command.message, to: command.to, at: Instant::now() });
        Box::pin(async move {
            tokio::time::sleep(takes).await;
            Answer::Sent { provider_id }
        })
    }
}

/// The nodes, numbered from 1.
pub struct Nodes {
    /// Accepts, and shows rows. Owns nothing.
    pub house: World,
    pub wire: Arc<Wire>,
    pub nodes: Vec<(World, Proposer)>,
}

impl Nodes {
    /// So many nodes, whose calls take so long. Nothing is proposed to them yet.
    pub async fn new(count: u8, limits: Limits, takes: Duration) -> Self {
        Self::with_fault(count, limits, takes, None).await
    }

    pub async fn with_fault(count: u8, limits: Limits, takes: Duration, fault: Option<Fault>) -> Self {
        Self::by_clocks((0..count).map(|_| 0), limits, takes, fault).await
    }

    /// A node for each of these clocks, which are so much ahead of ours.
    pub async fn by_clocks(
        ahead: impl IntoIterator<Item = Micros>,
        limits: Limits,
        takes: Duration,
        fault: Option<Fault>,
    ) -> Self {
        // With the log: RUST_LOG=info.
        if let Ok(filter) = std::env::var("RUST_LOG") {
            drop(waybill::telemetry::init_log(&filter, false, false));
        }
        let scripted = Arc::new(Scripted::new(Arc::new(SystemClock), []));
        let house = World::without_partitions(scripted, limits).await;
        let wire = Arc::new(Wire::default());
        let mut nodes = Vec::new();
        for (node, ahead) in (1..).zip(ahead) {
            let clock = Arc::new(Settable(AtomicI64::new(ahead)));
            let capabilities = Scripted::new(Arc::new(SystemClock), []).capabilities().clone();
            let end = End { wire: Arc::clone(&wire), node, takes, capabilities };
            nodes.push(house.neighbour(node, Arc::new(end), fault.clone(), clock).await);
        }
        Self { house, wire, nodes }
    }

    pub fn node(&self, number: u8) -> &World {
        &self.nodes[usize::from(number) - 1].0
    }

    /// This node is to own these.
    pub fn propose(&self, number: u8, partitions: impl IntoIterator<Item = u16>) {
        self.nodes[usize::from(number) - 1].1.propose(partitions);
    }

    /// The node dies: nothing of it reaches the journal any more.
    pub fn kill(&self, number: u8) {
        let world = self.node(number);
        world.journal.fail("killed");
        world.root.kill();
    }

    /// Who owns each partition, as the rows say.
    pub async fn owners(&self) -> Vec<Option<u8>> {
        let mut owners = Vec::new();
        for partition in 0..PARTITIONS {
            let row = rows::get(self.house.hands.store.as_ref(), &RowId::Partition(partition)).await.expect("readable");
            owners.push(match row {
                Some(Row::Partition(row)) => row.node.map(|node| node.0[0]),
                _ => None,
            });
        }
        owners
    }

    /// How many claims stand in each partition, valid or not.
    pub fn claims(&self) -> Vec<usize> {
        let of = |partition| {
            let entries = self.house.journal.contents(partition);
            entries.iter().filter(|entry| matches!(entry.record.event(), Ok(Event::Claimed(_)))).count()
        };
        (0..PARTITIONS).map(of).collect()
    }

    /// Waits until so many claims stand in each partition.
    pub async fn until_claimed(&self, claims: usize, within: Duration) {
        let start = Instant::now();
        while self.claims().iter().any(|found| *found < claims) {
            assert!(start.elapsed() < within, "claimed {:?} times", self.claims());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until every partition is owned by this node, and lives there.
    pub async fn until_owned(&self, number: u8, within: Duration) {
        let start = Instant::now();
        let all = vec![Some(number); usize::from(PARTITIONS)];
        while self.owners().await != all || self.node(number).hands.registry.owned() < usize::from(PARTITIONS) {
            assert!(start.elapsed() < within, "owned by {:?}", self.owners().await);
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// A tenant and so many sessions of it.
    pub async fn declare(&self, sessions: usize) -> (TenantId, Vec<SessionId>) {
        let tenant = self.house.tenant("acme", 100_000).await;
        let mut all = Vec::new();
        for n in 0..sessions {
            all.push(self.house.session(tenant, &format!("session-{n}")).await);
        }
        (tenant, all)
    }

    pub async fn stop(self) {
        for (world, _) in self.nodes {
            world.root.stop(None);
        }
    }
}

/// What was accepted, and for whom: each person hears of one session, in the order of acceptance.
#[derive(Default)]
pub struct Accepted(pub Vec<(MessageId, String)>);

/// What became of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Account {
    pub lost: usize,
    pub doubled: usize,
    pub inverted: usize,
    pub unknown: usize,
}

impl Accepted {
    /// Accepts the next message of a session, for one of seven people.
    pub async fn one(&mut self, house: &World, tenant: TenantId, session: (usize, SessionId)) {
        let to = format!("+49155{:03}{:04}", session.0, self.0.len() % 7);
        let object = json!({ "to": to, "type": "text", "text": { "body": "hello" } });
        let message = house.accept_as(tenant, session.1, object).await;
        self.0.push((message, to));
    }

    pub fn ids(&self) -> Vec<MessageId> {
        self.0.iter().map(|(message, _)| *message).collect()
    }

    /// Waits until all of it is settled or may have been sent, and joins it with what the wire heard.
    pub async fn account(&self, nodes: &Nodes, within: Duration) -> Account {
        let states = nodes.house.until(&self.ids(), within, &[State::Sent, State::Unknown]).await;
        let calls = nodes.wire.calls();
        let mut times: HashMap<MessageId, usize> = HashMap::new();
        for call in &calls {
            *times.entry(call.message).or_default() += 1;
        }
        let place: HashMap<MessageId, usize> = self.ids().into_iter().zip(0..).collect();
        let mut last: HashMap<&str, usize> = HashMap::new();
        let mut inverted = 0;
        for call in &calls {
            let (Some(place), last) = (place.get(&call.message), last.entry(&call.to).or_default()) else { continue };
            // One that had to be sent again after it was unknown is the one inversion that is promised.
            let once = nodes.house.row(call.message).await.is_some_and(|row| row.attempts.len() == 1);
            inverted += usize::from(place < last && once);
            *last = (*last).max(*place);
        }
        let mut lost = 0;
        for message in self.ids() {
            let sent = nodes.house.leg(message).await.is_some_and(|row| row.state() == State::Sent);
            lost += usize::from(sent && !times.contains_key(&message));
        }
        let unknown = states.get(&State::Unknown).copied().unwrap_or_default();
        Account { lost, doubled: times.values().filter(|times| **times > 1).count(), inverted, unknown }
    }
}

/// The longest time between two calls in a row, within what both ends of the time span.
pub fn longest_gap(calls: &[Call]) -> Duration {
    calls.windows(2).map(|pair| pair[1].at.saturating_duration_since(pair[0].at)).max().unwrap_or_default()
}
