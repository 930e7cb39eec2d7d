//! `loadtest scenario`.

use super::{Failure, until_stopped};
use serde::Serialize;
use std::path::{Path, PathBuf};
use waybill_loadtest::compare::Kind;
use waybill_loadtest::scenario::{Options, Scale, Scenario, ScenarioResult, run as go};

/// Run scenarios, one after the other, and judge them.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Scenarios (loadtest/scenarios/*.toml).
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The waybill program.
    #[arg(long, default_value = "target/release/waybill")]
    waybill: PathBuf,
    /// Measure this instead of what the scenario says.
    #[arg(long, value_enum)]
    target: Option<Kind>,
    /// Rounds of each scenario.
    #[arg(long, default_value_t = 1)]
    rounds: usize,
    /// A shorter run: counts, seconds of phases and numbers of sessions times this.
    #[arg(long)]
    scale: Option<f64>,
    /// A shorter run: the largest count of messages becomes this, the others in proportion.
    #[arg(long, short = 'n')]
    count: Option<u64>,
    /// Where the targets' folders are made, on a real disk [default: the system's temporary folder].
    #[arg(long)]
    folder: Option<PathBuf>,
    /// Also write each result, samples included, to <OUT>/<scenario>.json.
    #[arg(long)]
    out: Option<PathBuf>,
}

/// The line for programs.
#[derive(Serialize)]
struct Line {
    pass: bool,
    scenarios: Vec<ScenarioResult>,
}

fn read(path: &Path) -> Result<Scenario, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    Scenario::parse(&text).map_err(|e| format!("{}:\n{e}", path.display()).into())
}

fn keep(out: &Path, result: &ScenarioResult) -> Result<(), Failure> {
    std::fs::create_dir_all(out)?;
    Ok(std::fs::write(out.join(format!("{}.json", result.scenario)), serde_json::to_vec_pretty(result)?)?)
}

async fn run_all(args: Args, json: bool) -> Result<(), Failure> {
    let options = Options {
        waybill: args.waybill,
        loadtest: std::env::current_exe()?,
        target: args.target,
        folder: args.folder.unwrap_or_else(std::env::temp_dir),
        rounds: args.rounds,
        scale: Scale { scale: args.scale, count: args.count },
    };
    // All of them first: a mistake in the last file shall not cost an hour.
    let scenarios = args.files.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
    let mut line = Line { pass: true, scenarios: Vec::new() };
    for scenario in scenarios {
        let result = go(scenario, &options).await?;
        println!("{result}");
        if let Some(out) = &args.out {
            keep(out, &result)?;
        }
        line.pass &= result.pass;
        line.scenarios.push(result.without_samples());
    }
    if json {
        println!("{}", serde_json::to_string(&line)?);
    }
    if line.pass { Ok(()) } else { Err("a verdict does not hold".into()) }
}

pub(super) async fn run(args: Args, json: bool) -> Result<(), Failure> {
    tokio::select! {
        done = Box::pin(run_all(args, json)) => done,
        // What is under way is dropped, and with it the target's process.
        stopped = until_stopped() => stopped.and(Err("stopped".into())),
    }
}
