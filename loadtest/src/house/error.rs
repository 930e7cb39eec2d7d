//! Why a house does not stand.

use crate::client::ClientError;
use std::path::PathBuf;

/// Why a target could not be started, asked or ended.
#[derive(Debug, thiserror::Error)]
pub enum HouseError {
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
    /// Settings for a target cannot be written.
    #[error("settings for the target: {0}")]
    Settings(String),
    /// No port is free between 20000 and 30000.
    #[error("no port is free between 20000 and 30000")]
    NoPort,
    /// A target cannot be asked.
    #[error(transparent)]
    Client(#[from] ClientError),
}
