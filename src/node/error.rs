//! Why a node does not start: each says what is wrong, where, and what to do.

use std::net::SocketAddr;
use std::path::PathBuf;

/// A node that did not start. Nothing half-done is left behind: what was opened is closed again.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder.
    #[error("the data folder {} cannot be used: {why}", path.display())]
    Folder {
        /// Which.
        path: PathBuf,
        /// What is wrong, and what to do.
        why: String,
    },
    /// The journal.
    #[error(transparent)]
    Journal(#[from] crate::journal::JournalError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] crate::vault::VaultError),
    /// The store.
    #[error(transparent)]
    Store(#[from] crate::store::StoreError),
    /// An address to listen on.
    #[error("cannot listen on {addr}: {why}. Choose another `{key}`, or stop what listens there")]
    Listen {
        /// The setting that names it.
        key: &'static str,
        /// Where.
        addr: SocketAddr,
        /// What the system said.
        why: std::io::Error,
    },
    /// Certificates or keys of the listener.
    #[error("TLS cannot be set up: {0}")]
    Tls(String),
    /// A secret that the settings refer to.
    #[error("{0}")]
    Secret(#[from] crate::config::SecretError),
    /// A client or a table that is compiled in.
    #[error("{0}")]
    Hand(String),
    /// The actors did not start.
    #[error("the actors did not start: {0}")]
    Actors(String),
}

impl StartError {
    /// Whether the data folder is at fault: locked, foreign, damaged, or without its vault.
    #[must_use]
    pub fn is_about_data(&self) -> bool {
        matches!(self, Self::Folder { .. } | Self::Journal(_) | Self::Vault(_) | Self::Store(_))
    }
}
