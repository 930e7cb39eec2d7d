//! The instance's log: its entries, its tiles, and the heads it has of each tree.

use std::collections::{BTreeSet, HashMap};

use super::super::layout::{self, LOG};
use super::checkpoint::Signed;
use super::files::Files;
use super::report::Report;
use crate::domain::audit::entry::{Entry, Tag};
use crate::domain::audit::proof::{Nodes, Subtrees};
use crate::domain::audit::{Hash, hash, tile};

/// Entries that a log may say to have: 40 years of one each millisecond. Beyond that nothing is tried.
const MAX: u64 = 1 << 40;

/// What the log says.
#[derive(Debug, Default)]
pub struct Log {
    /// Its hashes.
    pub nodes: Nodes,
    /// Sizes and roots of each tree, in the order of the log.
    pub heads: HashMap<Tag, Vec<(u64, Hash)>>,
    /// In which partition each tree is.
    pub partitions: HashMap<Tag, u16>,
}

/// Reads it.
pub fn read(files: &Files, signed: &Signed, report: &mut Report) -> Log {
    let mut log = Log::default();
    if signed.says.size > MAX {
        report.find(LOG, "no log has so many entries");
        return log;
    }
    for bundle in tile::bundles(signed.says.size) {
        let name = layout::tile_at(LOG, &bundle);
        let Some(bytes) = files.read(&name, report) else { return log };
        match tile::leaves(&bytes, bundle.width) {
            Ok(entries) => entries.iter().for_each(|entry| log.take(entry, &name, report)),
            Err(error) => report.find(&name, error.to_string()),
        }
    }
    tiles(files, LOG, &log.nodes, report);
    if (log.nodes.size(), log.nodes.root()) != (signed.says.size, signed.says.root) {
        report.find(LOG, "its root is not the one that was signed");
    }
    log
}

/// Compares the files of a tree's folder that hold hashes with its leaves: those, and no others.
pub fn tiles(files: &Files, folder: &str, nodes: &Nodes, report: &mut Report) {
    let mut expected = BTreeSet::new();
    for tile in tile::tiles(nodes.size()).chain(tile::bundles(nodes.size())) {
        let name = layout::tile_at(folder, &tile);
        if tile.level.is_some() {
            compare(files, &name, tile.hashes(nodes), report);
        }
        expected.insert(name);
    }
    let tiles = format!("{folder}/tile");
    for name in files.below(&tiles).filter(|name| !expected.contains(*name)) {
        report.find(name, "the tree has no such tile");
    }
}

fn compare(files: &Files, name: &str, expected: Result<Vec<u8>, <Nodes as Subtrees>::Error>, report: &mut Report) {
    let Some(found) = files.read(name, report) else { return };
    if expected.is_ok_and(|expected| expected == found) {
        return;
    }
    report.find(name, "its hashes are not those of the leaves");
}

impl Log {
    fn take(&mut self, bytes: &[u8], name: &str, report: &mut Report) {
        self.nodes.push(hash::leaf(bytes));
        let entry = match Entry::parse(bytes) {
            Ok(entry) => entry,
            Err(error) => return report.find(name, error.to_string()),
        };
        for head in entry.heads {
            let heads = self.heads.entry(head.tag).or_default();
            let shrinks = heads
                .last()
                .is_some_and(|(size, root)| head.size < *size || (head.size == *size && head.root != *root));
            if shrinks {
                report.find(name, format!("the tree {} goes back in it", hex::encode(head.tag)));
            }
            heads.push((head.size, head.root));
            if *self.partitions.entry(head.tag).or_insert(entry.partition) != entry.partition {
                report.find(name, format!("the tree {} is in two partitions", hex::encode(head.tag)));
            }
        }
    }
}
