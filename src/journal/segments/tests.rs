//! Tests of the embedded journal: the contract, then damage, crashes, segments, files.

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use super::super::contract::{self, Subject, record, soon, suite};
use super::super::{Entry, Genesis, Journal, JournalError};
use super::recover::{Recovered, recover};
use super::{EmbeddedJournal, OpenReport, Options, Verify};
use crate::domain::id::InstallationId;
use crate::domain::record::Position;
use crate::runtime::SystemClock;

mod crash;
mod damage;
mod folder;
mod media;
mod rolling;

/// A data folder with a journal in it.
struct Folder {
    dir: TempDir,
    options: Options,
}

impl Folder {
    fn new(genesis: Genesis, options: Options) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        EmbeddedJournal::init(dir.path(), genesis, 5, &options).expect("a new journal");
        Self { dir, options }
    }

    /// Two partitions and segments of 64 KiB: small enough to damage every byte.
    fn small() -> Self {
        Self::new(two(), small())
    }

    fn try_open(&self) -> Result<(EmbeddedJournal, OpenReport), JournalError> {
        EmbeddedJournal::open(self.dir.path(), self.options.clone(), Arc::new(SystemClock))
    }

    fn open(&self) -> EmbeddedJournal {
        self.try_open().expect("it opens").0
    }

    /// What opening finds, without starting anything.
    fn found(&self) -> Result<Recovered, JournalError> {
        recover(self.dir.path(), &self.options)
    }

    fn segment(&self, number: u64) -> PathBuf {
        self.dir.path().join(format!("journal/{number:08}.wbj"))
    }

    /// What one process appends and closes cleanly: `batches` of four records, over both partitions.
    async fn filled(self, batches: u64, size: usize) -> Self {
        let journal = self.open();
        fill(&journal, 0, batches, size).await;
        journal.close().await.expect("closed");
        self
    }
}

fn two() -> Genesis {
    Genesis::new(InstallationId([9; 16]), 2)
}

fn small() -> Options {
    Options { segment_bytes: 64 * 1024, batch_bytes: 16 * 1024, ..Options::default() }
}

async fn fill(journal: &EmbeddedJournal, from: u64, batches: u64, size: usize) {
    for n in from..from + batches {
        let records = (4 * n..4 * n + 4).map(|n| record(n, size)).collect();
        contract::durable(journal, (n % 2) as u16, records).await;
    }
}

/// Everything that stands in both partitions, read from disk.
fn contents(found: &Recovered) -> Vec<Arc<Entry>> {
    let mut all = Vec::new();
    for (partition, &end) in (0..).zip(&found.active.ends) {
        let mut at = Position(0);
        while at < Position(end) {
            let page = found.catalog.page(partition, at, Position(end)).expect("a page");
            at = Position(at.0 + page.len() as u64);
            all.extend(page);
        }
    }
    all
}

/// Whether one journal holds, in each partition, the beginning of what the other holds.
fn is_prefix(some: &[Arc<Entry>], all: &[Arc<Entry>]) -> bool {
    (0..2).all(|partition| {
        let of = |entries: &[Arc<Entry>]| -> Vec<Arc<Entry>> {
            entries.iter().filter(|entry| entry.partition == partition).cloned().collect()
        };
        of(all).starts_with(&of(some))
    })
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).expect("read")
}

/// In place: truncating first would make ext4 flush the file at each of thousands of calls.
fn write(path: &Path, bytes: &[u8]) {
    let file = std::fs::OpenOptions::new().write(true).create(true).truncate(false).open(path).expect("opened");
    file.write_all_at(bytes, 0).and_then(|()| file.set_len(bytes.len() as u64)).expect("written");
}

/// Its own promise, beyond the contract: no place is left out, so a hole is seen.
#[tokio::test]
async fn positions_are_dense_and_a_hole_is_no_neighbour() {
    let folder = Folder::small().filled(50, 100).await;
    let all = contents(&folder.found().expect("it opens"));
    for partition in 0..2 {
        let own: Vec<u64> = all.iter().filter(|e| e.partition == partition).map(|entry| entry.position.0).collect();
        assert_eq!(own, (0..101).collect::<Vec<_>>());
    }
    let journal = folder.open();
    assert!(journal.adjoins(0, Position(3), Position(4)));
    assert!(!journal.adjoins(0, Position(3), Position(5)) && !journal.adjoins(0, Position(3), Position(3)));
}

struct InFolder(Folder);

impl InFolder {
    fn new(options: Options) -> Self {
        Self(Folder::new(contract::genesis(), Options { segment_bytes: 8 * 1024 * 1024, ..options }))
    }
}

impl Subject for InFolder {
    fn open(&self) -> Arc<dyn Journal> {
        Arc::new(self.0.open())
    }
}

mod contract_in_memory {
    use super::*;

    suite!(InFolder::new(Options::default()));
}

mod contract_from_disk {
    use super::*;

    suite!(InFolder::new(Options { tail_memory: 0, verify: Verify::All, ..Options::default() }));
}

#[tokio::test]
async fn a_tail_that_falls_behind_reads_from_disk_and_returns_to_memory() {
    let folder = Folder::new(two(), Options { tail_memory: 8 * 1024, ..small() });
    let journal = folder.open();
    let mut tail = journal.tail(0, Position(0));
    fill(&journal, 0, 300, 300).await;
    let behind = contract::until(&mut *tail, 0, 1 + 600).await;
    assert!(journal.stats().segments > 5, "{:?}", journal.stats());
    fill(&journal, 300, 2, 10).await;
    let live = contract::until(&mut *tail, 0, 1 + 604).await;
    let numbers: Vec<u64> = behind[1..].iter().chain(&live).map(|entry| contract::number(entry)).collect();
    let expected: Vec<u64> = (0..302).step_by(2).flat_map(|n| 4 * n..4 * n + 4).collect();
    assert_eq!(numbers, expected);
    assert_eq!(soon(journal.read(0, Position(3))).await.expect("from disk"), behind[3]);
}
