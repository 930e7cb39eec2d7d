//! The instance's log, read out of the records of the partition in which the audit lives.

use std::collections::{BTreeMap, HashMap, VecDeque};

use super::super::folder::Folder;
use super::super::layout;
use super::ExportError;
use crate::domain::audit::entry::Entry;
use crate::domain::audit::proof::Nodes;
use crate::domain::audit::{Hash, hash, tile};
use crate::domain::event::{Event, HeadsLostV1};
use crate::domain::id::TenantId;
use crate::domain::projection::audit::{begins, entry_of, follows};
use crate::domain::record::Record;
use crate::domain::row::ReportedRow;

/// Sizes and roots that a tree was reported with, ascending.
pub type Heads = VecDeque<(u64, Hash)>;

/// The log.
#[derive(Debug, Default)]
pub struct Log {
    era: u32,
    entries: Vec<Entry>,
    nodes: Nodes,
    said: HashMap<u16, ReportedRow>,
    heads: BTreeMap<(u16, TenantId), Heads>,
}

impl Log {
    /// Takes the next record of the partition.
    pub fn take(&mut self, record: &Record) {
        let facts = match record.event() {
            Ok(Event::HeadsReported(facts)) => facts,
            Ok(Event::LogBegun(facts)) if begins(&facts, self.era) => {
                *self = Self { era: facts.era, ..Self::default() };
                return;
            }
            Ok(Event::HeadsLost(facts)) => return self.lose(&facts),
            _ => return,
        };
        let last = follows(&facts, self.era, self.said.get(&facts.partition));
        let (Some(last), Some(entry)) = (last, entry_of(&facts)) else { return };
        self.said.insert(facts.partition, last);
        self.nodes.push(hash::leaf(&entry.bytes()));
        self.entries.push(entry);
        for head in facts.heads {
            self.heads.entry((facts.partition, head.tenant)).or_default().push_back((head.size, head.root));
        }
    }

    fn lose(&mut self, facts: &HeadsLostV1) {
        if let Some(last) = self.said.get_mut(&facts.partition).filter(|last| last.through == facts.through) {
            last.lost = true;
        }
    }

    /// How many entries it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.nodes.size()
    }

    /// The root over them.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.nodes.root()
    }

    /// The trees of a partition.
    #[must_use]
    pub fn heads_of(&self, partition: u16) -> Vec<(TenantId, Heads)> {
        let first = (partition, TenantId([0; 16]));
        let of = self.heads.range(first..).take_while(|((number, _), _)| *number == partition);
        of.map(|((_, tenant), heads)| (*tenant, heads.clone())).collect()
    }

    /// Writes it down.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn write(&self, folder: &mut Folder) -> Result<(), ExportError> {
        for (bundle, entries) in tile::bundles(self.size()).zip(self.entries.chunks(tile::WIDTH as usize)) {
            let mut bytes = Vec::new();
            for entry in entries {
                if !tile::put_leaf(&mut bytes, &entry.bytes()) {
                    return Err(ExportError::Log("an entry is larger than one may be"));
                }
            }
            folder.write(&layout::tile_at(layout::LOG, &bundle), &bytes)?;
        }
        for tile in tile::tiles(self.size()) {
            folder.write(&layout::tile_at(layout::LOG, &tile), &tile.hashes(&self.nodes)?)?;
        }
        Ok(())
    }
}
