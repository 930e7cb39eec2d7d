//! `loadtest simulator`.

use super::{Failure, report, settings, until_stopped};
use std::net::SocketAddr;
use std::path::PathBuf;
use waybill_loadtest::graph::{Limits, Simulator, SimulatorConfig};

/// Serve a simulated Graph API until it is stopped.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// All settings, as TOML; the flags below win.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Where to listen; 127.0.0.1:9090 if neither this nor a file says otherwise.
    #[arg(long)]
    addr: Option<SocketAddr>,
    /// Where status callbacks go, http://host:port/path.
    #[arg(long)]
    callback_url: Option<String>,
    /// Signs status callbacks.
    #[arg(long)]
    app_secret: Option<String>,
    /// Statuses in one callback at most (1 to 1000).
    #[arg(long)]
    batch: Option<usize>,
    /// Answer every send so many milliseconds late.
    #[arg(long)]
    latency_ms: Option<u64>,
    /// None of Meta's limits: for measuring throughput.
    #[arg(long)]
    unlimited: bool,
    /// Append every request to this file.
    #[arg(long)]
    journal: Option<PathBuf>,
}

fn configure(args: Args) -> Result<SimulatorConfig, Failure> {
    let mut config: SimulatorConfig = settings(args.config.as_deref())?;
    if args.config.is_none() {
        config.addr = SocketAddr::from(([127, 0, 0, 1], 9090));
    }
    config.addr = args.addr.unwrap_or(config.addr);
    config.callback.url = args.callback_url.or(config.callback.url);
    config.callback.app_secret = args.app_secret.unwrap_or(config.callback.app_secret);
    config.callback.max_batch = args.batch.unwrap_or(config.callback.max_batch);
    config.faults.latency_ms = args.latency_ms.unwrap_or(config.faults.latency_ms);
    config.journal_path = args.journal.or(config.journal_path);
    if args.unlimited {
        config.limits = Limits::off();
    }
    Ok(config)
}

pub(super) async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let simulator = Simulator::start(configure(args)?).await?;
    println!("graph simulator on {}, looking in: {0}/_sim/stats", simulator.base_url());
    until_stopped().await?;
    let stats = simulator.stats();
    simulator.shutdown().await;
    let human = format!(
        "requests {}, accepted {}, callbacks posted {}",
        stats.requests, stats.accepted, stats.callbacks.posted
    );
    report(json, &human, &stats)
}
