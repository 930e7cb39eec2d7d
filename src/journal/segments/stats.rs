//! Figures, raw: whoever knows metrics reads them from here.

use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;

/// One batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchStats {
    /// Records in it.
    pub records: usize,
    /// Bytes written, with framing.
    pub bytes: usize,
    /// Microseconds in `pwrite`.
    pub write_micros: u64,
    /// Microseconds in `fdatasync`.
    pub sync_micros: u64,
}

/// Since the journal was opened.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JournalStats {
    /// Batches written and synced.
    pub batches: u64,
    /// Records in them.
    pub records: u64,
    /// Bytes in them, with framing.
    pub bytes: u64,
    /// Microseconds of the last `fdatasync`.
    pub last_sync_micros: u64,
    /// Microseconds of all of them.
    pub total_sync_micros: u64,
    /// Records that wait.
    pub queue_records: usize,
    /// Bytes that wait.
    pub queue_bytes: usize,
    /// Segments there are.
    pub segments: usize,
    /// Why the next segment could not be made ready (a full disk, mostly). The journal fails when it needs it: warn early.
    pub next_segment_error: Option<String>,
}

/// What is counted while running.
#[derive(Debug, Default)]
pub struct Counters {
    batches: AtomicU64,
    records: AtomicU64,
    bytes: AtomicU64,
    last_sync: AtomicU64,
    total_sync: AtomicU64,
    next_segment_error: Mutex<Option<String>>,
}

impl Counters {
    pub(super) fn count(&self, batch: &BatchStats) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.records.fetch_add(batch.records as u64, Ordering::Relaxed);
        self.bytes.fetch_add(batch.bytes as u64, Ordering::Relaxed);
        self.last_sync.store(batch.sync_micros, Ordering::Relaxed);
        self.total_sync.fetch_add(batch.sync_micros, Ordering::Relaxed);
    }

    pub(super) fn next_segment(&self, error: Option<String>) {
        *self.next_segment_error.lock() = error;
    }

    pub(super) fn snapshot(&self) -> JournalStats {
        JournalStats {
            batches: self.batches.load(Ordering::Relaxed),
            records: self.records.load(Ordering::Relaxed),
            bytes: self.bytes.load(Ordering::Relaxed),
            last_sync_micros: self.last_sync.load(Ordering::Relaxed),
            total_sync_micros: self.total_sync.load(Ordering::Relaxed),
            next_segment_error: self.next_segment_error.lock().clone(),
            ..JournalStats::default()
        }
    }
}
