//! The command line: one file per command. Nothing is decided here; every command starts a component of the library.
//!
//! To add a command: a file here, a variant of `Command`, an arm in `main`.

mod compare;
mod forwarder;
mod join;
mod run;
mod scenario;
mod simulator;
mod sink;

use clap::{Parser, Subcommand};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::error::Error;
use std::fmt::Display;
use std::path::Path;
use std::process::ExitCode;

/// Measure a message router: a simulated Graph API, a webhook sink, a load generator, forwarders to compare with, a ledger.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Args {
    /// End with one line of JSON for programs.
    #[arg(long, global = true)]
    json: bool,
    /// Threads of the runtime; as many as there are cores if left out.
    #[arg(long, global = true)]
    workers: Option<usize>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve a simulated Graph API.
    Simulator(simulator::Args),
    /// Serve a webhook sink.
    Sink(sink::Args),
    /// Serve a forwarder, plain or synced.
    Forwarder(forwarder::Args),
    /// Send load to a running target and report.
    Run(Box<run::Args>),
    /// Measure Waybill beside both forwarders.
    Compare(compare::Args),
    /// Run scenarios and judge them.
    Scenario(scenario::Args),
    /// Join the files of an earlier run.
    Join(join::Args),
}

/// Anything that ends a command early.
type Failure = Box<dyn Error + Send + Sync>;

pub(crate) fn main(args: Args) -> ExitCode {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if let Some(workers) = args.workers {
        runtime.worker_threads(workers.max(1));
    }
    let done = runtime.enable_all().build().map_err(Failure::from).and_then(|runtime| {
        runtime.block_on(async {
            match args.command {
                Command::Simulator(command) => simulator::run(command, args.json).await,
                Command::Sink(command) => sink::run(command, args.json).await,
                Command::Forwarder(command) => forwarder::run(command, args.json).await,
                Command::Run(command) => run::run(*command, args.json).await,
                Command::Compare(command) => Box::pin(compare::run(command, args.json)).await,
                Command::Scenario(command) => Box::pin(scenario::run(command, args.json)).await,
                Command::Join(command) => join::run(command, args.json),
            }
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// Settings from a TOML file, or the defaults.
fn settings<T: DeserializeOwned + Default>(path: Option<&Path>) -> Result<T, Failure> {
    let Some(path) = path else {
        return Ok(T::default());
    };
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    toml::from_str(&text).map_err(|e| format!("{}: {e}", path.display()).into())
}

/// Lines for people, and one for programs if it is asked for.
fn report(json: bool, human: &impl Display, machine: &impl Serialize) -> Result<(), Failure> {
    println!("{human}");
    if json {
        println!("{}", serde_json::to_string(machine)?);
    }
    Ok(())
}

/// Returns at Ctrl-C or SIGTERM.
async fn until_stopped() -> Result<(), Failure> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => Ok(interrupted?),
        _ = terminate.recv() => Ok(()),
    }
}
