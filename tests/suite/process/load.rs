//! Many callers: load that goes on whatever happens to the node, and remembers every acknowledgement.
//!
//! Half of the callers repeat a request without an answer under its idempotency key; the other half never repeat.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use tokio::task::JoinHandle;
use waybill_loadtest::generator::{Pace, RunConfig, run};
use waybill_loadtest::ledger::Ack;
use waybill_loadtest::lines::read_lines;

use super::house::{House, SESSIONS};

/// Seconds of load in one run of the generator; load stops at the end of one.
const RUN_S: f64 = 2.0;

/// Load under way. Stop it to get the acknowledgements.
pub struct Load {
    stop: Arc<AtomicBool>,
    halves: Vec<JoinHandle<Vec<Ack>>>,
}

impl Load {
    /// So many messages a second over all sessions. `name`: letters and digits, different for each load of a test.
    pub fn start(house: &House, name: &str, per_second: f64) -> Self {
        Self::at(house, house.port, name, per_second)
    }

    /// The same, handed to the node of this port.
    pub fn at(house: &House, port: u16, name: &str, per_second: f64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let half = |kind: &str, retry_s: u64| {
            let config = RunConfig {
                target: format!("http://127.0.0.1:{port}"),
                api_key: house.key.clone(),
                pace: Pace::Open { rate: per_second / 2.0, count: (per_second / 2.0 * RUN_S) as u64, in_flight: 64 },
                senders: SESSIONS.iter().map(|name| (*name).to_owned()).collect(),
                recipients: 2_000,
                body_bytes: 300,
                idempotency: retry_s > 0,
                retry_s,
                timeout_ms: 10_000,
                ..RunConfig::default()
            };
            let files = house.folder().join(format!("{name}{kind}"));
            tokio::spawn(again_and_again(config, format!("{name}{kind}"), files, Arc::clone(&stop)))
        };
        let halves = vec![half("k", 60), half("n", 0)];
        Self { stop, halves }
    }

    /// Ends the load: every request has its answer or its failure. Everything that was acknowledged.
    pub async fn stop(self) -> Vec<Ack> {
        self.stop.store(true, Relaxed);
        let mut acks = Vec::new();
        for half in self.halves {
            acks.extend(half.await.expect("the callers"));
        }
        acks
    }
}

async fn again_and_again(config: RunConfig, name: String, files: PathBuf, stop: Arc<AtomicBool>) -> Vec<Ack> {
    let mut acks = Vec::new();
    for n in 0.. {
        let path = files.with_extension(n.to_string());
        let config = RunConfig { acks: Some(path.clone()), run: Some(format!("{name}{n}")), ..config.clone() };
        run(config).await.expect("the generator runs");
        acks.extend(read_lines::<Ack>(&path).expect("what it wrote"));
        std::fs::remove_file(&path).expect("what it wrote");
        if stop.load(Relaxed) {
            break;
        }
    }
    acks
}
