//! Recent entries in memory: what live tails read.

use std::collections::VecDeque;
use std::sync::Arc;

use super::super::seam::{Entry, page};
use crate::domain::record::Position;

/// The newest entries of all partitions together, within a bound of bytes.
pub struct Recent {
    partitions: Vec<Part>,
    /// The partitions of the kept entries, oldest first: what is dropped next.
    order: VecDeque<u16>,
    bytes: usize,
    most: usize,
}

struct Part {
    /// Position of the first kept entry.
    base: u64,
    entries: VecDeque<Arc<Entry>>,
}

/// What an entry takes: itself, its bytes, and the facts that its decoded header holds once more.
fn cost(entry: &Entry) -> usize {
    size_of::<Entry>() + entry.record.len() + entry.record.header.facts.len()
}

impl Recent {
    /// Empty, before these positions.
    pub fn new(ends: &[u64], most: usize) -> Self {
        let partitions = ends.iter().map(|&base| Part { base, entries: VecDeque::new() }).collect();
        Self { partitions, order: VecDeque::new(), bytes: 0, most }
    }

    /// Adds the next entry of its partition, and forgets the oldest ones beyond the bound.
    pub fn push(&mut self, entry: Arc<Entry>) {
        let Some(part) = self.partitions.get_mut(usize::from(entry.partition)) else { return };
        self.bytes += cost(&entry);
        self.order.push_back(entry.partition);
        part.entries.push_back(entry);
        while self.bytes > self.most {
            let Some(oldest) = self.order.pop_front() else { break };
            let part = &mut self.partitions[usize::from(oldest)];
            if let Some(entry) = part.entries.pop_front() {
                self.bytes -= cost(&entry);
                part.base += 1;
            }
        }
    }

    /// A page from `from` on; `None` if that was forgotten, or is not there yet.
    pub fn page(&self, partition: u16, from: Position) -> Option<Vec<Arc<Entry>>> {
        let part = self.partitions.get(usize::from(partition))?;
        let skip = usize::try_from(from.0.checked_sub(part.base)?).ok()?;
        let page = page(part.entries.iter().skip(skip));
        (!page.is_empty()).then_some(page)
    }

    /// One entry, if it is kept.
    pub fn get(&self, partition: u16, at: Position) -> Option<Arc<Entry>> {
        let part = self.partitions.get(usize::from(partition))?;
        let skip = usize::try_from(at.0.checked_sub(part.base)?).ok()?;
        part.entries.get(skip).cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::contract::record;
    use super::*;

    fn entry(partition: u16, position: u64) -> Arc<Entry> {
        Arc::new(Entry { partition, position: Position(position), record: record(position, 100) })
    }

    #[test]
    fn the_oldest_go_first_and_a_gap_is_never_shown() {
        let one = cost(&entry(0, 5));
        let mut recent = Recent::new(&[5, 0], 3 * one + one / 2);
        assert_eq!(recent.page(0, Position(5)), None);
        recent.push(entry(0, 5));
        recent.push(entry(1, 0));
        recent.push(entry(0, 6));
        assert_eq!(recent.page(0, Position(5)).map(|page| page.len()), Some(2));
        recent.push(entry(0, 7));
        assert_eq!(recent.page(0, Position(5)), None, "forgotten");
        assert_eq!(recent.page(0, Position(6)).map(|page| page.len()), Some(2));
        assert_eq!(recent.get(1, Position(0)), Some(entry(1, 0)));
        assert_eq!(recent.get(1, Position(1)), None);
        recent.push(entry(0, 8));
        assert_eq!(recent.get(1, Position(0)), None);
    }
}
