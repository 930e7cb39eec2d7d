//! A tail on the shared log, as slow as its node.

use std::sync::Arc;

use super::super::error::JournalError;
use super::super::seam::{Entry, Tail};
use super::log::Log;
use super::script::Node;
use crate::domain::record::Position;
use crate::runtime::BoxFuture;

/// A reader at a place in one partition, seeing what its node sees.
pub(super) struct UnrulyTail {
    log: Arc<Log>,
    node: Arc<Node>,
    partition: u16,
    at: u64,
}

impl UnrulyTail {
    pub(super) fn new(log: Arc<Log>, node: Arc<Node>, partition: u16, from: Position) -> Self {
        Self { log, node, partition, at: from.0 }
    }

    async fn wait(&mut self) -> Result<Vec<Arc<Entry>>, JournalError> {
        let (partition, count) = (self.partition, self.log.genesis.count);
        let waker = self.log.waker(partition).ok_or(JournalError::NoSuchPartition { partition, count })?;
        loop {
            // Made before looking: it is woken by everything that lands from here on, polled or not.
            let woken = waker.notified();
            // The reason is read before the end, so that what landed before the end of everything is still served.
            let ended = self.node.ended();
            let page = self.log.page(partition, self.at, self.node.visible(&self.log, partition));
            if let Some(last) = page.last() {
                self.at = last.position.0 + 1;
                return Ok(page);
            }
            if let Some(error) = ended {
                return Err(error);
            }
            woken.await;
        }
    }
}

impl Tail for UnrulyTail {
    fn next(&mut self) -> BoxFuture<'_, Result<Vec<Arc<Entry>>, JournalError>> {
        Box::pin(self.wait())
    }

    fn position(&self) -> Position {
        Position(self.at)
    }
}
