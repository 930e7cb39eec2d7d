//! `loadtest compare`.

use super::{Failure, report, settings};
use std::path::PathBuf;
use waybill_loadtest::compare::{CompareConfig, Kind, Legs, compare};

/// Measure Waybill beside both forwarders in one run, and report medians and ratios.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// All settings, as TOML; the flags below win.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The waybill program [default: target/release/waybill].
    #[arg(long)]
    waybill: Option<PathBuf>,
    /// Only these targets; can be given several times.
    #[arg(long = "target", value_enum)]
    targets: Vec<Kind>,
    /// Leave out the table with callbacks and notifications.
    #[arg(long, conflicts_with = "all_legs_only")]
    send_only: bool,
    /// Leave out the table without them.
    #[arg(long)]
    all_legs_only: bool,
    /// Messages of one measurement [default: 50000].
    #[arg(long, short = 'n')]
    count: Option<u64>,
    /// Rounds; the median counts [default: 3].
    #[arg(long)]
    rounds: Option<usize>,
    /// Callers [default: 64].
    #[arg(long, short = 'c')]
    concurrency: Option<usize>,
    /// Different people written to [default: 5000].
    #[arg(long)]
    recipients: Option<u64>,
    /// The simulator answers each send so many milliseconds late [default: 0].
    #[arg(long)]
    latency_ms: Option<u64>,
    /// Where the targets' folders are made, on a real disk [default: the system's temporary folder].
    #[arg(long)]
    folder: Option<PathBuf>,
}

fn configure(args: Args) -> Result<CompareConfig, Failure> {
    let mut config: CompareConfig = settings(args.config.as_deref())?;
    config.waybill = args.waybill.unwrap_or(config.waybill);
    config.count = args.count.unwrap_or(config.count);
    config.rounds = args.rounds.unwrap_or(config.rounds);
    config.concurrency = args.concurrency.unwrap_or(config.concurrency);
    config.recipients = args.recipients.unwrap_or(config.recipients);
    config.latency_ms = args.latency_ms.unwrap_or(config.latency_ms);
    config.folder = args.folder.unwrap_or(config.folder);
    if !args.targets.is_empty() {
        config.targets = args.targets;
    }
    if args.send_only {
        config.legs = vec![Legs::Send];
    }
    if args.all_legs_only {
        config.legs = vec![Legs::All];
    }
    Ok(config)
}

pub(super) async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let config = configure(args)?;
    let found = compare(&config, |round, legs, target, report| {
        println!("---- round {round}, {target:?}, legs {legs:?}\n{report}");
    })
    .await?;
    report(json, &found, &found)?;
    if found.is_clean() { Ok(()) } else { Err("messages were lost or duplicated, or did not arrive in time".into()) }
}
