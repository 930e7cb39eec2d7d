//! Reading on: from the window while it has what comes next, else pages from the brokers.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use super::super::error::JournalError;
use super::super::seam::{Entry, PAGE_BYTES, Tail, page};
use super::error::TopicError;
use super::message::Message;
use super::pager::Pager;
use super::shared::{Phase, Shared};
use super::window::Look;
use crate::domain::record::Position;
use crate::runtime::BoxFuture;

/// After what time a page is asked for again that no broker gave. Each question has waited for seconds already.
const AGAIN: Duration = Duration::from_millis(200);

/// A reader at a place in one partition.
pub struct TopicTail {
    shared: Arc<Shared>,
    pager: Arc<Pager>,
    partition: u16,
    at: Position,
    /// The message to look at next.
    offset: u64,
    /// Messages from `offset` on that were read and not yet given.
    read: VecDeque<Arc<Message>>,
}

impl TopicTail {
    /// At `from`.
    pub fn new(shared: Arc<Shared>, pager: Arc<Pager>, partition: u16, from: Position) -> Self {
        shared.follow(partition);
        let offset = shared.offset(partition, from);
        Self { shared, pager, partition, at: from, offset, read: VecDeque::new() }
    }

    async fn wait(&mut self) -> Result<Vec<Arc<Entry>>, JournalError> {
        let shared = Arc::clone(&self.shared);
        shared.check(self.partition)?;
        let count = shared.genesis.count;
        let waker =
            shared.waker(self.partition).ok_or(JournalError::NoSuchPartition { partition: self.partition, count })?;
        loop {
            // Made before looking: it is woken by everything that comes from here on, polled or not.
            let woken = waker.notified();
            // Read before looking: what came before everything ended is still given.
            let ended = shared.ended();
            let page = self.give();
            if !page.is_empty() {
                return Ok(page);
            }
            match shared.look(self.partition, self.offset, PAGE_BYTES) {
                Look::Here(messages) => self.read = messages.into(),
                Look::Behind(first) => {
                    match self.pager.page(self.partition, self.offset, first, PAGE_BYTES).await {
                        Ok(page) => self.read = page.into(),
                        // Brokers that are away come back: a reader waits for them, as it waits for what is new.
                        Err(JournalError::Topic(TopicError::Late { doing, why })) if ended.is_none() => {
                            tracing::warn!(partition = self.partition, %doing, %why, "kafka: tried again");
                            tokio::time::sleep(AGAIN).await;
                        }
                        Err(error) => return Err(error),
                    }
                }
                Look::Ahead => {
                    if let Some(error) = shared.broken(self.partition) {
                        return Err(error);
                    }
                    let given = self.at >= shared.end(self.partition) || shared.phase() == Phase::Ended;
                    if let Some(error) = ended.filter(|_| given) {
                        return Err(error);
                    }
                    woken.await;
                }
            }
        }
    }

    /// A page of what was read already; what it does not hold is kept for the next.
    fn give(&mut self) -> Vec<Arc<Entry>> {
        let at = self.at;
        let entries = self.read.iter().flat_map(|message| &message.entries).filter(|entry| entry.position >= at);
        let page = page(entries);
        if let Some(last) = page.last() {
            self.at = last.position.next();
        }
        let given = self.at;
        while let Some(message) = self.read.pop_front_if(|message| message.last().is_none_or(|last| last < given)) {
            self.offset = message.offset + 1;
        }
        page
    }
}

impl Tail for TopicTail {
    fn next(&mut self) -> BoxFuture<'_, Result<Vec<Arc<Entry>>, JournalError>> {
        Box::pin(self.wait())
    }

    fn position(&self) -> Position {
        self.at
    }
}

impl Drop for TopicTail {
    fn drop(&mut self) {
        self.shared.leave(self.partition);
    }
}
