//! Pages that single reads brought along: who reads one old record mostly reads the next ones soon, and a question to a
//! broker costs milliseconds whatever it brings.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::message::Message;

/// Bytes that a single read brings along.
pub const PAGE: usize = 256 * 1024;

/// The pages read last, within a bound of bytes. What stands in a topic never changes, so none of them is ever wrong.
pub struct Kept {
    state: Mutex<State>,
    most: usize,
}

#[derive(Default)]
struct State {
    /// The newest last.
    pages: VecDeque<(u16, Vec<Arc<Message>>)>,
    bytes: usize,
}

fn cost(page: &[Arc<Message>]) -> usize {
    page.iter().map(|message| message.bytes).sum()
}

impl Kept {
    /// Nothing yet, and never more than so many bytes.
    pub fn new(most: usize) -> Self {
        Self { state: Mutex::default(), most }
    }

    /// A message, if one of the pages holds it.
    pub fn get(&self, partition: u16, offset: u64) -> Option<Arc<Message>> {
        let state = self.state.lock();
        let pages = state.pages.iter().rev().filter(|(of, _)| *of == partition);
        let found = pages.filter_map(|(_, page)| {
            let skip = offset.checked_sub(page.first()?.offset)?;
            page.get(usize::try_from(skip).ok()?)
        });
        found.into_iter().next().cloned()
    }

    /// Keeps a page, and forgets the oldest ones beyond the bound.
    pub fn put(&self, partition: u16, page: Vec<Arc<Message>>) {
        let mut state = self.state.lock();
        state.bytes += cost(&page);
        state.pages.push_back((partition, page));
        while state.bytes > self.most {
            let Some((_, oldest)) = state.pages.pop_front() else { break };
            state.bytes -= cost(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(from: u64) -> Vec<Arc<Message>> {
        let message = |offset| Arc::new(Message { offset, copied: 1, entries: Vec::new(), bytes: 100 });
        (from..from + 3).map(message).collect()
    }

    #[test]
    fn what_was_read_along_is_found_and_the_oldest_page_goes_first() {
        let kept = Kept::new(700);
        kept.put(1, page(10));
        kept.put(2, page(11));
        let found = |partition, offset| kept.get(partition, offset).map(|message| message.offset);
        assert_eq!((found(1, 9), found(1, 10), found(1, 12), found(1, 13)), (None, Some(10), Some(12), None));
        assert_eq!((found(2, 10), found(2, 13), found(3, 11)), (None, Some(13), None));
        kept.put(1, page(20));
        assert_eq!((found(1, 10), found(2, 11), found(1, 22)), (None, Some(11), Some(22)));
    }
}
