//! The rounds, one after the other.

use super::child::free_addr;
use super::config::{CompareConfig, Legs};
use super::street::Street;
use super::table::{Comparison, Measured};
use super::target::{Kind, Target};
use super::waybill::sender;
use crate::client::ClientError;
use crate::generator::{Pace, Report, RunConfig, RunError, Until, run};
use std::path::{Path, PathBuf};

/// Why a comparison could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A setting makes no sense.
    #[error("settings: {0}")]
    Settings(String),
    /// A program does not start.
    #[error("{} does not start: {source}", program.display())]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A target misbehaves; with what it said.
    #[error("the target {what}:\n{said}")]
    Target {
        /// What it did.
        what: String,
        /// Its log.
        said: String,
    },
    /// Files of a target.
    #[error("a folder for a target: {0}")]
    Folder(#[source] std::io::Error),
    /// Simulator or sink did not start.
    #[error("{0}")]
    Street(String),
    /// No port is free between 20000 and 30000.
    #[error("no port is free between 20000 and 30000")]
    NoPort,
    /// A target cannot be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The load.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// Measures every target with every choice of legs, so many rounds; `said` hears of each measurement when it is over.
///
/// # Errors
/// [`CompareError`]. Messages that were lost are no error: they stand in the table.
pub async fn compare(
    config: &CompareConfig,
    mut said: impl FnMut(usize, Legs, Kind, &Report),
) -> Result<Comparison, CompareError> {
    config.check().map_err(CompareError::Settings)?;
    let mut measured = Vec::new();
    for round in 1..=config.rounds {
        for &legs in &config.legs {
            for &target in &config.targets {
                let report = measure(config, legs, target).await?;
                said(round, legs, target, &report);
                measured.push(Measured { legs, target, report });
            }
        }
    }
    Ok(Comparison::of(&measured))
}

/// One measurement, in a folder of its own that is gone afterwards.
async fn measure(config: &CompareConfig, legs: Legs, kind: Kind) -> Result<Report, CompareError> {
    let addr = free_addr()?;
    let folder = Folder::make(&config.folder, addr.port())?;
    let street = Street::open(config, legs, addr).await?;
    let target = Target::start(kind, config, &street, addr, &folder.0).await?;
    let mut load = load(config, &street, &target);
    let counted = load.pace;
    if config.warm_up > 0 {
        load.pace = Pace::Closed { concurrency: config.concurrency, count: config.warm_up };
        run(load.clone()).await?;
    }
    load.pace = counted;
    let report = run(load).await?;
    target.child.end().await?;
    street.simulator.shutdown().await;
    Ok(report)
}

fn load(config: &CompareConfig, street: &Street, target: &Target) -> RunConfig {
    RunConfig {
        target: format!("http://{}", target.addr),
        api_key: target.api_key.clone(),
        pace: Pace::Closed { concurrency: config.concurrency, count: config.count },
        senders: (0..config.senders).map(sender).collect(),
        recipients: config.recipients,
        body_bytes: config.body_bytes,
        simulator: Some(street.simulator.base_url()),
        sink: street.sink.as_ref().map(|sink| format!("http://{}", sink.addr())),
        until: if street.sink.is_some() { Until::Notified } else { Until::Arrived },
        settle_s: config.settle_s,
        pid: Some(target.child.pid()),
        ..RunConfig::default()
    }
}

/// A folder that is removed when dropped.
struct Folder(PathBuf);

impl Folder {
    fn make(below: &Path, port: u16) -> Result<Self, CompareError> {
        let path = below.join(format!("loadtest-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&path).map_err(CompareError::Folder)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed stays where it is seen; a measurement is not spoilt by it.
        drop(std::fs::remove_dir_all(&self.0));
    }
}
