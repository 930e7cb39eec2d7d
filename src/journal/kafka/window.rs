//! Recent messages in memory: what live tails read, and most single reads.

use std::collections::VecDeque;
use std::sync::Arc;

use super::message::Message;

/// The newest messages of all partitions together, within a bound of bytes.
pub struct Windows {
    parts: Vec<Window>,
    /// The partitions of the kept messages, oldest first: what is dropped next.
    order: VecDeque<u16>,
    bytes: usize,
    most: usize,
}

#[derive(Debug, Default)]
struct Window {
    /// Offset of the first kept message.
    first: u64,
    messages: VecDeque<Arc<Message>>,
}

impl Window {
    fn end(&self) -> u64 {
        self.first + self.messages.len() as u64
    }
}

/// What is kept from an offset on.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    /// These: at least one, at most as many as fit a page.
    Here(Vec<Arc<Message>>),
    /// Nothing; what is kept begins there.
    Behind(u64),
    /// Nothing yet.
    Ahead,
}

impl Windows {
    /// Empty, before these offsets.
    pub fn new(ends: impl Iterator<Item = u64>, most: usize) -> Self {
        let parts = ends.map(|first| Window { first, messages: VecDeque::new() }).collect();
        Self { parts, order: VecDeque::new(), bytes: 0, most }
    }

    /// The offset of the message that the partition's window waits for.
    pub fn end(&self, partition: u16) -> u64 {
        self.parts.get(usize::from(partition)).map_or(0, Window::end)
    }

    /// Adds the next message of its partition, and forgets the oldest ones beyond the bound.
    pub fn push(&mut self, partition: u16, message: Arc<Message>) {
        let Some(part) = self.parts.get_mut(usize::from(partition)) else { return };
        self.bytes += message.bytes;
        self.order.push_back(partition);
        part.messages.push_back(message);
        while self.bytes > self.most {
            let Some(oldest) = self.order.pop_front() else { break };
            let part = &mut self.parts[usize::from(oldest)];
            if let Some(message) = part.messages.pop_front() {
                self.bytes -= message.bytes;
                part.first += 1;
            }
        }
    }

    /// Messages from an offset on, of about so many bytes.
    pub fn look(&self, partition: u16, offset: u64, bytes: usize) -> Look {
        let Some(part) = self.parts.get(usize::from(partition)) else { return Look::Ahead };
        let Some(skip) = offset.checked_sub(part.first) else { return Look::Behind(part.first) };
        let mut room = bytes;
        let mut found = Vec::new();
        for message in part.messages.iter().skip(usize::try_from(skip).unwrap_or(usize::MAX)) {
            found.push(Arc::clone(message));
            match room.checked_sub(message.bytes) {
                Some(left) => room = left,
                None => break,
            }
        }
        if found.is_empty() { Look::Ahead } else { Look::Here(found) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(offset: u64) -> Arc<Message> {
        Arc::new(Message { offset, copied: 1, entries: Vec::new(), bytes: 100 })
    }

    #[test]
    fn the_oldest_go_first_and_a_gap_is_never_shown() {
        let mut windows = Windows::new([5, 0].into_iter(), 350);
        assert_eq!((windows.look(0, 5, 1000), windows.look(0, 4, 1000)), (Look::Ahead, Look::Behind(5)));
        windows.push(0, message(5));
        windows.push(1, message(0));
        windows.push(0, message(6));
        assert_eq!(windows.look(0, 5, 1000), Look::Here(vec![message(5), message(6)]));
        assert_eq!(windows.look(0, 5, 50), Look::Here(vec![message(5)]));
        windows.push(0, message(7));
        assert_eq!((windows.look(0, 5, 1000), windows.end(0)), (Look::Behind(6), 8));
        windows.push(0, message(8));
        assert_eq!((windows.look(1, 0, 1000), windows.end(1)), (Look::Behind(1), 1));
        assert_eq!(windows.look(2, 0, 1000), Look::Ahead);
    }
}
