//! Simulator and sink of one measurement, in this process.

use super::config::{CompareConfig, Legs};
use super::rounds::CompareError;
use crate::graph::{CallbackConfig, Faults, Simulator, SimulatorConfig};
use crate::house::{APP_SECRET, CALLBACKS, SIGNING};
use crate::sink::{Sink, SinkConfig};
use std::net::SocketAddr;

/// What a target talks to.
#[derive(Debug)]
pub(super) struct Street {
    pub simulator: Simulator,
    /// Only with all legs.
    pub sink: Option<Sink>,
}

impl Street {
    /// A street for a target that will listen at `target`.
    pub(super) async fn open(config: &CompareConfig, legs: Legs, target: SocketAddr) -> Result<Self, CompareError> {
        let street = |what: &dyn std::fmt::Display| CompareError::Street(what.to_string());
        let callback = CallbackConfig {
            url: (legs == Legs::All).then(|| format!("http://{target}{CALLBACKS}")),
            app_secret: APP_SECRET.to_owned(),
            // Two statuses of each message, several to a call, as Meta does under load.
            read_share: 0.0,
            max_batch: 50,
            batch_ms: 20,
            ..CallbackConfig::default()
        };
        let faults = Faults { latency_ms: config.latency_ms, ..Faults::default() };
        let settings = SimulatorConfig { callback, faults, ..SimulatorConfig::unlimited() };
        let simulator = Simulator::start(settings).await.map_err(|why| street(&why))?;
        let sink = match legs {
            Legs::Send => None,
            Legs::All => {
                let settings = SinkConfig { secrets: vec![SIGNING.to_owned()], ..SinkConfig::default() };
                Some(Sink::start(settings).await.map_err(|why| street(&why))?)
            }
        };
        Ok(Self { simulator, sink })
    }
}
