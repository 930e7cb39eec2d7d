//! The node: assembles the hands, the actors and the API into one process.
//!
//! To add a hand: open it in `start`, hand it to whoever needs it, close it in `stop`.

use std::net::SocketAddr;

use crate::config::Settings;

/// A running node.
#[derive(Debug)]
pub struct Node {
    addr: SocketAddr,
}

/// Why a node did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// This build has none.
    #[error("this build holds no node: not built yet")]
    NotBuilt,
}

impl Node {
    /// Starts a node.
    ///
    /// # Errors
    /// Always, in this build.
    pub async fn start(_settings: Settings) -> Result<Self, StartError> {
        Err(StartError::NotBuilt)
    }

    /// Where the API listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The operator's key.
    #[must_use]
    pub fn operator_key(&self) -> String {
        String::new()
    }

    /// Resolves when it must exit.
    pub async fn failed(&self) -> String {
        std::future::pending().await
    }

    /// Stops.
    ///
    /// # Errors
    /// Never.
    pub async fn stop(self) -> Result<(), StartError> {
        Ok(())
    }
}
