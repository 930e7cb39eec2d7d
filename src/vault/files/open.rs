//! Opening a vault: key file, check value, every record, marks; a torn tail is cut, what was to be wiped is wiped, anything
//! else is refused.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use parking_lot::{Mutex, RwLock};

use super::format::{Entry, Head, VERSION};
use super::index::{Found, Index};
use super::init::KEYS;
use super::marks::{self, Marks};
use super::scan::{Scan, Step, corrupt};
use super::shared::Shared;
use super::{wipe, wrapping};
use crate::runtime::{Clock, Entropy};
use crate::vault::cache::{Cache, CacheBounds};
use crate::vault::cipher::Key;
use crate::vault::error::{VaultError, io_error};
use crate::vault::instance;

/// What is needed to open a vault.
pub struct Opening {
    /// `<data>/vault`.
    pub dir: PathBuf,
    /// The instance key's file, if it does not lie in `dir`.
    pub key_file: Option<PathBuf>,
    /// How long and how many contact keys are held unwrapped.
    pub cache: CacheBounds,
    /// Partitions of the installation; must be those the vault was made for.
    pub count: u16,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for keys, salts and nonces.
    pub entropy: Arc<dyn Entropy>,
}

/// The rest of an unfinished write, which was cut. Nothing of it had been acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// Where `keys.wbv` ends now.
    pub at: u64,
    /// Bytes removed.
    pub bytes: u64,
}

/// What opening found. `missing_bytes` or `marks_missing` say that files of different times were put together: start
/// held, as after a restore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenReport {
    /// Tenants with keys.
    pub tenants: usize,
    /// Contacts whose key is here.
    pub contacts: usize,
    /// Aliases beyond each contact's first.
    pub further_aliases: usize,
    /// Secrets, each name once.
    pub secrets: usize,
    /// Contacts marked as erased.
    pub erased: usize,
    /// What a crash left behind and opening removed.
    pub cut: Option<Cut>,
    /// By how much `keys.wbv` is shorter than it once durably was, by the marks: keys made after an older copy.
    pub missing_bytes: u64,
    /// There is no marks file.
    pub marks_missing: bool,
}

/// Reads everything and returns the shared state, the file for the writer, and the report.
///
/// # Errors
/// `Missing`, `Exposed`, `BadKey`, `WrongKey`, `Corrupt`, `Newer`, `Foreign`, `Io`.
pub fn open(opening: Opening) -> Result<(Shared, File, OpenReport), VaultError> {
    let Opening { dir, key_file, cache, count, clock, entropy } = opening;
    let key_file = instance::place(&dir, key_file.as_deref());
    let instance = instance::read(&key_file)?;
    let path = dir.join(KEYS);
    let file = match File::options().read(true).write(true).open(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(VaultError::Missing { path }),
        other => other.map_err(io_error("open", &path))?,
    };
    let mut scan = Scan::begin(&path, &file)?;
    let (head, mac) = read_head(&mut scan, &dir, &key_file, &instance)?;
    if head.count != count {
        return Err(VaultError::Foreign { found: head.count, expected: count });
    }
    let mut index = Index::default();
    let (end, torn, left) = read_all(&mut scan, &instance, &mut index)?;
    wipe_all(&path, &file, &left)?;
    let cut = if torn { Some(cut(&path, &file, end)?) } else { None };
    let stored = marks::read(&dir, head.installation)?;
    let report = report(&index, cut, end, stored.as_ref());
    let writing = file.try_clone().map_err(io_error("open", &path))?;
    let shared = Shared {
        dir,
        path,
        file,
        installation: head.installation,
        count,
        instance,
        mac,
        clock,
        entropy,
        index: RwLock::new(index),
        cache: Mutex::new(Cache::new(cache)),
        marks: Mutex::new(stored.as_ref().map_or_else(Marks::default, Marks::from_stored)),
        durable: AtomicU64::new(end),
        failure: Mutex::new(None),
        marks_failure: Mutex::new(None),
        closed: AtomicBool::new(false),
    };
    Ok((shared, writing, report))
}

/// The head was synced before the folder had its name, so there is always a whole one.
fn read_head(scan: &mut Scan<'_>, dir: &Path, key_file: &Path, instance: &Key) -> Result<(Head, Key), VaultError> {
    let keys = dir.join(KEYS);
    let head = match scan.step()? {
        Step::Record(_, Entry::Head(head)) => head,
        Step::Unreadable(at, why) => return Err(corrupt(&keys, at, &why)),
        _ => return Err(scan.corrupt("the file does not begin with a whole head record")),
    };
    if head.version > VERSION {
        return Err(VaultError::Newer { file: keys, found: head.version, known: VERSION });
    }
    let mac =
        wrapping::open_head(instance, &head).map_err(|_| VaultError::WrongKey { path: key_file.to_owned(), keys })?;
    Ok((head, mac))
}

/// Records that are half wiped, at most: a crash leaves one half, and those of its contact that were not begun, which are as
/// many as a contact has names.
const MOST_DOUBTFUL: usize = 2_048;

/// What the records that were read say of each other's end.
#[derive(Default)]
struct Ends {
    /// To be wiped, by the records of those who were erased.
    named: BTreeSet<u64>,
    /// Wiped.
    wiped: BTreeSet<u64>,
    /// Not what was written, or not where it should be: as of an alias whose contact was wiped.
    doubtful: Vec<(u64, String)>,
}

impl Ends {
    fn note(&mut self, offset: u64, entry: &Entry) {
        match entry {
            Entry::Erased(erased) => self.named.extend(erased.wiped.iter().flatten()),
            Entry::Wiped(_) => _ = self.wiped.insert(offset),
            _ => {}
        }
    }

    /// Whether that is damage is known in the end: the record that would explain it stands behind it.
    fn doubt(&mut self, at: u64, why: String, path: &Path) -> Result<(), VaultError> {
        if self.doubtful.len() >= MOST_DOUBTFUL {
            return Err(corrupt(path, at, &why));
        }
        self.doubtful.push((at, why));
        Ok(())
    }

    /// The first record that is doubtful and that nobody was about to wipe.
    fn damage(&self) -> Option<&(u64, String)> {
        self.doubtful.iter().find(|(at, _)| !self.named.contains(at))
    }

    /// What a crash has left to be wiped.
    fn left(&self) -> Vec<u64> {
        self.named.difference(&self.wiped).copied().collect()
    }
}

/// Where the good records end, whether something torn stands behind them, and which are still to be wiped.
fn read_all(scan: &mut Scan<'_>, instance: &Key, index: &mut Index) -> Result<(u64, bool, Vec<u64>), VaultError> {
    let mut ends = Ends::default();
    let read = read_records(scan, instance, index, &mut ends);
    // Damage in one record may be why another one does not stand where it should: the first is what is to be mended.
    let damaged = |at: u64| ends.damage().filter(|(damage, _)| *damage < at);
    match read {
        Err(VaultError::Corrupt { offset, .. }) if damaged(offset).is_some() => {}
        Err(other) => return Err(other),
        Ok((end, torn)) if ends.damage().is_none() => return Ok((end, torn, ends.left())),
        Ok(_) => {}
    }
    let (at, why) = ends.damage().cloned().unwrap_or_default();
    Err(corrupt(scan.path(), at, &why))
}

fn read_records(
    scan: &mut Scan<'_>,
    instance: &Key,
    index: &mut Index,
    ends: &mut Ends,
) -> Result<(u64, bool), VaultError> {
    loop {
        match scan.step()? {
            Step::Record(offset, entry) => {
                ends.note(offset, &entry);
                if let Err(why) = admit(instance, index, offset, &entry) {
                    ends.doubt(offset, why.to_owned(), scan.path())?;
                }
            }
            Step::Unreadable(at, why) => ends.doubt(at, why, scan.path())?,
            Step::End(at) => return Ok((at, false)),
            Step::Torn(at) => return Ok((at, true)),
        }
    }
}

/// Wipes what a crash has left. Nothing of it is in use: whose it was is erased.
fn wipe_all(path: &Path, file: &File, left: &[u64]) -> Result<(), VaultError> {
    for offset in left {
        let (at, bytes) = wipe::over(path, file, *offset)?;
        file.write_all_at(&bytes, at).map_err(io_error("write", path))?;
    }
    if left.is_empty() { Ok(()) } else { file.sync_data().map_err(io_error("sync", path)) }
}

fn admit(instance: &Key, index: &mut Index, offset: u64, entry: &Entry) -> Result<(), &'static str> {
    let known = |tenant| index.tenant(tenant).is_some();
    match entry {
        Entry::Head(_) => return Err("a second head record"),
        Entry::Tenant(record) => {
            let keys = wrapping::open_tenant(instance, record)
                .map_err(|_| "a tenant's keys do not open under the instance key")?;
            index.admit_tenant(record.tenant, keys);
        }
        Entry::Contact(record) if !known(record.tenant) => return Err("a contact of a tenant without keys"),
        Entry::Successor(record) if !known(record.tenant) => return Err("a contact of a tenant without keys"),
        Entry::Secret(record) if record.tenant.is_some_and(|tenant| !known(tenant)) => {
            return Err("a secret of a tenant without keys");
        }
        Entry::Alias(record) if index.contact(record.key) == Found::Unknown => {
            return Err("an alias of a contact without a key");
        }
        _ => {}
    }
    index.admit(offset, entry);
    Ok(())
}

fn cut(path: &Path, file: &File, at: u64) -> Result<Cut, VaultError> {
    let len = file.metadata().map_err(io_error("look at", path))?.len();
    file.set_len(at).and_then(|()| file.sync_all()).map_err(io_error("cut the torn end of", path))?;
    Ok(Cut { at, bytes: len - at })
}

fn report(index: &Index, cut: Option<Cut>, end: u64, stored: Option<&marks::Stored>) -> OpenReport {
    let [tenants, contacts, further_aliases, secrets, erased] = index.counts();
    let missing_bytes = stored.map_or(0, |stored| stored.keys_len.saturating_sub(end));
    let marks_missing = stored.is_none();
    OpenReport { tenants, contacts, further_aliases, secrets, erased, cut, missing_bytes, marks_missing }
}
