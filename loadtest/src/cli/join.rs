//! `loadtest join`.

use super::{Failure, report};
use std::collections::HashSet;
use std::path::PathBuf;
use waybill_loadtest::ledger::join_files;

/// Join the files of an earlier run.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Acknowledgements (`run --acks`).
    #[arg(long)]
    acks: PathBuf,
    /// Requests (`simulator --journal`).
    #[arg(long)]
    requests: PathBuf,
    /// Notifications (`sink --events`).
    #[arg(long)]
    events: Option<PathBuf>,
    /// Message ids or markers that the target itself calls unknown, one per line.
    #[arg(long)]
    unknown: Option<PathBuf>,
}

pub(super) fn run(args: Args, json: bool) -> Result<(), Failure> {
    let listed =
        args.unknown.map(|path| std::fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display())));
    let unknown: HashSet<String> =
        listed.transpose()?.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let ledger = join_files(&args.acks, &args.requests, args.events.as_deref(), &unknown)?;
    report(json, &ledger, &ledger)?;
    if ledger.is_clean() { Ok(()) } else { Err("messages were lost or duplicated".into()) }
}
