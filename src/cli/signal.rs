//! The signals that ask the program to stop.

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::exit::Exit;
use super::failure::Failure;

/// SIGTERM (service managers) and SIGINT (Ctrl-C), caught from the moment this is made.
#[derive(Debug)]
pub struct Stop {
    term: Signal,
    int: Signal,
}

impl Stop {
    /// Begins to catch both.
    ///
    /// # Errors
    /// When the operating system refuses.
    pub fn catch() -> Result<Self, Failure> {
        let refused = |error| Failure::new(Exit::Internal, format!("cannot catch signals: {error}"));
        Ok(Self {
            term: signal(SignalKind::terminate()).map_err(refused)?,
            int: signal(SignalKind::interrupt()).map_err(refused)?,
        })
    }

    /// Resolves with the name of the next one.
    pub async fn asked(&mut self) -> &'static str {
        tokio::select! {
            _ = self.term.recv() => "SIGTERM",
            _ = self.int.recv() => "SIGINT",
        }
    }
}
