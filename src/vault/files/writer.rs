//! The writer: one thread that takes what is asked, writes it, syncs once for all of it, and only then answers.
//!
//! Under load the queue fills while a sync runs, and the next batch takes what came: at 256 calls a batch and a sync of
//! 2 ms, 100,000 new contacts a second cost 500 syncs. Alone, a call waits for its own sync.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::batch::{Answer, Ask, Batch};
use super::disk::Disk;
use super::marks::{self, Stored};
use super::shared::Shared;
use super::wipe;
use crate::vault::error::VaultError;

/// Calls in one batch.
const MOST_ASKS: usize = 256;
/// A batch ends when it has this many bytes (a contact has about 180, a secret up to 64 KiB).
const MOST_BYTES: usize = 1024 * 1024;
/// How often at most the marks are written, and how often cached keys are looked through when nothing happens.
const PACE: Duration = Duration::from_secs(1);

/// What the thread is sent.
pub enum Mail {
    /// Something to keep.
    Ask(Box<Ask>),
    /// Write the marks, answer, end.
    Close(oneshot::Sender<Result<(), VaultError>>),
}

/// The thread's state.
pub struct Writer {
    shared: Arc<Shared>,
    mail: Receiver<Mail>,
    disk: Box<dyn Disk>,
    /// Bytes of `keys.wbv` named by the marks file.
    marked_len: u64,
    /// When the marks were last written, steady.
    marked_at: Duration,
}

impl Writer {
    /// A writer that goes on at the file's durable end.
    pub fn new(shared: Arc<Shared>, mail: Receiver<Mail>, disk: Box<dyn Disk>) -> Self {
        let (marked_len, marked_at) = (shared.durable.load(Ordering::Acquire), shared.clock.steady());
        Self { shared, mail, disk, marked_len, marked_at }
    }

    /// Runs until closed. When all senders are gone without a close it ends at once and writes nothing, as in a crash.
    pub fn run(mut self) {
        loop {
            match self.mail.recv_timeout(PACE) {
                Ok(Mail::Ask(ask)) => {
                    if let Some(closing) = self.serve(ask) {
                        return self.close(closing);
                    }
                }
                Ok(Mail::Close(reply)) => return self.close(reply),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.tick();
        }
    }

    /// One batch, begun by this call. Returns where to answer a close that came behind it.
    fn serve(&mut self, ask: Box<Ask>) -> Option<oneshot::Sender<Result<(), VaultError>>> {
        let shared = self.shared.clone();
        let mut batch = Batch::new(&shared, shared.durable.load(Ordering::Acquire));
        let mut waiting = vec![(batch.decide(&ask.want), ask)];
        let mut closing = None;
        while waiting.len() < MOST_ASKS && batch.bytes.len() < MOST_BYTES && closing.is_none() {
            match self.mail.try_recv() {
                Ok(Mail::Ask(ask)) => waiting.push((batch.decide(&ask.want), ask)),
                Ok(Mail::Close(reply)) => closing = Some(reply),
                Err(_) => break,
            }
        }
        let failed = self.commit(batch).err();
        for (answer, ask) in waiting {
            reply(*ask, answer, failed.as_ref());
        }
        closing
    }

    /// Makes a batch durable, then visible. After one failure nothing is written any more: what a failed sync lost, a
    /// later one that succeeds does not bring back.
    fn commit(&mut self, mut batch: Batch<'_>) -> Result<(), VaultError> {
        self.shared.check()?;
        if !batch.bytes.is_empty() {
            let start = self.shared.durable.load(Ordering::Acquire);
            let done = self.disk.write(&batch.bytes, start).and_then(|()| self.disk.sync());
            done.map_err(|error| self.failed(&error))?;
            self.shared.durable.store(start + batch.bytes.len() as u64, Ordering::Release);
        }
        let wipes = std::mem::take(&mut batch.wipes);
        batch.publish();
        self.wipe(&wipes)
    }

    /// Writes over what nobody may read any more. That it is to go is durable: what a crash leaves, the next start wipes.
    fn wipe(&mut self, offsets: &[u64]) -> Result<(), VaultError> {
        for offset in offsets {
            let (at, bytes) = wipe::over(&self.shared.path, &self.shared.file, *offset)?;
            self.disk.write(&bytes, at).map_err(|error| self.failed(&error))?;
        }
        if offsets.is_empty() { Ok(()) } else { self.disk.sync().map_err(|error| self.failed(&error)) }
    }

    fn failed(&self, error: &std::io::Error) -> VaultError {
        self.shared.fail(format!("cannot write {}: {error}", self.shared.path.display()))
    }

    fn tick(&mut self) {
        let now = self.shared.clock.steady();
        self.shared.cache.lock().sweep(now);
        if now.saturating_sub(self.marked_at) >= PACE {
            self.marked_at = now;
            // The reason is kept for the health latch, and the marks are tried again a second later.
            drop(self.write_marks());
        }
    }

    fn write_marks(&mut self) -> Result<(), VaultError> {
        let keys_len = self.shared.durable.load(Ordering::Acquire);
        let positions = {
            let mut marks = self.shared.marks.lock();
            if !marks.take_dirty() && keys_len == self.marked_len && self.shared.marks_failure.lock().is_none() {
                return Ok(());
            }
            marks.all()
        };
        let stored = Stored { installation: self.shared.installation, keys_len, positions };
        let written = marks::write(&self.shared.dir, &stored);
        *self.shared.marks_failure.lock() = written.as_ref().err().map(ToString::to_string);
        if written.is_ok() {
            self.marked_len = keys_len;
        }
        written
    }

    fn close(mut self, reply: oneshot::Sender<Result<(), VaultError>>) {
        // Marks are worth writing also when keys cannot be; the first trouble is what the closer is told.
        let written = self.write_marks();
        let written = self.shared.check().and(written);
        // Whoever closes may have stopped waiting; the marks are written all the same.
        drop(reply.send(written));
    }
}

/// Answers a call. A caller that has gone (its request was cancelled) loses nothing: what it asked for is durable.
fn reply(ask: Ask, answer: Answer, failed: Option<&VaultError>) {
    let answer = match failed {
        Some(error) if answer.is_ok() => Err(error.clone()),
        _ => answer,
    };
    drop(ask.reply.send(answer));
    drop(ask.permit);
}
