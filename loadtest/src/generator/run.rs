//! One run, from start to report.

use super::config::RunConfig;
use super::load::{Load, drive};
use super::report::{self, Report, Span};
use super::settle::Evidence;
use crate::client::{Address, ClientError};
use crate::lines::LinesError;
use crate::{clock, ledger, proc};
use std::collections::HashSet;
use std::sync::Arc;

/// Why a run could not be done.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A setting makes no sense.
    #[error("settings: {0}")]
    Settings(String),
    /// Simulator or sink cannot be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The acknowledgement file.
    #[error("acknowledgements: {0}")]
    Lines(#[from] LinesError),
    /// The process to be measured.
    #[error("process {0}: {1}")]
    Process(u32, #[source] std::io::Error),
    /// A caller panicked: a defect of the generator.
    #[error("a caller died: {0}")]
    Caller(String),
}

/// Sends one load and waits for its answers, no longer: who runs several at once waits for their arrivals, and joins, for all together.
pub(crate) async fn load(config: RunConfig) -> Result<Load, RunError> {
    config.check().map_err(RunError::Settings)?;
    let target = Address::parse(&config.target)?;
    drive(&Arc::new(config), target).await
}

/// Runs one load against a target and reports.
///
/// # Errors
/// [`RunError`] when the run cannot be set up or its evidence cannot be read. A target that refuses is no error: it stands in the report.
pub async fn run(config: RunConfig) -> Result<Report, RunError> {
    config.check().map_err(RunError::Settings)?;
    let usage = |pid: Option<u32>| pid.map(|pid| proc::usage(pid).map_err(|e| RunError::Process(pid, e))).transpose();
    let target = Address::parse(&config.target)?;
    let mut evidence = Evidence::open(&config).await?;
    let config = Arc::new(config);
    let before = usage(config.pid)?;
    let started_us = clock::now_us();
    let load = drive(&config, target).await?;
    let loaded_us = clock::now_us();
    let settled = evidence.settle(&config, &load.acks).await?;
    let after = usage(config.pid)?;
    evidence.collect().await?;
    let none = HashSet::new();
    let join = || ledger::join(&load.acks, &evidence.requests, &evidence.notices, &none);
    let ledger = config.simulator.is_some().then(join);
    let span = Span { started_us, loaded_us, settled };
    Ok(report::build(load, &evidence.requests, ledger, &span, before.zip(after)))
}
