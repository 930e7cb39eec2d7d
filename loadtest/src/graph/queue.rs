//! When each callback is due: a heap, and what is taken from it at once.

use super::payload::{self, Status, StatusEvent};
use bytes::Bytes;
use std::collections::BinaryHeap;

/// A body that is posted until it is answered 200.
pub(super) struct Post {
    pub body: Bytes,
    /// Per kind: sent, delivered, read, failed, inbound.
    pub counts: [u32; 5],
    pub attempt: u32,
}

/// What waits.
pub(super) enum Item {
    Status(StatusEvent),
    Post(Box<Post>),
}

/// What was taken from the queue at once.
pub(super) enum Batch {
    Statuses(Vec<StatusEvent>),
    Again(Box<Post>),
}

impl Batch {
    pub(super) fn into_post(self) -> Post {
        match self {
            Self::Statuses(events) => Post::of(&events),
            Self::Again(post) => *post,
        }
    }
}

struct Due {
    at_us: u64,
    order: u64,
    item: Item,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.order == other.order
    }
}
impl Eq for Due {}
impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Due {
    /// The heap gives the greatest first: the earliest is the greatest.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (other.at_us, other.order).cmp(&(self.at_us, self.order))
    }
}

/// Items by due time; among equals, by the order they came in.
#[derive(Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Due>,
    order: u64,
}

impl Post {
    /// One body for some statuses.
    pub(super) fn of(events: &[StatusEvent]) -> Self {
        let mut counts = [0; 5];
        for event in events {
            let kind = match event.status {
                Status::Sent => 0,
                Status::Delivered => 1,
                Status::Read => 2,
                Status::Failed(_) => 3,
            };
            counts[kind] += 1;
        }
        Post { body: payload::statuses(events).into(), counts, attempt: 0 }
    }
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.heap.len()
    }

    /// Puts an item in; says whether it is now the first to become due.
    pub(super) fn push(&mut self, at_us: u64, item: Item) -> bool {
        let first = self.heap.peek().is_none_or(|due| at_us < due.at_us);
        self.order += 1;
        let order = self.order;
        self.heap.push(Due { at_us, order, item });
        first
    }

    /// Takes the item that is due first, whenever that is.
    #[cfg(test)]
    pub(super) fn pop(&mut self) -> Option<Item> {
        self.heap.pop().map(|due| due.item)
    }

    /// What goes into the next POST, or how long until there may be something (microseconds).
    ///
    /// The body is made by the caller, without the lock: a thousand statuses take a millisecond.
    pub(super) fn take_due(&mut self, now: u64, max_batch: usize) -> Result<Batch, Option<u64>> {
        let mut batch = Vec::new();
        while batch.len() < max_batch.clamp(1, 1000) {
            let Some(top) = self.heap.peek() else { break };
            if top.at_us > now || (!batch.is_empty() && matches!(top.item, Item::Post(_))) {
                break;
            }
            match self.heap.pop().map(|due| due.item) {
                Some(Item::Status(event)) => batch.push(event),
                Some(Item::Post(post)) => return Ok(Batch::Again(post)),
                None => break,
            }
        }
        if batch.is_empty() {
            return Err(self.heap.peek().map(|due| due.at_us.saturating_sub(now)));
        }
        Ok(Batch::Statuses(batch))
    }
}
