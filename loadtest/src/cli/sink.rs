//! `loadtest sink`.

use super::{Failure, report, settings, until_stopped};
use std::net::SocketAddr;
use std::path::PathBuf;
use waybill_loadtest::sink::{Sink, SinkConfig};

/// Serve a webhook sink until it is stopped.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// All settings, as TOML; the flags below win.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Where to listen; 127.0.0.1:9091 if neither this nor a file says otherwise.
    #[arg(long)]
    addr: Option<SocketAddr>,
    /// A secret that may sign, whsec_<base64>; can be given several times.
    #[arg(long = "secret")]
    secrets: Vec<String>,
    /// Share of deliveries answered 500, 0.0 to 1.0.
    #[arg(long)]
    fail_share: Option<f64>,
    /// Append every event to this file.
    #[arg(long)]
    events: Option<PathBuf>,
}

pub(super) async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let mut config: SinkConfig = settings(args.config.as_deref())?;
    if args.config.is_none() {
        config.addr = SocketAddr::from(([127, 0, 0, 1], 9091));
    }
    config.addr = args.addr.unwrap_or(config.addr);
    config.secrets.extend(args.secrets);
    config.behaviour.fail_share = args.fail_share.unwrap_or(config.behaviour.fail_share);
    config.events_path = args.events.or(config.events_path);
    let sink = Sink::start(config).await?;
    println!("webhook sink on {}, looking in: http://{}/_sink/stats", sink.url(), sink.addr());
    until_stopped().await?;
    let stats = sink.stats();
    let human = format!(
        "deliveries {}, events {}, duplicates {}, signatures good {} bad {}",
        stats.deliveries, stats.events, stats.duplicates, stats.signatures_good, stats.signatures_bad
    );
    report(json, &human, &stats)
}
