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

use std::collections::HashMap;

use ractor::{Actor, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::hands::Hands;
use super::partition::{Partition, PartitionArgs};
use crate::domain::address::AddressKind;
use crate::runtime::restart::{Deaths, RestartLimits};

/// The actor.
pub struct Root;

/// Start this partition.
#[derive(Debug, Clone, Copy)]
pub struct Start(pub u16);

/// What it remembers.
pub struct State {
    hands: Hands,
    partitions: HashMap<ActorId, u16>,
    deaths: HashMap<u16, Deaths>,
}

impl Actor for Root {
    type Msg = Start;
    type State = State;
    type Arguments = Hands;

    async fn pre_start(&self, myself: ActorRef<Start>, hands: Hands) -> Result<State, ActorProcessingErr> {
        for number in 0..hands.journal.genesis().count {
            myself.send_message(Start(number))?;
        }
        Ok(State { hands, partitions: HashMap::new(), deaths: HashMap::new() })
    }

    async fn handle(
        &self,
        myself: ActorRef<Start>,
        Start(number): Start,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let args = PartitionArgs { number, hands: state.hands.clone() };
        match myself.spawn_linked(None, Partition, args).await {
            Ok((actor, _)) => {
                state.partitions.insert(actor.get_id(), number);
                state.hands.health.set("partitions", None);
            }
            Err(error) => state.rest(number, &error.to_string(), &myself),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Start>,
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
    /// A partition that died lives again after a wait; one that dies again and again makes the house unhealthy, because
    /// what hashes to it is neither sent nor shown.
    fn rest(&mut self, number: u16, why: &str, myself: &ActorRef<Start>) {
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
        if deaths.count() > self.hands.limits.restart_budget as usize {
            self.hands.health.set("partitions", Some(format!("partition {number} dies again and again: {why}")));
        }
        let root = myself.clone();
        crate::runtime::spawn("restart", async move {
            tokio::time::sleep(wait).await;
            // A root that is gone starts nothing any more.
            drop(root.send_message(Start(number)));
        });
    }
}
