//! Ownership: which partitions this node is asked to own. Proposals only, which may come late, twice, or to two nodes at
//! once; who owns a partition is decided by claims in its journal, and by nothing else.
//!
//! A partition that is lost to another's claim is claimed again only by a proposal that this node has not won it by: so each
//! proposal wins a partition at most once, and any number of nodes that were all told to own it settle.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::sync::watch;

use super::partition::Wish;

/// A proposal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Counts the proposals to this node: who missed some knows the last one is a new one.
    pub number: u64,
    /// What this node is to own.
    pub partitions: Arc<BTreeSet<u16>>,
}

/// The number of the last proposal, to a node that stops.
const LAST: u64 = u64::MAX;

impl Wanted {
    /// What becomes of a partition.
    #[must_use]
    pub fn wish(&self, partition: u16) -> Wish {
        match self.partitions.contains(&partition) {
            true => Wish::Here,
            false if self.number == LAST => Wish::Stop,
            false => Wish::Elsewhere,
        }
    }
}

/// Where a node hears what it is to own.
#[derive(Debug, Clone)]
pub struct Ownership {
    wanted: watch::Receiver<Wanted>,
    shared: bool,
}

/// Makes proposals to one node: a consumer group, or a test. Once it is gone, its last proposal stands.
#[derive(Debug)]
pub struct Proposer(watch::Sender<Wanted>);

impl Ownership {
    /// All of so many partitions, for ever: this node is alone.
    #[must_use]
    pub fn of_all(count: u16) -> Self {
        let all = Wanted { number: 1, partitions: Arc::new((0..count).collect()) };
        Self { wanted: watch::channel(all).1, shared: false }
    }

    /// Whatever is proposed; nothing until then. Other nodes own the rest.
    #[must_use]
    pub fn proposed() -> (Proposer, Self) {
        let (sender, wanted) = watch::channel(Wanted::default());
        (Proposer(sender), Self { wanted, shared: true })
    }

    /// Whether somebody else may take over what this node leaves.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.shared
    }

    /// The last proposal.
    #[must_use]
    pub fn now(&mut self) -> Wanted {
        self.wanted.borrow_and_update().clone()
    }

    /// The next proposal; of several that came meanwhile the last. `None` when none will come any more.
    pub async fn next(&mut self) -> Option<Wanted> {
        self.wanted.changed().await.ok()?;
        Some(self.now())
    }
}

impl Proposer {
    /// Proposes that the node own these, and no others.
    pub fn propose(&self, partitions: impl IntoIterator<Item = u16>) {
        let partitions = Arc::new(partitions.into_iter().collect());
        self.0.send_if_modified(|wanted| {
            let goes_on = wanted.number < LAST;
            if goes_on {
                *wanted = Wanted { number: wanted.number + 1, partitions };
            }
            goes_on
        });
    }

    /// The node stops: it is to own nothing, whatever is proposed after this.
    pub fn end(&self) {
        self.0.send_replace(Wanted { number: LAST, ..Wanted::default() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_proposals_that_were_missed_the_last_one_counts_and_is_known_to_be_new() {
        let (proposer, mut ownership) = Ownership::proposed();
        assert_eq!((ownership.now(), ownership.is_shared()), (Wanted::default(), true));
        proposer.propose([1, 2]);
        proposer.propose([]);
        proposer.propose([1, 2]);
        let wanted = ownership.next().await.expect("a proposal");
        assert_eq!((wanted.number, [2, 3].map(|it| wanted.wish(it))), (3, [Wish::Here, Wish::Elsewhere]));
        proposer.end();
        proposer.propose([3]);
        let wanted = ownership.next().await.expect("a proposal");
        assert_eq!(wanted.wish(3), Wish::Stop);
        drop(proposer);
        assert_eq!(ownership.next().await, None);
        assert_eq!(ownership.now(), wanted, "it stands");
    }

    #[test]
    fn alone_a_node_owns_all() {
        let mut ownership = Ownership::of_all(3);
        assert_eq!((ownership.now().partitions.len(), ownership.is_shared()), (3, false));
    }
}
