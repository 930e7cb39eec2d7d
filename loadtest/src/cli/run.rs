//! `loadtest run`.

use super::{Failure, report, settings};
use clap::ValueEnum;
use std::path::PathBuf;
use waybill_loadtest::generator::{Pace, RunConfig, Until, run as drive};

/// Send load to a running target, wait until it has arrived, and report.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// All settings, as TOML; the flags below win.
    #[arg(long)]
    config: Option<PathBuf>,
    /// What the target is: it only changes defaults, both speak the same call.
    #[arg(long, value_enum, default_value_t = Kind::Waybill)]
    kind: Kind,
    /// The target, http://host:port.
    #[arg(long)]
    target: Option<String>,
    /// The bearer token of the target.
    #[arg(long)]
    api_key: Option<String>,
    /// Messages in all.
    #[arg(long, short = 'n')]
    count: Option<u64>,
    /// Closed loop: so many callers.
    #[arg(long, short = 'c', conflicts_with = "rate")]
    concurrency: Option<usize>,
    /// Open loop: so many messages per second.
    #[arg(long)]
    rate: Option<f64>,
    /// Open loop: requests under way at most.
    #[arg(long, default_value_t = 256, requires = "rate")]
    in_flight: usize,
    /// A sending identity; can be given several times.
    #[arg(long = "sender")]
    senders: Vec<String>,
    /// Different people written to.
    #[arg(long)]
    recipients: Option<u64>,
    /// Bytes of the text.
    #[arg(long)]
    body_bytes: Option<usize>,
    /// A file with the body to send instead: JSON with {from}, {to}, {text}, {marker}.
    #[arg(long)]
    body: Option<PathBuf>,
    /// Send an Idempotency-Key.
    #[arg(long)]
    idempotency: bool,
    /// Repeat what got no answer, 429 or 5xx, for so many seconds.
    #[arg(long, requires = "idempotency")]
    retry_s: Option<u64>,
    /// Append every acknowledgement to this file.
    #[arg(long)]
    acks: Option<PathBuf>,
    /// The simulator behind the target, http://host:port.
    #[arg(long)]
    simulator: Option<String>,
    /// The sink the target notifies, http://host:port.
    #[arg(long)]
    sink: Option<String>,
    /// What to wait for; with a simulator: arrived, with a sink: notified, else: answered.
    #[arg(long, value_enum)]
    until: Option<Wait>,
    /// Wait for so many seconds at most.
    #[arg(long)]
    settle_s: Option<u64>,
    /// The process of the target, for CPU and memory.
    #[arg(long)]
    pid: Option<u32>,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Kind {
    Waybill,
    Forwarder,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wait {
    Answered,
    Arrived,
    CalledBack,
    Notified,
}

impl From<Wait> for Until {
    fn from(wait: Wait) -> Self {
        match wait {
            Wait::Answered => Self::Answered,
            Wait::Arrived => Self::Arrived,
            Wait::CalledBack => Self::CalledBack,
            Wait::Notified => Self::Notified,
        }
    }
}

/// The pace the flags ask for, on top of what a file says.
fn pace(args: &Args, pace: Pace) -> Pace {
    let (concurrency, count) = match pace {
        Pace::Closed { concurrency, count } => (concurrency, count),
        Pace::Open { count, .. } => (64, count),
    };
    let count = args.count.unwrap_or(count);
    match (args.rate, args.concurrency, pace) {
        (Some(rate), _, _) => Pace::Open { rate, count, in_flight: args.in_flight },
        (None, None, Pace::Open { rate, in_flight, .. }) => Pace::Open { rate, count, in_flight },
        (None, asked, _) => Pace::Closed { concurrency: asked.unwrap_or(concurrency), count },
    }
}

fn configure(args: Args) -> Result<RunConfig, Failure> {
    let mut config: RunConfig = settings(args.config.as_deref())?;
    if args.config.is_none() && args.kind == Kind::Forwarder {
        config.target = "http://127.0.0.1:9092".into();
        config.api_key = "key".into();
    }
    config.pace = pace(&args, config.pace);
    config.target = args.target.unwrap_or(config.target);
    config.api_key = args.api_key.unwrap_or(config.api_key);
    config.recipients = args.recipients.unwrap_or(config.recipients);
    config.body_bytes = args.body_bytes.unwrap_or(config.body_bytes);
    config.idempotency |= args.idempotency;
    config.retry_s = args.retry_s.unwrap_or(config.retry_s);
    config.acks = args.acks.or(config.acks);
    config.simulator = args.simulator.or(config.simulator);
    config.sink = args.sink.or(config.sink);
    config.settle_s = args.settle_s.unwrap_or(config.settle_s);
    config.pid = args.pid.or(config.pid);
    if !args.senders.is_empty() {
        config.senders = args.senders;
    }
    if let Some(path) = &args.body {
        config.body = Some(std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?);
    }
    config.until = match (args.until, &config.simulator, &config.sink) {
        (Some(wait), _, _) => wait.into(),
        (None, Some(_), Some(_)) => Until::Notified,
        (None, Some(_), None) => Until::Arrived,
        (None, None, _) => config.until,
    };
    Ok(config)
}

pub(super) async fn run(args: Args, json: bool) -> Result<(), Failure> {
    let found = drive(configure(args)?).await?;
    report(json, &found, &found)
}
