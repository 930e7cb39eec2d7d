//! Settings of the embedded journal, with the arithmetic of their bounds.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::error::JournalError;
use super::super::genesis::Genesis;
use super::super::seam::Limits;
use super::format::{BATCH, FRAME, SEAL, SegmentHeader};
use super::medium::{Disk, Medium};
use super::stats::BatchStats;

/// How much of the journal is checked when it is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verify {
    /// Every record of every segment: about a second a gibibyte.
    All,
    /// Every segment's header and chain; every record of the last two.
    #[default]
    Tail,
}

/// When an append is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// After its batch was synced. The only value in a build that is given to anybody.
    #[default]
    Synced,
    /// Wrong on purpose: answers and shows a batch, sleeps this long, and only then writes it, so that a kill in between
    /// loses what was acknowledged. The kill harness must catch it.
    #[cfg(feature = "mutants")]
    AckBeforeSync(Duration),
}

/// Told of every batch, on the writer's thread: be quick, never panic.
pub type Observer = Arc<dyn Fn(&BatchStats) + Send + Sync>;

/// Settings.
#[derive(Clone)]
pub struct Options {
    /// Whose journal it must be; `None` takes what is there (for tools that only read).
    pub expect: Option<Genesis>,
    /// Bytes of a new segment, `64 KiB..=1 GiB`. 64 MiB hold about 70,000 messages' records; a restart reads at most two.
    pub segment_bytes: u64,
    /// Records a batch. Beyond 256 throughput stays and the p99 doubles.
    pub batch_events: usize,
    /// Bytes a batch: four of the largest records. Below 1 MiB + 32 B the largest records are refused.
    pub batch_bytes: usize,
    /// Sleep before draining, when the last batch had more than four records; 0.5 ms gives most of what 1 ms gives.
    pub linger: Duration,
    /// Records that may wait: 256 full batches, some seconds of work.
    pub queue_events: usize,
    /// Bytes that may wait.
    pub queue_bytes: usize,
    /// Bytes of recent entries kept for tails, all partitions together: some tenths of a second at full rate.
    pub tail_memory: usize,
    /// How much is checked on open.
    pub verify: Verify,
    /// When an append is answered.
    pub durability: Durability,
    /// Where bytes go.
    pub medium: Arc<dyn Medium>,
    /// Told of every batch.
    pub observer: Option<Observer>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            expect: None,
            segment_bytes: 64 * 1024 * 1024,
            batch_events: Limits::DEFAULT.records,
            batch_bytes: Limits::DEFAULT.bytes,
            linger: Duration::from_micros(500),
            queue_events: 65_536,
            queue_bytes: 64 * 1024 * 1024,
            tail_memory: 32 * 1024 * 1024,
            verify: Verify::Tail,
            durability: Durability::Synced,
            medium: Arc::new(Disk),
            observer: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("expect", &self.expect)
            .field("segment_bytes", &self.segment_bytes)
            .field("batch_events", &self.batch_events)
            .field("batch_bytes", &self.batch_bytes)
            .field("linger", &self.linger)
            .field("queue_events", &self.queue_events)
            .field("queue_bytes", &self.queue_bytes)
            .field("tail_memory", &self.tail_memory)
            .field("verify", &self.verify)
            .field("durability", &self.durability)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// What one append may hold.
    pub(super) fn limits(&self) -> Limits {
        Limits { records: self.batch_events, bytes: self.batch_bytes, overhead: FRAME }
    }

    /// Checks that the settings can work together, for a journal of so many partitions.
    ///
    /// # Errors
    /// [`JournalError::Options`], in words.
    pub fn check(&self, count: u16) -> Result<(), JournalError> {
        let wrong = |what: String| Err(JournalError::Options(what));
        let least = SegmentHeader::length_for(count) + (BATCH + self.batch_bytes + SEAL) as u64;
        if !(64 * 1024..=1024 * 1024 * 1024).contains(&self.segment_bytes) {
            return wrong(format!("segment_bytes is {}, allowed is 65536..=1073741824", self.segment_bytes));
        }
        if self.segment_bytes < least {
            return wrong(format!("segment_bytes is {}, but a header and one batch take {least}", self.segment_bytes));
        }
        if self.batch_events == 0 || self.batch_bytes == 0 {
            return wrong("batch_events and batch_bytes must not be zero".to_owned());
        }
        if self.queue_events < self.batch_events || self.queue_bytes < self.batch_bytes {
            return wrong("the queue must hold at least one batch: raise queue_events or queue_bytes".to_owned());
        }
        if self.linger > Duration::from_millis(100) {
            return wrong(format!("linger is {:?}, allowed is at most 100ms", self.linger));
        }
        Ok(())
    }
}
