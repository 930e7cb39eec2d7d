//! What can be measured, and how each is started and started again in the same folder.

use super::child::Child;
use super::error::HouseError;
use super::place::{APP_SECRET, SIGNING};
use crate::forwarder::{ForwarderConfig, Synced, Webhook};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The forwarder that only accepts and posts.
    Plain,
    /// The forwarder that appends and syncs before it answers.
    Synced,
    /// Waybill.
    Waybill,
}

/// The programs targets are made of.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    pub waybill: PathBuf,
    /// This program, with its command `forwarder`.
    pub loadtest: PathBuf,
}

/// Where a target stands and what it talks to.
#[derive(Debug, Clone)]
pub(crate) struct Site<'a> {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its own folder.
    pub folder: &'a Path,
    /// The base of the Graph API.
    pub graph: String,
    /// Settings of Waybill beside the ones that tie it to its street.
    pub settings: &'a toml::Table,
    /// The synced forwarder waits so long for more of a group.
    pub linger_us: u64,
    /// Phone number ids by the names callers use: Waybill is declared its own, the forwarders know only these.
    pub senders: BTreeMap<String, String>,
    /// Ports of customers: Waybill calls these and no others.
    pub customers: Vec<u16>,
    /// The one address the forwarders notify.
    pub webhook: Option<String>,
}

/// A target that answers.
#[derive(Debug)]
pub(crate) struct Target {
    child: Child,
    kind: Kind,
    program: PathBuf,
    arguments: Vec<String>,
    log: PathBuf,
    /// Where it listens.
    pub addr: SocketAddr,
    /// What it keeps.
    pub data: PathBuf,
}

impl Target {
    /// Starts a target and waits until it answers; also says how long that took.
    pub(crate) async fn start(
        kind: Kind,
        programs: &Programs,
        site: &Site<'_>,
    ) -> Result<(Self, Duration), HouseError> {
        let (program, arguments, data) = match kind {
            Kind::Plain => (&programs.loadtest, forwarder(site, None)?, site.folder.to_owned()),
            Kind::Synced => {
                let synced =
                    Synced { path: site.folder.join("forwarder.wal"), linger_us: site.linger_us, prefill_mib: 0 };
                (&programs.loadtest, forwarder(site, Some(synced))?, site.folder.to_owned())
            }
            Kind::Waybill => (&programs.waybill, super::waybill::arguments(site)?, super::waybill::data(site)),
        };
        let (program, log) = (program.clone(), site.folder.join("target.log"));
        let begun = Instant::now();
        let mut child = Child::start(&program, &arguments, &log)?;
        child.answers(site.addr, ready(kind)).await?;
        let took = begun.elapsed();
        Ok((Self { child, kind, program, arguments, log, addr: site.addr, data }, took))
    }

    /// Its process id; another one after each start.
    pub(crate) fn pid(&self) -> u32 {
        self.child.pid()
    }

    /// Starts it again in the same folder, once it is [`Target::gone`]; how long it took until it answered.
    pub(crate) async fn again(&mut self) -> Result<Duration, HouseError> {
        let begun = Instant::now();
        self.child = Child::start(&self.program, &self.arguments, &self.log)?;
        self.child.answers(self.addr, ready(self.kind)).await?;
        Ok(begun.elapsed())
    }

    /// Ends it in order, or kills it.
    pub(crate) async fn gone(&mut self, killed: bool) -> Result<(), HouseError> {
        if killed { self.child.kill() } else { self.child.end().await }
    }

    /// Fails if it has ended by itself.
    pub(crate) fn is_there(&mut self) -> Result<(), HouseError> {
        if self.child.is_alive() { Ok(()) } else { Err(self.child.trouble("ended by itself")) }
    }
}

/// What is answered with 200 once messages are taken.
fn ready(kind: Kind) -> &'static str {
    match kind {
        Kind::Waybill => "/readyz",
        Kind::Plain | Kind::Synced => "/stats",
    }
}

/// Writes a forwarder's settings, and gives its arguments.
fn forwarder(site: &Site<'_>, synced: Option<Synced>) -> Result<Vec<String>, HouseError> {
    let config = ForwarderConfig {
        addr: site.addr,
        graph: format!("{}/v25.0", site.graph),
        senders: site.senders.clone(),
        synced,
        app_secret: site.webhook.is_some().then(|| APP_SECRET.to_owned()),
        webhook: site.webhook.clone().map(|url| Webhook { url, secret: SIGNING.to_owned() }),
        ..ForwarderConfig::default()
    };
    let text = toml::to_string(&config).map_err(|why| HouseError::Settings(why.to_string()))?;
    let file = site.folder.join("forwarder.toml");
    std::fs::write(&file, text).map_err(HouseError::Folder)?;
    Ok(vec!["forwarder".to_owned(), format!("--config={}", file.display())])
}
