//! Acknowledgements: in memory for the join, and in a file that survives the death of this process.

use crate::ledger::Ack;
use crate::lines::{FLUSH_EVERY, LineWriter, LinesError};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::task::JoinHandle;

struct Inner {
    acks: Vec<Ack>,
    /// When each was due, microseconds since the epoch.
    due_us: Vec<u64>,
    file: Option<LineWriter>,
    failed: Option<LinesError>,
}

/// Where acknowledgements are written down.
pub(super) struct Acks {
    inner: Arc<Mutex<Inner>>,
    flusher: JoinHandle<()>,
}

fn lock(inner: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    inner.lock().unwrap_or_else(PoisonError::into_inner)
}

fn flush(inner: &Mutex<Inner>) {
    let mut inner = lock(inner);
    if let Some(Err(failed)) = inner.file.as_mut().map(LineWriter::flush) {
        inner.failed.get_or_insert(failed);
    }
}

impl Acks {
    pub(super) fn open(path: Option<&Path>) -> Result<Self, LinesError> {
        let file = path.map(LineWriter::open).transpose()?;
        let inner = Arc::new(Mutex::new(Inner { acks: Vec::new(), due_us: Vec::new(), file, failed: None }));
        let flushed = inner.clone();
        let flusher = tokio::spawn(async move {
            let mut tick = tokio::time::interval(FLUSH_EVERY / 2);
            loop {
                tick.tick().await;
                flush(&flushed);
            }
        });
        Ok(Self { inner, flusher })
    }

    pub(super) fn push(&self, ack: Ack, due_us: u64) {
        let mut inner = lock(&self.inner);
        if let Some(Err(failed)) = inner.file.as_mut().map(|file| file.push(&ack)) {
            inner.failed.get_or_insert(failed);
        }
        inner.acks.push(ack);
        inner.due_us.push(due_us);
    }

    /// Everything acknowledged, in the order of the answers, and when each was due.
    pub(super) fn close(&self) -> Result<(Vec<Ack>, Vec<u64>), LinesError> {
        flush(&self.inner);
        let mut inner = lock(&self.inner);
        match inner.failed.take() {
            Some(failed) => Err(failed),
            None => Ok((std::mem::take(&mut inner.acks), std::mem::take(&mut inner.due_us))),
        }
    }
}

impl Drop for Acks {
    fn drop(&mut self) {
        self.flusher.abort();
    }
}
