//! Making the next segment ready, on a thread of its own: a file of zeros, synced, waiting for its number.
//!
//! Written zeros (not a hole, not `fallocate`) make the sync of a batch cheap: neither size nor extents change. They are
//! written four KiB at a time, since the page cache keeps larger writes in large folios, and then each small batch would
//! write a whole folio to the disk (eleven times the bytes, measured).

#![expect(
    clippy::disallowed_methods,
    reason = "at most one segment is asked for and one is answered: the queue holds two"
)]

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::super::error::JournalError;
use super::folder::prepared_path;
use super::medium::Medium;

/// Asks for segments made ready, one at a time.
pub struct Preparer {
    ask: Option<Sender<()>>,
    made: Receiver<Result<File, JournalError>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Preparer {
    /// Starts the thread and asks for the first file. `note` is told what each attempt came to.
    pub fn start(
        segments: PathBuf,
        size: u64,
        medium: Arc<dyn Medium>,
        note: impl Fn(Option<String>) + Send + 'static,
    ) -> Result<Self, JournalError> {
        let (ask, asked) = channel();
        let (make, made) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let path = prepared_path(&segments);
        let work = move || {
            while asked.recv().is_ok() {
                let file = zeroed(&path, size, &*medium, &stopped);
                note(file.as_ref().err().map(ToString::to_string));
                if make.send(file).is_err() {
                    return;
                }
            }
        };
        let thread = std::thread::Builder::new()
            .name("journal-prepare".to_owned())
            .spawn(work)
            .map_err(|error| JournalError::io("start a thread for", &segments, &error))?;
        let preparer = Self { ask: Some(ask), made, stop, thread: Some(thread) };
        preparer.ask();
        Ok(preparer)
    }

    /// Asks for the next one; it is made in the background.
    pub fn ask(&self) {
        if let Some(ask) = &self.ask {
            // The thread ends only when this is dropped; if it has died, `take` says so.
            ask.send(()).unwrap_or_default();
        }
    }

    /// Takes the one that was asked for, waiting if need be. If it could not be made, tries once more: space may have
    /// become free since.
    pub fn take(&self) -> Result<File, JournalError> {
        self.receive().or_else(|_| {
            self.ask();
            self.receive()
        })
    }

    fn receive(&self) -> Result<File, JournalError> {
        let died = || JournalError::Failed("the thread that makes segments ready has died".to_owned());
        self.made.recv().map_err(|_| died())?
    }
}

impl Drop for Preparer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            // A panic of it was already told by the panic hook, and nothing depends on it any more.
            drop(thread.join());
        }
    }
}

/// Makes a file of `size` zeros and syncs it. An existing one is begun anew.
pub fn zeroed(path: &Path, size: u64, medium: &dyn Medium, stop: &AtomicBool) -> Result<File, JournalError> {
    const PIECE: [u8; 4096] = [0; 4096];
    let create = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(path);
    let file = create.map_err(|error| JournalError::io("create", path, &error))?;
    let mut at = 0;
    while at < size {
        if stop.load(Ordering::Relaxed) {
            return Err(JournalError::Closed);
        }
        let piece = &PIECE[..(size - at).min(PIECE.len() as u64) as usize];
        medium.write(&file, piece, at).map_err(|error| JournalError::io("fill with zeros", path, &error))?;
        at += piece.len() as u64;
    }
    // Not only the data: the size, too, must survive.
    file.sync_all().map_err(|error| JournalError::io("sync", path, &error))?;
    Ok(file)
}
