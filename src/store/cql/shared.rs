//! What the handle, its commits and its readers share.

use std::sync::Arc;
use std::time::Duration;

use scylla::errors::ExecutionError;
use tokio::sync::Semaphore;

use super::super::error::StoreError;
use super::options::Options;
use super::statements::Statements;
pub use crate::cql::Until;
use crate::cql::{Asking, Cluster, NoAnswer};
use crate::domain::id::NodeId;
use crate::runtime::Clock;

/// Shared by all parts of one open store.
pub struct Shared {
    /// The session.
    pub cluster: Cluster,
    /// What is asked.
    pub statements: Statements,
    /// Who writes: no other process has this name.
    pub writer: NodeId,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Places of requests that write.
    pub places: Arc<Semaphore>,
    asking: Asking,
}

impl Shared {
    /// Of an open keyspace.
    pub fn new(
        (cluster, statements): (Cluster, Statements),
        writer: NodeId,
        options: &Options,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let steady = Arc::clone(&clock);
        let asking = Asking::new(move || steady.steady(), options.patience, crate::telemetry::cql_again);
        Self { cluster, statements, writer, clock, places: Arc::new(Semaphore::new(options.writes)), asking }
    }

    /// Asks until there is an answer, until it is too late, or until it is plain that there will be none.
    pub async fn ask<T, F>(&self, doing: &'static str, until: Until, ask: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, ExecutionError>>,
    {
        self.asking.ask(&self.cluster, doing, until, ask).await.map_err(|none| match none {
            NoAnswer::Closed => StoreError::Closed,
            NoAnswer::Latched(why) => StoreError::Failed(why),
            NoAnswer::Late(error) => error.into(),
        })
    }

    /// What is waited for, if that has lasted for a while.
    pub fn held(&self) -> Option<String> {
        let (lasts, why) = self.asking.waits()?;
        let (seconds, nodes) = (lasts.as_secs(), self.cluster.options.addresses());
        Some(format!(
            "the CQL nodes {nodes} have not answered for {seconds} s: {why}. Rows wait; nothing is lost, and they go on by \
             themselves"
        ))
    }

    /// How long a read is tried.
    pub fn patience(&self) -> Duration {
        self.asking.patience()
    }

    /// That nothing was closed.
    pub fn is_open(&self) -> Result<(), StoreError> {
        if self.asking.is_closed() { Err(StoreError::Closed) } else { Ok(()) }
    }

    /// That nothing latched, too.
    pub fn is_whole(&self) -> Result<(), StoreError> {
        self.is_open()?;
        self.failed().map_or(Ok(()), |why| Err(StoreError::Failed(why)))
    }

    /// Latches the first reason.
    pub fn latched(&self, why: String) -> StoreError {
        StoreError::Failed(self.asking.latch(why))
    }

    /// Why it latched.
    pub fn failed(&self) -> Option<String> {
        self.asking.latched()
    }

    /// Nothing is begun any more, and what is tried again ends.
    pub fn close(&self) {
        self.asking.close();
    }
}
