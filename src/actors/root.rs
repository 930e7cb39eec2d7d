//! Root: the parent of all partitions of this process.
//!
//! | card | |
//! | --- | --- |
//! | parent | the node |
//! | count | one |
//! | mail | what this node is to own; a partition to be started |
//! | bound | one child for each partition |
//! | restart | never: its death is the process's |
//! | stops when | the node drains |
//! | lost if it dies | nothing |

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SpawnErr, SupervisionEvent};
use tokio::task::{JoinError, JoinHandle, JoinSet};

use super::hands::Hands;
use super::inbox::Nudge;
use super::ownership::{Ownership, Wanted};
use super::partition::leaving::Handover;
use super::partition::{Notice, Partition, PartitionArgs};
use super::seats::{Seat, Seats};
use crate::domain::address::AddressKind;
use crate::domain::record::Position;
use crate::runtime::restart::{Deaths, RestartLimits};

/// How long a partition of a node that stops goes on, where another node may have it: that one hears of it within a heartbeat
/// of the group, and reads the partition's rows before it claims it.
const HANDOVER: Duration = Duration::from_secs(8);

/// Partitions that start at once.
const STARTS: usize = 16;

/// A partition, and how its start came out.
type Started = (u16, Result<(ActorRef<Nudge>, JoinHandle<()>), SpawnErr>);

/// How long whoever claimed a partition may take to begin, the first time.
const VACANCY: Duration = Duration::from_secs(5);

/// The actor.
pub struct Root;

/// What it is born with.
pub struct RootArgs {
    /// What the actors work with.
    pub hands: Hands,
    /// What this node is to own.
    pub ownership: Ownership,
}

/// What it hears.
#[derive(Debug, Clone)]
pub enum Order {
    /// This node is to own these.
    Wanted(Wanted),
    /// The journal of this partition went so far when it was wanted by the proposal of that number.
    WantedSince(u16, u64, Position),
    /// Start this partition.
    Start(u16),
    /// This life of a partition is so old that it may be called well again, if it lasts.
    Lived(u16, ActorId),
}

/// What it remembers.
pub struct State {
    hands: Hands,
    shared: bool,
    /// Partitions say there themselves what became of them: their end may be heard of before their mail.
    seats: Arc<Mutex<Seats>>,
    partitions: HashMap<ActorId, u16>,
    deaths: HashMap<u16, Deaths>,
    failing: Failing,
}

/// Partitions that die again and again: why, and the life that may show that it is over.
#[derive(Debug, Default)]
struct Failing(BTreeMap<u16, (String, Option<ActorId>)>);

impl Failing {
    /// One died, and if it is said why, again and again.
    fn died(&mut self, number: u16, why: Option<&str>) {
        match why {
            Some(why) => drop(self.0.insert(number, (why.to_owned(), None))),
            None => drop(self.0.get_mut(&number).map(|(_, life)| *life = None)),
        }
    }

    /// One begins to live again. Says whether that is to be watched.
    fn begins(&mut self, number: u16, life: ActorId) -> bool {
        self.0.get_mut(&number).map(|known| known.1 = Some(life)).is_some()
    }

    /// A life that was watched is old enough, if it still lasts.
    fn lived(&mut self, number: u16, life: ActorId) {
        self.0.retain(|other, (_, begun)| *other != number || *begun != Some(life));
    }

    fn said(&self) -> Option<String> {
        let all = self.0.iter().map(|(number, (why, _))| format!("partition {number} dies again and again: {why}"));
        Some(all.collect::<Vec<_>>().join("; ")).filter(|said| !said.is_empty())
    }
}

impl Actor for Root {
    type Msg = Order;
    type State = State;
    type Arguments = RootArgs;

    async fn pre_start(&self, myself: ActorRef<Order>, args: RootArgs) -> Result<State, ActorProcessingErr> {
        let RootArgs { hands, mut ownership } = args;
        let shared = ownership.is_shared();
        if shared {
            hands.registry.share();
        }
        myself.send_message(Order::Wanted(ownership.now()))?;
        crate::runtime::spawn("ownership", async move {
            while let Some(wanted) = ownership.next().await {
                if myself.send_message(Order::Wanted(wanted)).is_err() {
                    return;
                }
            }
        });
        Ok(State {
            hands,
            shared,
            seats: Arc::default(),
            partitions: HashMap::new(),
            deaths: HashMap::new(),
            failing: Failing::default(),
        })
    }

    async fn handle(&self, myself: ActorRef<Order>, order: Order, state: &mut State) -> Result<(), ActorProcessingErr> {
        match order {
            Order::Wanted(wanted) => state.follow(&wanted, &myself).await,
            Order::WantedSince(number, proposal, end) => {
                state.seats.lock().wanted_since(number, proposal, end);
                state.start([number], &myself).await;
            }
            Order::Start(number) => state.start([number], &myself).await,
            Order::Lived(number, life) => state.lived(number, life),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Order>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorFailed(who, why) => {
                if let Some(number) = state.partitions.remove(&who.get_id()) {
                    state.seats.lock().left(number);
                    state.hands.registry.set_owned(number, false);
                    state.rest(number, &why.to_string(), &myself);
                }
            }
            SupervisionEvent::ActorTerminated(who, ..) => {
                if let Some(number) = state.partitions.remove(&who.get_id()) {
                    state.seats.lock().given_up(number);
                    state.start([number], &myself).await;
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl State {
    /// What is wanted is started, and what is not wanted any more is told so.
    async fn follow(&mut self, wanted: &Wanted, myself: &ActorRef<Order>) {
        let (living, held) = {
            let mut seats = self.seats.lock();
            (seats.follow(wanted), seats.held_and_wanted())
        };
        for number in held {
            self.ask_since(number, wanted.number, myself);
        }
        for (number, notices) in living {
            notices.push(Notice::Wish(wanted.wish(number)));
        }
        self.start(wanted.partitions.iter().copied(), myself).await;
    }

    /// Starts those partitions of these that are wanted, unless they live, or were lost since they were wanted. Several at once:
    /// each reads its rows, which takes a while where they are far away.
    async fn start(&mut self, numbers: impl IntoIterator<Item = u16>, myself: &ActorRef<Order>) {
        let mut starting = JoinSet::new();
        for number in numbers {
            let Some(args) = self.args(number) else { continue };
            while starting.len() >= STARTS
                && let Some(started) = starting.join_next().await
            {
                self.started(started, myself);
            }
            let root = myself.clone();
            starting.spawn(async move { (number, root.spawn_linked(None, Partition, args).await) });
        }
        while let Some(started) = starting.join_next().await {
            self.started(started, myself);
        }
    }

    /// One that is held already may have been claimed before it was wanted anew, by a node that is no more: that claim may be read
    /// after the proposal, and nobody would make another one.
    fn ask_since(&self, number: u16, proposal: u64, myself: &ActorRef<Order>) {
        let (root, journal) = (myself.clone(), Arc::clone(&self.hands.journal));
        crate::runtime::spawn("wanted", async move {
            match journal.fresh_end(number).await {
                Ok(end) => drop(root.send_message(Order::WantedSince(number, proposal, end))),
                // What was claimed before counts as lost since.
                Err(error) => tracing::warn!(partition = number, %error, "how far its journal goes is not known"),
            }
        });
    }

    fn args(&self, number: u16) -> Option<PartitionArgs> {
        let Seat { notices, vacancies, wish } = self.seats.lock().take(number)?;
        let patience = if self.shared { HANDOVER } else { Duration::ZERO };
        let handover = Handover { patience, vacancy: VACANCY * 2_u32.pow(vacancies.min(6)), wish };
        let (seats, hands) = (Arc::clone(&self.seats), self.hands.clone());
        Some(PartitionArgs { number, notices, seats, handover, hands })
    }

    fn started(&mut self, started: Result<Started, JoinError>, myself: &ActorRef<Order>) {
        match started {
            Ok((number, Ok((actor, _)))) => {
                self.partitions.insert(actor.get_id(), number);
                self.watch(number, actor.get_id(), myself);
            }
            Ok((number, Err(error))) => {
                self.seats.lock().left(number);
                self.rest(number, &error.to_string(), myself);
            }
            // Which one is not known: it is its seat that stays taken, and this node is not well.
            Err(error) => {
                self.hands.health.set("partitions", Some(format!("a partition did not start: {error}")));
            }
        }
    }

    /// One that died again and again is called well once it has lived for as long as its deaths are counted together: a
    /// start alone says nothing, and another one's start nothing of this one.
    fn watch(&mut self, number: u16, life: ActorId, myself: &ActorRef<Order>) {
        if !self.failing.begins(number, life) {
            return;
        }
        let (root, window) = (myself.clone(), self.hands.limits.restart_window);
        crate::runtime::spawn("lived", async move {
            tokio::time::sleep(window).await;
            drop(root.send_message(Order::Lived(number, life)));
        });
    }

    fn lived(&mut self, number: u16, life: ActorId) {
        self.failing.lived(number, life);
        self.hands.health.set("partitions", self.failing.said());
    }

    /// A partition that died lives again after a wait; one that dies again and again makes the house unhealthy, because
    /// what hashes to it is neither sent nor shown.
    fn rest(&mut self, number: u16, why: &str, myself: &ActorRef<Order>) {
        let limits = RestartLimits {
            budget: self.hands.limits.restart_budget,
            window: self.hands.limits.restart_window,
            base: self.hands.limits.restart_backoff.0,
            cap: self.hands.limits.restart_backoff.1,
        };
        let deaths = self.deaths.entry(number).or_default();
        let wait = deaths.died(self.hands.clock.steady(), self.hands.entropy.number(), &limits);
        tracing::error!(partition = number, why, deaths = deaths.count(), ?wait, "a partition died");
        crate::telemetry::restarted(AddressKind::Partition);
        let again = deaths.count() > self.hands.limits.restart_budget as usize;
        self.failing.died(number, again.then_some(why));
        self.hands.health.set("partitions", self.failing.said());
        let root = myself.clone();
        crate::runtime::spawn("restart", async move {
            tokio::time::sleep(wait).await;
            // A root that is gone starts nothing any more.
            drop(root.send_message(Order::Start(number)));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_called_well_once_it_lived_long_enough_and_no_other_one_for_it() {
        let (mut failing, life) = (Failing::default(), ActorId::Local);
        failing.died(1, None);
        assert_eq!(failing.said(), None, "once is not again and again");
        failing.died(1, Some("poison"));
        failing.died(2, Some("disk"));
        assert!(failing.begins(1, life(10)) && failing.begins(2, life(20)) && !failing.begins(3, life(30)));
        failing.lived(2, life(20));
        assert_eq!(failing.said().as_deref(), Some("partition 1 dies again and again: poison"));
        failing.died(1, None);
        failing.lived(1, life(10));
        assert!(failing.said().is_some(), "that life is over");
        assert!(failing.begins(1, life(11)));
        failing.lived(1, life(11));
        assert_eq!(failing.said(), None);
    }
}
