//! What the files promise beyond the contract: crashes, damage, secrecy, few syncs.

mod crash;
mod damage;
mod destroy;
mod format;
mod opening;
mod secrecy;
mod writing;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::{Condvar, Mutex};

use super::disk::Disk;
use super::format::{Entry, Erased, MAGIC, append};
use super::hand::FileVault;
use super::init::KEYS;
use super::open::{OpenReport, Opening, open};
use super::scan::{Scan, Step};
use crate::domain::id::{InstallationId, KeyId, TenantId};
use crate::runtime::{BoxFuture, ManualClock, SystemEntropy};
use crate::vault::cache::CacheBounds;
use crate::vault::contract::{self, COUNT, Stage};
use crate::vault::{Alias, Vault, VaultError};

const TENANT: TenantId = TenantId([1; 16]);
const INSTALLATION: InstallationId = InstallationId([5; 16]);

fn phone(n: usize) -> Alias {
    Alias::phone(&format!("49151{n:07}")).expect("a phone number")
}

/// A disk of which a test decides when it syncs and whether it works.
#[derive(Clone, Default)]
struct Moods {
    broken: Arc<Mutex<Option<Broken>>>,
    /// Syncs begun and syncs done.
    begun: Arc<AtomicUsize>,
    syncs: Arc<AtomicUsize>,
    held: Arc<(Mutex<bool>, Condvar)>,
}

impl Moods {
    /// No sync goes on until the returned thing is dropped.
    fn hold_syncs(&self) -> Held {
        *self.held.0.lock() = true;
        Held(self.held.clone())
    }
}

struct Held(Arc<(Mutex<bool>, Condvar)>);

impl Drop for Held {
    fn drop(&mut self) {
        *self.0.0.lock() = false;
        self.0.1.notify_all();
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Broken {
    /// Half of the bytes are written, then an error.
    Write,
    /// Everything is written, the sync fails.
    Sync,
    /// The same, and the next sync would succeed.
    SyncOnce,
}

struct Moody(File, Moods);

impl Disk for Moody {
    fn write(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        if *self.1.broken.lock() == Some(Broken::Write) {
            self.0.write(&bytes[..bytes.len() / 2], offset)?;
            return Err(io::Error::other("no space left on device"));
        }
        self.0.write(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.1.begun.fetch_add(1, Ordering::SeqCst);
        let (held, released) = &*self.1.held;
        released.wait_while(&mut held.lock(), |held| *held);
        self.1.syncs.fetch_add(1, Ordering::SeqCst);
        let mut broken = self.1.broken.lock();
        let mood = *broken;
        broken.take_if(|mood| *mood == Broken::SyncOnce);
        match mood {
            Some(_) => Err(io::Error::other("input/output error")),
            None => self.0.sync(),
        }
    }
}

/// A vault in a folder of its own, which goes with it.
struct InFiles {
    home: tempfile::TempDir,
    clock: Arc<ManualClock>,
    moods: Moods,
    vault: Option<Arc<FileVault>>,
}

impl InFiles {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        FileVault::init(&home.path().join("vault"), None, INSTALLATION, COUNT, &SystemEntropy).expect("made");
        let mut stage = Self { home, clock: Arc::new(ManualClock::at(0)), moods: Moods::default(), vault: None };
        assert_eq!(stage.open(), OpenReport::default());
        stage
    }

    fn dir(&self) -> PathBuf {
        self.home.path().join("vault")
    }

    fn keys(&self) -> PathBuf {
        self.dir().join(KEYS)
    }

    fn open(&mut self) -> OpenReport {
        let (shared, file, report) = open(opening(&self.dir(), &self.clock)).expect("opens");
        self.moods = Moods::default();
        let vault = FileVault::start(shared, Box::new(Moody(file, self.moods.clone()))).expect("starts");
        self.vault = Some(Arc::new(vault));
        report
    }

    fn hand(&self) -> &FileVault {
        self.vault.as_ref().expect("open")
    }

    /// Drops the vault as a crash does: nothing is closed.
    fn crash(&mut self) {
        let vault = self.vault.take().expect("open");
        assert!(Arc::into_inner(vault).is_some(), "a test still holds the vault");
    }

    async fn close(&mut self) {
        self.hand().close().await.expect("closed");
        self.crash();
    }

    /// Opens the files without starting a writer.
    fn look(&self) -> Result<OpenReport, VaultError> {
        open(opening(&self.dir(), &self.clock)).map(|(.., report)| report)
    }

    /// Every record of the key file, in order.
    fn entries(&self) -> Vec<Entry> {
        let (keys, mut entries) = (self.keys(), Vec::new());
        let file = File::open(&keys).expect("there");
        let mut scan = Scan::begin(&keys, &file).expect("a key file");
        while let Step::Record(_, entry) = scan.step().expect("a whole file") {
            entries.push(entry);
        }
        entries
    }

    /// Writes a key file of these records after `change`.
    fn rewrite(&self, entries: Vec<Entry>, change: impl Fn(Entry) -> Entry) {
        let mut bytes = MAGIC.to_vec();
        for entry in entries {
            let offset = bytes.len() as u64;
            append(&mut bytes, offset, &change(entry));
        }
        fs::write(self.keys(), bytes).expect("written");
    }

    /// Appends a record as a later version, or another node, would have.
    fn append(&self, entry: &Entry) {
        let mut bytes = fs::read(self.keys()).expect("read");
        let offset = bytes.len() as u64;
        append(&mut bytes, offset, entry);
        fs::write(self.keys(), bytes).expect("written");
    }
}

fn opening(dir: &Path, clock: &Arc<ManualClock>) -> Opening {
    Opening {
        dir: dir.to_owned(),
        key_file: None,
        cache: CacheBounds::default(),
        count: COUNT,
        clock: clock.clone(),
        entropy: Arc::new(SystemEntropy),
    }
}

impl Stage for InFiles {
    fn vault(&self) -> Arc<dyn Vault> {
        self.vault.clone().expect("open")
    }

    fn reopen(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            self.close().await;
            let report = self.open();
            assert_eq!((report.cut, report.missing_bytes, report.marks_missing), (None, 0, false));
        })
    }

    fn break_it(&mut self) {
        *self.moods.broken.lock() = Some(Broken::Sync);
    }
}

#[tokio::test]
async fn the_files_keep_the_contract() {
    contract::all(InFiles::new).await;
}
