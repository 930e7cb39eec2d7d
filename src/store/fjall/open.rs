//! Opening a store's folder: whose it is, which format it has, and what to do when it is neither ours nor readable.
//!
//! The folder holds a text file `FORMAT` and the engine's own folder `rows`. The text file is read before the engine
//! touches anything, so a folder of a newer version is left as it was found; it is also the lock.

use std::fs::{self, File, TryLockError};
use std::io::{ErrorKind, Read, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use fjall::{CompressionType, Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use super::super::error::StoreError;
use super::engine::{Engine, MARKS};
use super::options::Options;
use crate::domain::id::InstallationId;

/// Format of keys and rows, in whichever store. Raised whenever a row type changes: rows are rebuilt, not migrated.
pub(in super::super) const FORMAT: u16 = 18;

const MARKER: &str = "FORMAT";
const ROWS: &str = "rows";
/// The marker has four lines of at most 100 bytes; more is not ours.
const MAX_MARKER: u64 = 4096;

/// Opens or creates the store in `dir` (not its parent). The file stays locked while it is held.
pub(super) fn open(dir: &Path, installation: InstallationId, options: &Options) -> Result<(Engine, File), StoreError> {
    fs::create_dir_all(dir).map_err(|error| io(dir, &error))?;
    let marker = claim(dir, installation)?;
    let rows = dir.join(ROWS);
    // Without its version file the engine's folder was never completed: a crash during the very first start.
    if rows.exists() && !rows.join("version").exists() {
        fs::remove_dir_all(&rows).map_err(|error| io(dir, &error))?;
    }
    // The engine asserts what a damaged folder can break; that must not take the process down without a remedy.
    let opened = catch_unwind(AssertUnwindSafe(|| engine(&rows, options)));
    match opened {
        Ok(engine) => Ok((engine.map_err(|error| engine_error(dir, &error))?, marker)),
        Err(panic) => Err(corrupt(dir, said(panic.as_ref()))),
    }
}

fn engine(rows: &Path, options: &Options) -> Result<Engine, fjall::Error> {
    let database = Database::builder(rows)
        .manual_journal_persist(true)
        .journal_compression(CompressionType::None)
        .worker_threads(1)
        .cache_size(options.cache)
        .max_journaling_size(options.log.max(Options::MIN_LOG))
        .open()?;
    let rows = database.keyspace("rows", || {
        // The memtable is turned by the writer (see the head of mod.rs), never by the engine.
        KeyspaceCreateOptions::default().manual_journal_persist(true).max_memtable_size(u64::MAX)
    })?;
    if database.write_buffer_size() >= options.memtable || database.journal_disk_space()? > Options::MIN_LOG {
        write_out(&database, &rows)?;
    }
    Ok(Engine::new(database, rows))
}

/// Writes out what the log gave back, and begins a new log file. A process that dies again and again before it has filled
/// a memtable of its own would otherwise read a longer log at each start, all of it into memory.
fn write_out(database: &Database, rows: &Keyspace) -> Result<(), fjall::Error> {
    // The engine learns how long a log file is that it found only by writing to it (fjall 3.1.13), and begins a new one
    // with the next flush. Nobody reads this row.
    rows.insert([MARKS], [])?;
    database.persist(PersistMode::Buffer)?;
    rows.rotate_memtable_and_wait()
}

fn claim(dir: &Path, installation: InstallationId) -> Result<File, StoreError> {
    let path = dir.join(MARKER);
    match File::options().read(true).write(true).open(&path) {
        Ok(file) => {
            lock(dir, &file)?;
            check(dir, &file, installation)?;
            Ok(file)
        }
        Err(error) if error.kind() == ErrorKind::NotFound => create(dir, &path, installation),
        Err(error) => Err(io(dir, &error)),
    }
}

fn create(dir: &Path, path: &Path, installation: InstallationId) -> Result<File, StoreError> {
    let mut entries = fs::read_dir(dir).map_err(|error| io(dir, &error))?;
    if entries.next().is_some() {
        return Err(corrupt(dir, format!("it holds files but no `{MARKER}`, so it may not be a store at all")));
    }
    let create = || -> std::io::Result<File> {
        let mut file = File::options().read(true).write(true).create_new(true).open(path)?;
        write!(
            file,
            "waybill store\nformat {FORMAT}\ninstallation {installation}\n\
             This folder is a cache: with the process stopped it may be deleted, and is rebuilt from the journal.\n"
        )?;
        file.sync_all()?;
        File::open(dir)?.sync_all()?;
        Ok(file)
    };
    let file = create().map_err(|error| io(dir, &error))?;
    lock(dir, &file)?;
    Ok(file)
}

fn lock(dir: &Path, file: &File) -> Result<(), StoreError> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => StoreError::InUse { path: dir.to_owned() },
        TryLockError::Error(error) => io(dir, &error),
    })
}

fn check(dir: &Path, file: &File, expected: InstallationId) -> Result<(), StoreError> {
    let mut text = String::new();
    let read = file.take(MAX_MARKER).read_to_string(&mut text);
    read.map_err(|error| corrupt(dir, format!("`{MARKER}`: {error}")))?;
    let bad = || corrupt(dir, format!("`{MARKER}` does not say which format and installation it is"));
    let mut lines = text.lines();
    if lines.next() != Some("waybill store") {
        return Err(bad());
    }
    let found: u16 = lines.next().and_then(|line| line.strip_prefix("format ")?.parse().ok()).ok_or_else(bad)?;
    let path = || dir.to_owned();
    if found > FORMAT {
        return Err(StoreError::Newer { path: path(), found, known: FORMAT });
    }
    if found < FORMAT {
        return Err(StoreError::Older { path: path(), found, known: FORMAT });
    }
    let found = lines.next().and_then(|line| line.strip_prefix("installation ")?.parse().ok()).ok_or_else(bad)?;
    if found != expected {
        return Err(StoreError::OtherInstallation { path: path(), found, expected });
    }
    Ok(())
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("the engine stopped: {}", text.unwrap_or("without a word"))
}

fn corrupt(dir: &Path, why: String) -> StoreError {
    StoreError::Corrupt { path: dir.to_owned(), why }
}

fn io(dir: &Path, error: &std::io::Error) -> StoreError {
    StoreError::Io { path: dir.to_owned(), why: error.to_string() }
}

/// What an error of the engine means for the operator.
pub(super) fn engine_error(dir: &Path, error: &fjall::Error) -> StoreError {
    let path = PathBuf::from(dir);
    match error {
        fjall::Error::Locked => StoreError::InUse { path },
        fjall::Error::Io(error) | fjall::Error::Storage(fjall::LsmError::Io(error)) => match error.kind() {
            // Files that should be there are not, or are too short: damage, and not the disk's refusal.
            ErrorKind::NotFound | ErrorKind::AlreadyExists | ErrorKind::UnexpectedEof | ErrorKind::InvalidData => {
                StoreError::Corrupt { path, why: error.to_string() }
            }
            _ => StoreError::Io { path, why: error.to_string() },
        },
        fjall::Error::Poisoned => StoreError::Io { path, why: "writing rows out failed in the background".to_owned() },
        other => StoreError::Corrupt { path, why: other.to_string() },
    }
}
