//! The rounds, one after the other.

use super::config::{CompareConfig, Legs};
use super::street::Street;
use super::table::{Comparison, Measured};
use super::waybill::{sender, settings, tenant};
use crate::generator::{Pace, Report, RunConfig, RunError, Until, run};
use crate::house::{Folder, HouseError, Kind, Programs, Site, Target, declare, free_addr};
use std::collections::BTreeMap;

/// Why a comparison could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CompareError {
    /// A setting makes no sense.
    #[error("settings: {0}")]
    Settings(String),
    /// A target does not stand.
    #[error(transparent)]
    House(#[from] HouseError),
    /// Simulator or sink did not start.
    #[error("{0}")]
    Street(String),
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
    let loadtest = std::env::current_exe().map_err(HouseError::Folder)?;
    let programs = Programs { waybill: config.waybill.clone(), loadtest };
    let site = Site {
        addr,
        folder: folder.path(),
        graph: street.simulator.base_url(),
        settings: &settings(),
        linger_us: config.linger_us,
        senders: BTreeMap::new(),
        customers: street.sink.iter().map(|sink| sink.addr().port()).collect(),
        webhook: street.sink.as_ref().map(crate::sink::Sink::url),
    };
    let (mut target, _) = Target::start(kind, &programs, &site).await?;
    let api_key = match kind {
        Kind::Plain | Kind::Synced => "key".to_owned(),
        Kind::Waybill => declare(&target, &[tenant(config, &street)]).await?.into_values().next().unwrap_or_default(),
    };
    let mut load = load(config, &street, &target, api_key);
    let counted = load.pace;
    if config.warm_up > 0 {
        load.pace = Pace::Closed { concurrency: config.concurrency, count: config.warm_up };
        run(load.clone()).await?;
    }
    load.pace = counted;
    let report = run(load).await?;
    target.gone(false).await?;
    street.simulator.shutdown().await;
    Ok(report)
}

fn load(config: &CompareConfig, street: &Street, target: &Target, api_key: String) -> RunConfig {
    RunConfig {
        target: format!("http://{}", target.addr),
        api_key,
        pace: Pace::Closed { concurrency: config.concurrency, count: config.count },
        senders: (0..config.senders).map(sender).collect(),
        recipients: config.recipients,
        body_bytes: config.body_bytes,
        simulator: Some(street.simulator.base_url()),
        sink: street.sink.as_ref().map(|sink| format!("http://{}", sink.addr())),
        until: if street.sink.is_some() { Until::Notified } else { Until::Arrived },
        settle_s: config.settle_s,
        pid: Some(target.pid()),
        ..RunConfig::default()
    }
}
