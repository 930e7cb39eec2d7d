//! What the command line needs of a node: started with settings, watched, stopped. The program hands a real one in, the
//! tests a double; two rooms of one floor never import each other.

use std::net::SocketAddr;

use super::exit::Exit;
use super::failure::Failure;
use crate::config::Settings;
use crate::runtime::BoxFuture;

/// A running node.
pub trait Hosted: Send + Sync {
    /// Where its API listens.
    fn addr(&self) -> SocketAddr;
    /// The text of the operator's key.
    fn operator_key(&self) -> String;
    /// Resolves when the node can no longer do its work, with the reason.
    fn failed(&self) -> BoxFuture<'_, String>;
    /// Drains and stops. The error says what could not be drained.
    fn stop(self: Box<Self>) -> BoxFuture<'static, Result<(), String>>;
}

/// Starts nodes.
pub trait Host: Send + Sync {
    /// Starts a node.
    fn start(&self, settings: Settings) -> BoxFuture<'_, Result<Box<dyn Hosted>, StartFailure>>;

    /// Founds an installation whose journal is in Kafka, and says what was founded.
    fn found(&self, settings: Settings) -> BoxFuture<'_, Result<String, StartFailure>>;

    /// Sends the log where the settings say, in colour if asked to. Asked once, before a node starts.
    ///
    /// # Errors
    /// In words, when the log filter cannot be used.
    fn log(&self, settings: &Settings, color: bool) -> Result<(), String>;
}

/// Why a node did not start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartFailure {
    /// Which kind, for the exit code.
    pub kind: StartKind,
    /// What is wrong and what to do, in words.
    pub what: String,
}

/// Kinds of failed starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StartKind {
    /// The settings cannot be used on this machine: an address in use, a certificate that cannot be read.
    Settings,
    /// The data folder is locked, foreign, damaged, or its vault is missing.
    DataFolder,
    /// Anything else.
    Internal,
}

impl From<StartFailure> for Failure {
    fn from(failure: StartFailure) -> Self {
        let exit = match failure.kind {
            StartKind::Settings => Exit::Usage,
            StartKind::DataFolder => Exit::DataFolder,
            StartKind::Internal => Exit::Internal,
        };
        Self::new(exit, failure.what)
    }
}
