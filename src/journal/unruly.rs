//! The double: a journal in memory that can do everything Kafka does badly, by script or by seed.
//!
//! Several handles ("nodes") share one log; each has its own script, its own slow tails, its own latch. Without a script
//! it behaves, and passes the same contract as every other journal. The same script or seed and the same calls give the
//! same log. [`Unruly::with_gaps`] leaves out positions between appends, as Kafka's column does.

mod log;
mod script;
mod tail;

use std::sync::Arc;

pub use script::{Deed, Odds, When};

use self::log::Log;
use self::script::Node;
use super::error::{JournalError, Refusal};
use super::genesis::Genesis;
use super::seam::{Appended, Appending, Entry, Journal, Limits, Tail, refusal};
use crate::domain::record::{Position, Record};
use crate::runtime::BoxFuture;

/// One node's handle on a log in memory.
pub struct Unruly {
    log: Arc<Log>,
    node: Arc<Node>,
}

impl Unruly {
    /// A new log with its genesis records, and the first node on it.
    #[must_use]
    pub fn new(genesis: Genesis) -> Self {
        Self::on(Log::new(genesis, 1))
    }

    /// A new log where every append begins at a multiple of 256, whatever stood before it.
    #[must_use]
    pub fn with_gaps(genesis: Genesis) -> Self {
        Self::on(Log::new(genesis, 256))
    }

    fn on(log: Log) -> Self {
        let node = Arc::new(Node::new(log.genesis.count));
        Self { log: Arc::new(log), node }
    }

    /// Another node on the same log: well-behaved, open, and seeing everything.
    #[must_use]
    pub fn another_node(&self) -> Self {
        Self { log: Arc::clone(&self.log), node: Arc::new(Node::new(self.log.genesis.count)) }
    }

    /// What this node's next appends do, in order; after the script it behaves (or misbehaves by its odds).
    pub fn script(&self, deeds: impl IntoIterator<Item = Deed>) {
        self.node.script(deeds);
    }

    /// From now on, appends beyond the script misbehave with these odds.
    pub fn misbehave(&self, seed: u64, odds: Odds) {
        self.node.misbehave(seed, odds);
    }

    /// The next append of this node to `partition` finds `records` of somebody else right before it: how a claim is
    /// overtaken. May be called several times; all of them stand before it, in order.
    pub fn overtake(&self, partition: u16, records: Vec<Record>) {
        self.node.overtake(partition, records);
    }

    /// Lets every copy that waits for this ([`When::Held`], and late ones whose time has not come) land now, in the order
    /// of their appends. Says how many landed.
    pub fn land(&self) -> usize {
        self.log.land_all()
    }

    /// This node's tails and `end` see nothing new until it is released.
    pub fn hold_tails(&self) {
        self.node.hold(&self.log);
    }

    /// Shows `entries` more of one partition to this node.
    pub fn release(&self, partition: u16, entries: u64) {
        self.node.release(&self.log, partition, entries);
        self.log.wake(partition);
    }

    /// Shows everything again, also what comes later.
    pub fn release_all(&self) {
        self.node.release_all();
        self.log.wake_all();
    }

    /// This node's latch falls: its appends are refused, its tails end after what stands in the log.
    pub fn fail(&self, why: &str) {
        self.node.fail(why);
        self.log.wake_all();
    }

    /// What really stands in a partition, whatever anybody was told.
    #[must_use]
    pub fn contents(&self, partition: u16) -> Vec<Arc<Entry>> {
        self.log.contents(partition)
    }

    /// Does what the script says, or says why it is not even tried.
    fn attempt(&self, partition: u16, records: Vec<Record>) -> Result<Appended, Refusal> {
        self.node.check_open()?;
        refusal(self.log.genesis, Limits::DEFAULT, partition, &records)?;
        let deed = self.node.draw();
        if let Some(refusal) = deed.refused {
            return Err(refusal);
        }
        let overtaking = self.node.overtaking(partition);
        let landed = self.log.append(partition, records, overtaking, &deed.copies);
        Ok(match landed {
            Some((first, last)) if !deed.doubtful => Appended::Durable { first, last },
            _ => Appended::Doubtful,
        })
    }
}

impl Journal for Unruly {
    fn genesis(&self) -> Genesis {
        self.log.genesis
    }

    fn append(&self, partition: u16, records: Vec<Record>) -> Appending {
        Appending::answered(self.attempt(partition, records).unwrap_or_else(Appended::Refused))
    }

    fn tail(&self, partition: u16, from: Position) -> Box<dyn Tail> {
        Box::new(tail::UnrulyTail::new(Arc::clone(&self.log), Arc::clone(&self.node), partition, from))
    }

    fn read(&self, partition: u16, at: Position) -> BoxFuture<'_, Result<Arc<Entry>, JournalError>> {
        Box::pin(std::future::ready(self.log.read(partition, at)))
    }

    fn end(&self, partition: u16) -> Position {
        Position(self.node.visible(&self.log, partition))
    }

    fn fresh_end(&self, partition: u16) -> BoxFuture<'_, Result<Position, JournalError>> {
        // However slow this node's tails are: the log itself is asked.
        Box::pin(std::future::ready(Ok(Position(self.log.end(partition)))))
    }

    fn distance(&self, partition: u16, from: Position, to: Position) -> u64 {
        self.log.distance(partition, from, to)
    }

    fn adjoins(&self, partition: u16, before: Position, after: Position) -> bool {
        self.log.distance(partition, before, after) == 1
    }

    fn failed(&self) -> Option<String> {
        self.node.failed()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), JournalError>> {
        let closed = self.node.close();
        self.log.wake_all();
        Box::pin(std::future::ready(closed))
    }
}

#[cfg(test)]
mod tests;
