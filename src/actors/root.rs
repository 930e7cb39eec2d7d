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
use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::Semaphore;

use super::hands::Hands;
use super::ownership::{Ownership, Wanted};
use super::partition::leaving::Handover;
use super::partition::{Notice, Partition, PartitionArgs};
use super::seats::{Seat, Seats};
use crate::domain::address::AddressKind;
use crate::domain::record::Position;
use crate::runtime::restart::{Deaths, RestartLimits};
use crate::store::Waiting;

/// How long a partition of a node that stops goes on, where another node may have it: that one hears of it within a heartbeat
/// of the group, and reads the partition's rows before it claims it.
pub const HANDOVER: Duration = Duration::from_secs(8);

/// Partitions that read their rows at once before they begin. A start waits for its rows, however long they are away: root does
/// not wait for it.
const STARTS: usize = 16;

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
    /// It did not start, and why.
    Stillborn(u16, String),
    /// It lives.
    Born(u16, ActorId),
    /// Who watched whether this claim is taken up died, and nobody took it up.
    Vacant(u16, Position),
    /// This life of a partition is so old that it may be called well again, if it lasts.
    Lived(u16, ActorId),
}

/// What it remembers.
pub struct State {
    hands: Hands,
    shared: bool,
    /// Partitions say there themselves what became of them: their end may be heard of before their mail.
    seats: Arc<Mutex<Seats>>,
    starts: Arc<Semaphore>,
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
            starts: Arc::new(Semaphore::new(STARTS)),
            deaths: HashMap::new(),
            failing: Failing::default(),
        })
    }

    async fn handle(&self, myself: ActorRef<Order>, order: Order, state: &mut State) -> Result<(), ActorProcessingErr> {
        match order {
            Order::Wanted(wanted) => state.follow(&wanted, &myself),
            Order::WantedSince(number, proposal, end) => {
                state.seats.lock().wanted_since(number, proposal, end);
                state.start(number, &myself);
            }
            Order::Start(number) => state.start(number, &myself),
            Order::Stillborn(number, why) => {
                state.seats.lock().left(number);
                state.rest(number, &why, &myself);
            }
            Order::Born(number, life) => state.watch(number, life, &myself),
            Order::Vacant(number, at) => {
                state.seats.lock().vacant_since(number, at);
                state.start(number, &myself);
            }
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
                let died = state.seats.lock().died(who.get_id());
                if let Some(number) = died {
                    state.hands.registry.set_owned(number, false);
                    // Nobody hears what is stopped there before it lives again, here or elsewhere.
                    state.hands.registry.stops.set_lost(number, true);
                    state.rest(number, &why.to_string(), &myself);
                    state.look_after(number, &myself);
                }
            }
            SupervisionEvent::ActorTerminated(who, ..) => {
                let ended = state.seats.lock().given_up(who.get_id());
                if let Some(number) = ended {
                    state.start(number, &myself);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl State {
    /// What is wanted is started, and what is not wanted any more is told so.
    fn follow(&mut self, wanted: &Wanted, myself: &ActorRef<Order>) {
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
        for number in wanted.partitions.iter() {
            self.start(*number, myself);
        }
    }

    /// Starts this partition if it is wanted, unless it lives, or was lost since it was wanted. It takes its seat now, and lives
    /// when it has read its rows, which takes a while where they are far away, and for ever while they are out of reach: root
    /// goes on meanwhile.
    fn start(&self, number: u16, myself: &ActorRef<Order>) {
        let Some(args) = self.args(number) else { return };
        let (root, starts) = (myself.clone(), Arc::clone(&self.starts));
        crate::runtime::spawn("start", async move {
            // Nobody closes it.
            let _one_of_some = starts.acquire().await;
            let came_out = match root.spawn_linked(None, Partition, args).await {
                Ok((actor, _)) => Order::Born(number, actor.get_id()),
                Err(why) => Order::Stillborn(number, why.to_string()),
            };
            // A root that is gone has no partitions.
            drop(root.send_message(came_out));
        });
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

    /// A partition that was lost looked whether somebody takes it, and died of something else: that is looked at here.
    fn look_after(&self, number: u16, myself: &ActorRef<Order>) {
        let Some(at) = self.seats.lock().lost_at(number) else { return };
        let (root, store) = (myself.clone(), Waiting::on(&self.hands.store));
        crate::runtime::spawn("vacancy", async move {
            tokio::time::sleep(VACANCY).await;
            match store.applied(number).await {
                Ok(applied) if applied >= Some(at) => {}
                // What cannot be read for good is said by whoever lives there next.
                _ => drop(root.send_message(Order::Vacant(number, at))),
            }
        });
    }

    fn args(&self, number: u16) -> Option<PartitionArgs> {
        let Seat { notices, vacancies, wish } = self.seats.lock().take(number)?;
        let patience = if self.shared { HANDOVER } else { Duration::ZERO };
        let handover = Handover { patience, vacancy: VACANCY * 2_u32.pow(vacancies.min(6)), wish };
        let (seats, hands) = (Arc::clone(&self.seats), self.hands.clone());
        let reborn = self.deaths.contains_key(&number);
        Some(PartitionArgs { number, notices, seats, handover, reborn, hands })
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
