//! Taking messages out of a mailbox in its order, and parting them so that what is to one person stays together.

use std::collections::{HashMap, HashSet};

use super::super::id::KeyId;
use super::super::message::State;
use super::super::record::Position;
use super::super::row::MessageRow;

/// One way through a mailbox, in its order, from which messages are taken. What is to the same person keeps its order: it
/// stays behind one whose attempt is open, and behind a strict one that may have been sent.
#[derive(Debug, Default)]
pub struct Taking {
    behind: HashSet<KeyId>,
    /// Whether an attempt is open: what comes of it may be taken later.
    pub under_way: bool,
}

impl Taking {
    /// Whether the message that entered the outbox at this place may go.
    pub fn may_go(&mut self, row: &MessageRow, at: Position) -> bool {
        let Some(accepted) = &row.accepted else {
            return false;
        };
        let contact = accepted.contact;
        self.under_way |= row.state() == State::Sending;
        if row.keeps_its_lane() {
            self.behind.insert(contact);
        }
        !self.behind.contains(&contact) && row.may_move() && row.entered() == Some(at)
    }

    /// People of whom something stays, and what comes after it with it.
    #[must_use]
    pub fn into_behind(self) -> HashSet<KeyId> {
        self.behind
    }
}

/// Parts what leaves into appends of at most so many: what is to one person is in one of them, in its order, unless that
/// alone is more. So whatever becomes of an append, nothing overtakes what came before it to the same person.
#[must_use]
pub fn batches<T>(leaving: Vec<(KeyId, T)>, most: usize) -> Vec<Vec<T>> {
    let (mut people, mut known): (Vec<Vec<T>>, HashMap<KeyId, usize>) = (Vec::new(), HashMap::new());
    for (contact, it) in leaving {
        let at = *known.entry(contact).or_insert(people.len());
        if at == people.len() {
            people.push(Vec::new());
        }
        people[at].push(it);
    }
    let mut batches: Vec<Vec<T>> = Vec::new();
    for of_one in people {
        let fits = |batch: &&mut Vec<T>| batch.len() + of_one.len() <= most;
        if let Some(batch) = batches.last_mut().filter(fits) {
            batch.extend(of_one);
            continue;
        }
        let mut rest = of_one.into_iter();
        loop {
            let batch: Vec<T> = rest.by_ref().take(most).collect();
            if batch.is_empty() {
                break;
            }
            batches.push(batch);
        }
    }
    batches
}
