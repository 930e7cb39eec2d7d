//! What the targets are and how each is started.

use super::child::Child;
use super::config::CompareConfig;
use super::rounds::CompareError;
use super::street::{APP_SECRET, SIGNING, Street};
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::Path;

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

/// A target that answers.
#[derive(Debug)]
pub(super) struct Target {
    pub child: Child,
    pub addr: SocketAddr,
    pub api_key: String,
}

impl Target {
    /// Starts a target in `folder`, which is its own, on `street`.
    pub(super) async fn start(
        kind: Kind,
        config: &CompareConfig,
        street: &Street,
        addr: SocketAddr,
        folder: &Path,
    ) -> Result<Self, CompareError> {
        match kind {
            Kind::Plain => forwarder(None, config, street, addr, folder).await,
            Kind::Synced => forwarder(Some(&folder.join("forwarder.wal")), config, street, addr, folder).await,
            Kind::Waybill => super::waybill::start(config, street, addr, folder).await,
        }
    }
}

/// This very program, as a forwarder.
async fn forwarder(
    synced: Option<&Path>,
    config: &CompareConfig,
    street: &Street,
    addr: SocketAddr,
    folder: &Path,
) -> Result<Target, CompareError> {
    let program = std::env::current_exe().map_err(CompareError::Folder)?;
    let mut arguments = vec!["forwarder".to_owned(), format!("--addr={addr}")];
    arguments.push(format!("--graph={}/v25.0", street.simulator.base_url()));
    if let Some(path) = synced {
        arguments.push(format!("--synced={}", path.display()));
        arguments.push(format!("--linger-us={}", config.linger_us));
    }
    if let Some(sink) = &street.sink {
        arguments.push(format!("--app-secret={APP_SECRET}"));
        arguments.push(format!("--webhook-url={}", sink.url()));
        arguments.push(format!("--webhook-secret={SIGNING}"));
    }
    let mut child = Child::start(&program, &arguments, &folder.join("forwarder.log"))?;
    child.answers(addr, "/stats").await?;
    Ok(Target { child, addr, api_key: "key".to_owned() })
}
