//! Turns: of several callers in this process that want to make the same name, one makes it and the others find it.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Mutex as Waiting, OwnedMutexGuard};

use crate::domain::id::Tag;

/// Names that are being made. An entry is there only as long as somebody wants it.
#[derive(Default)]
pub struct Turns(Mutex<HashMap<Tag, Arc<Waiting<()>>>>);

/// Somebody's turn, until it is dropped.
pub struct Turn<'a> {
    all: &'a Turns,
    tag: Tag,
    held: Option<OwnedMutexGuard<()>>,
}

impl Turns {
    /// Waits for a turn.
    pub async fn take(&self, tag: Tag) -> Turn<'_> {
        let queue = Arc::clone(self.0.lock().entry(tag).or_default());
        // From here on: whoever gives up waiting takes the entry away as well.
        let mut turn = Turn { all: self, tag, held: None };
        turn.held = Some(queue.lock_owned().await);
        turn
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.held = None;
        let mut all = self.all.0.lock();
        if all.get(&self.tag).is_some_and(|queue| Arc::strong_count(queue) == 1) {
            all.remove(&self.tag);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_at_a_time_and_nothing_is_left_behind() {
        let (turns, tag) = (Turns::default(), Tag([1; 16]));
        let first = turns.take(tag).await;
        let other = turns.take(Tag([2; 16])).await;
        let second = tokio::time::timeout(std::time::Duration::from_millis(10), turns.take(tag)).await;
        assert!(second.is_err(), "two at once");
        drop((first, other));
        drop(turns.take(tag).await);
        assert!(turns.0.lock().is_empty());
    }
}
