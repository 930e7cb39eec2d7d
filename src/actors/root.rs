//! Root: the parent of all partitions of this process.
//!
//! | card | |
//! | --- | --- |
//! | parent | the node |
//! | count | one |
//! | mail | start a partition (again) |
//! | bound | one child for each partition |
//! | restart | never: its death is the process's |
//! | stops when | the node drains |
//! | lost if it dies | nothing |

use std::collections::{BTreeMap, HashMap};

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::hands::Hands;
use super::partition::{Partition, PartitionArgs};
use crate::domain::address::AddressKind;
use crate::runtime::restart::{Deaths, RestartLimits};

/// The actor.
pub struct Root;

/// What it hears.
#[derive(Debug, Clone, Copy)]
pub enum Order {
    /// Start this partition.
    Start(u16),
    /// This life of a partition is so old that it may be called well again, if it lasts.
    Lived(u16, ActorId),
}

/// What it remembers.
pub struct State {
    hands: Hands,
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
    type Arguments = Hands;

    async fn pre_start(&self, myself: ActorRef<Order>, hands: Hands) -> Result<State, ActorProcessingErr> {
        for number in 0..hands.journal.genesis().count {
            myself.send_message(Order::Start(number))?;
        }
        Ok(State { hands, partitions: HashMap::new(), deaths: HashMap::new(), failing: Failing::default() })
    }

    async fn handle(&self, myself: ActorRef<Order>, order: Order, state: &mut State) -> Result<(), ActorProcessingErr> {
        let number = match order {
            Order::Start(number) => number,
            Order::Lived(number, life) => {
                state.lived(number, life);
                return Ok(());
            }
        };
        let args = PartitionArgs { number, hands: state.hands.clone() };
        match myself.spawn_linked(None, Partition, args).await {
            Ok((actor, _)) => {
                state.partitions.insert(actor.get_id(), number);
                state.watch(number, actor.get_id(), &myself);
            }
            Err(error) => state.rest(number, &error.to_string(), &myself),
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
                    state.rest(number, &why.to_string(), &myself);
                }
            }
            SupervisionEvent::ActorTerminated(who, ..) => {
                state.partitions.remove(&who.get_id());
            }
            _ => {}
        }
        Ok(())
    }
}

impl State {
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
