//! `loadtest forwarder`.

use super::{Failure, report, settings, until_stopped};
use std::net::SocketAddr;
use std::path::PathBuf;
use waybill_loadtest::forwarder::{Forwarder, ForwarderConfig, Synced, Webhook};

/// Serve a forwarder, plain or synced, until it is stopped.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// All settings, as TOML; the flags below win.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Where to listen; 127.0.0.1:9092 if neither this nor a file says otherwise.
    #[arg(long)]
    addr: Option<SocketAddr>,
    /// The Graph API with its version, http://host:port/v25.0.
    #[arg(long)]
    graph: Option<String>,
    /// Sync to this file before answering; without it the forwarder is plain.
    #[arg(long)]
    synced: Option<PathBuf>,
    /// Synced: wait so long for more messages of a group, microseconds.
    #[arg(long, requires = "synced")]
    linger_us: Option<u64>,
    /// Synced: fill the file with zeros up to here first, MiB.
    #[arg(long, requires = "synced")]
    prefill_mib: Option<u64>,
    /// Messages under way at once.
    #[arg(long)]
    window: Option<usize>,
    /// Take status callbacks signed with this secret.
    #[arg(long)]
    app_secret: Option<String>,
    /// Notify this address of every status.
    #[arg(long, requires = "webhook_secret")]
    webhook_url: Option<String>,
    /// Signs notifications, whsec_<base64>.
    #[arg(long, requires = "webhook_url")]
    webhook_secret: Option<String>,
}

fn configure(args: Args) -> Result<ForwarderConfig, Failure> {
    let mut config: ForwarderConfig = settings(args.config.as_deref())?;
    if args.config.is_none() {
        config.addr = SocketAddr::from(([127, 0, 0, 1], 9092));
    }
    config.addr = args.addr.unwrap_or(config.addr);
    config.graph = args.graph.unwrap_or(config.graph);
    config.window = args.window.unwrap_or(config.window);
    config.app_secret = args.app_secret.or(config.app_secret);
    if let Some(path) = args.synced {
        let (linger_us, prefill_mib) = (args.linger_us.unwrap_or(0), args.prefill_mib.unwrap_or(0));
        config.synced = Some(Synced { path, linger_us, prefill_mib });
    }
    if let (Some(url), Some(secret)) = (args.webhook_url, args.webhook_secret) {
        config.webhook = Some(Webhook { url, secret });
    }
    Ok(config)
}

pub(super) async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let config = configure(args)?;
    let kind = if config.synced.is_some() { "synced" } else { "plain" };
    let forwarder = Forwarder::start(config).await?;
    println!("{kind} forwarder on http://{}, process {}", forwarder.addr(), std::process::id());
    until_stopped().await?;
    let stats = forwarder.stats();
    let human = format!(
        "accepted {}, forwarded {}, failed {}, notified {}",
        stats.accepted, stats.forwarded, stats.failed, stats.notified
    );
    report(json, &human, &stats)
}
