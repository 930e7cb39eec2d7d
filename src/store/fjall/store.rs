//! The handle of the embedded store: the seam, over the engine and its writer.

#![expect(clippy::disallowed_methods, reason = "bounded by its callers: one commit of a partition at a time")]

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use parking_lot::{Mutex, RwLock};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::super::error::StoreError;
use super::super::key;
use super::super::seam::{Commit, MAX_SCAN, Row, Scan, Store};
use super::engine::{Engine, Fault, Mark};
use super::open::{self, engine_error};
use super::options::Options;
use super::writer::{self, Job, Mail, QUEUE};
use crate::domain::id::InstallationId;
use crate::domain::record::Position;
use crate::domain::table::{RowKey, Table};
use crate::runtime::BoxFuture;

/// Rows read on the caller's thread: at 5 µs from memory and 100 µs from disk, below a millisecond as a rule. What asks
/// for more goes to a thread that may block.
const READ_HERE: usize = 256;

/// Rows in a folder. Its calls need a Tokio runtime. Dropping it waits for the commits under way.
#[derive(Debug)]
pub struct FjallStore {
    shared: Arc<Shared>,
    /// Without a bound of its own: every commit in it holds one of `places`, and closing needs none.
    queue: mpsc::UnboundedSender<Mail>,
    places: Arc<Semaphore>,
    writer: Arc<Mutex<Option<JoinHandle<()>>>>,
}

/// What handle, writer and blocking reads share.
pub(super) struct Shared {
    path: PathBuf,
    /// `None` once closed. Readers hold it while they read, so closing waits for them.
    /// The engine comes first: the folder is free only when its last file is closed.
    open: RwLock<Option<(Engine, File)>>,
    closed: AtomicBool,
    latch: Mutex<Option<String>>,
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").field("path", &self.path).field("latch", &self.latch).finish_non_exhaustive()
    }
}

impl FjallStore {
    /// Opens the store in `dir` (its own folder, made if it is absent) for this installation. Blocks: it reads the
    /// engine's log, at most [`Options::log`] bytes and one file more.
    ///
    /// # Errors
    /// When the folder is another installation's, of another format, in use, damaged, or cannot be written.
    pub fn open(dir: &Path, installation: InstallationId, options: &Options) -> Result<Self, StoreError> {
        let open = open::open(dir, installation, options)?;
        let shared = Arc::new(Shared {
            path: dir.to_owned(),
            open: RwLock::new(Some(open)),
            closed: AtomicBool::new(false),
            latch: Mutex::new(None),
        });
        let (sender, receiver) = mpsc::unbounded_channel();
        let (theirs, memtable) = (Arc::clone(&shared), options.memtable);
        let spawned = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || writer::run(&theirs, receiver, memtable));
        let thread = spawned.map_err(|error| StoreError::Io { path: dir.to_owned(), why: error.to_string() })?;
        let writer = Arc::new(Mutex::new(Some(thread)));
        Ok(Self { shared, queue: sender, places: Arc::new(Semaphore::new(QUEUE)), writer })
    }

    #[cfg(test)]
    pub(super) fn buffered(&self) -> u64 {
        self.shared.open.read().as_ref().map_or(0, |(engine, _)| engine.buffered())
    }

    async fn apply(&self, mut commit: Commit) -> Result<(), StoreError> {
        let gone = || self.shared.gone();
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| gone())?;
        let mark = Mark { partition: commit.partition, through: commit.through };
        let drops = commit.drops.clone();
        let (batch, bytes) = self.shared.write(|engine| engine.batch(std::mem::take(&mut commit)))?;
        let (answer, answered) = oneshot::channel();
        self.queue.send(Mail::Commit(Job { batch, bytes, drops, mark, answer, place })).map_err(|_| gone())?;
        answered.await.map_err(|_| gone())?
    }

    async fn blocking<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Engine) -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, StoreError> {
        let shared = Arc::clone(&self.shared);
        let joined = tokio::task::spawn_blocking(move || shared.read(read)).await;
        joined.unwrap_or_else(|error| Err(self.shared.latched(format!("a read did not end: {error}"))))
    }
}

impl Shared {
    /// Reads. An error of the engine latches.
    fn read<T>(&self, read: impl FnOnce(&Engine) -> Result<T, Fault>) -> Result<T, StoreError> {
        let open = self.open.read();
        let (engine, _) = open.as_ref().ok_or(StoreError::Closed)?;
        read(engine).map_err(|fault| match fault {
            Fault::Refused(error) => error,
            Fault::Engine(error) => {
                let error = engine_error(&self.path, &error);
                self.latched(error.to_string());
                error
            }
        })
    }

    /// As [`Shared::read`], but refused once latched.
    pub(super) fn write<T>(&self, write: impl FnOnce(&Engine) -> Result<T, Fault>) -> Result<T, StoreError> {
        let latched = self.latch.lock().clone();
        match latched {
            Some(why) => Err(StoreError::Failed(why)),
            None => self.read(write),
        }
    }

    /// Latches the first reason.
    fn latched(&self, why: String) -> StoreError {
        StoreError::Failed(self.latch.lock().get_or_insert(why).clone())
    }

    /// The writer has gone: closed, or it panicked.
    fn gone(&self) -> StoreError {
        if self.closed.load(Ordering::Acquire) {
            return StoreError::Closed;
        }
        self.latched("the writer has stopped".to_owned())
    }

    fn close(&self) -> Result<(), StoreError> {
        let Some((engine, _marker)) = self.open.write().take() else { return Ok(()) };
        let synced = engine.sync();
        // Before the marker, which is the lock.
        drop(engine);
        synced.map_err(|fault| match fault {
            Fault::Refused(error) => error,
            Fault::Engine(error) => engine_error(&self.path, &error),
        })
    }
}

fn join(writer: &Mutex<Option<JoinHandle<()>>>) {
    let thread = writer.lock().take();
    // A panic of the writer was latched by whoever waited for it.
    let _ = thread.map(JoinHandle::join);
}

impl Drop for FjallStore {
    fn drop(&mut self) {
        // An error says that the writer has ended already.
        let _ = self.queue.send(Mail::Close);
        join(&self.writer);
    }
}

impl Store for FjallStore {
    fn commit(&self, commit: Commit) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.apply(commit))
    }

    fn applied(&self, partition: u16) -> BoxFuture<'_, Result<Option<Position>, StoreError>> {
        Box::pin(async move { self.shared.read(|engine| engine.applied(partition)) })
    }

    fn get<'a>(&'a self, key: &'a RowKey) -> BoxFuture<'a, Result<Option<Vec<u8>>, StoreError>> {
        Box::pin(async move { self.shared.read(|engine| engine.get(key)) })
    }

    fn get_many<'a>(&'a self, keys: &'a [RowKey]) -> BoxFuture<'a, Result<Vec<Option<Vec<u8>>>, StoreError>> {
        Box::pin(async move {
            key::limit(|| "the number of keys read at once".to_owned(), keys.len(), MAX_SCAN)?;
            if keys.len() <= READ_HERE {
                return self.shared.read(|engine| engine.get_many(keys));
            }
            let keys = keys.to_vec();
            self.blocking(move |engine| engine.get_many(&keys)).await
        })
    }

    fn scan(&self, scan: Scan) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        Box::pin(async move {
            if scan.limit <= READ_HERE {
                return self.shared.read(|engine| engine.scan(&scan));
            }
            self.blocking(move |engine| engine.scan(&scan)).await
        })
    }

    fn digest<'a>(&'a self, tables: &'a [Table]) -> BoxFuture<'a, Result<[u8; 32], StoreError>> {
        let tables = tables.to_vec();
        Box::pin(self.blocking(move |engine| engine.digest(&tables)))
    }

    fn failed(&self) -> Option<String> {
        self.shared.latch.lock().clone()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(async move {
            self.shared.closed.store(true, Ordering::Release);
            self.places.close();
            // An error says that the writer has ended already.
            let _ = self.queue.send(Mail::Close);
            let (shared, writer) = (Arc::clone(&self.shared), Arc::clone(&self.writer));
            let closing = tokio::task::spawn_blocking(move || {
                join(&writer);
                shared.close()
            });
            closing.await.unwrap_or_else(|error| Err(StoreError::Failed(error.to_string())))
        })
    }
}
