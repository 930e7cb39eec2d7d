//! One tree of an export: its leaves, its tiles, and a line for each event.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::super::folder::{Folder, Growing};
use super::super::layout::{self, EVENTS};
use super::ExportError;
use super::log::Heads;
use crate::domain::audit::leaf::Leaf;
use crate::domain::audit::proof::Nodes;
use crate::domain::audit::tile::{self, Tile};
use crate::domain::id::{EventId, TenantId};
use crate::domain::record::Record;

/// A tree that is being written.
#[derive(Debug)]
pub struct Tree {
    tenant: TenantId,
    partition: u16,
    heads: Heads,
    nodes: Nodes,
    /// Where its events go; nowhere where only its hashes are wanted.
    events: Option<Growing>,
    bundle: Vec<u8>,
    seen: HashMap<EventId, u64>,
    first: Vec<u8>,
    root: [u8; 32],
}

/// The line of an event.
#[must_use]
pub fn line(described: Map<String, Value>, record: &Record, index: u64, copy_of: Option<u64>) -> String {
    let mut line = described;
    line.insert("index".to_owned(), json!(index));
    line.insert("header".to_owned(), json!(STANDARD.encode(&record.raw)));
    let body = (!record.body.is_empty()).then(|| STANDARD.encode(&record.body));
    line.insert("body".to_owned(), json!(body));
    if let Some(first) = copy_of {
        line.insert("copy_of".to_owned(), json!(first));
    }
    Value::Object(line).to_string() + "\n"
}

impl Tree {
    /// Begins a tree that was reported with these heads.
    pub fn new(folder: &Folder, (tenant, partition): (TenantId, u16), heads: Heads, wanted: bool) -> Self {
        let events = wanted.then(|| folder.grow(&format!("{}/{EVENTS}", layout::tree(tenant, partition))));
        let (nodes, root) = (Nodes::default(), [0; 32]);
        Self {
            tenant,
            partition,
            heads,
            nodes,
            events,
            bundle: Vec::new(),
            seen: HashMap::new(),
            first: Vec::new(),
            root,
        }
    }

    /// Whether it has everything that was reported.
    pub fn is_whole(&self) -> bool {
        self.heads.is_empty()
    }

    /// Its hashes.
    pub fn nodes(&self) -> &Nodes {
        &self.nodes
    }

    /// The header of its first record.
    pub fn first(&self) -> &[u8] {
        &self.first
    }

    /// Takes its next record, if that is covered by what was reported. Says whether a line of it was written.
    pub fn take(
        &mut self,
        folder: &mut Folder,
        record: &Record,
        described: Map<String, Value>,
    ) -> Result<bool, ExportError> {
        if self.is_whole() {
            return Ok(false);
        }
        let index = self.nodes.size();
        if index == 0 {
            self.first = record.raw.to_vec();
        }
        let leaf = Leaf::of(record, self.partition, index);
        self.nodes.push(leaf.hash());
        if let Some(events) = &mut self.events {
            let first = *self.seen.entry(leaf.event).or_insert(index);
            let text = line(described, record, index, (first != index).then_some(first));
            folder.add(events, text.as_bytes())?;
            // 133 bytes always fit.
            let _ = tile::put_leaf(&mut self.bundle, &leaf.bytes());
            if self.nodes.size().is_multiple_of(tile::WIDTH) {
                self.write_bundle(folder)?;
            }
        }
        self.compare()?;
        Ok(self.events.is_some())
    }

    /// Whether it is, with so many leaves, what its partition said.
    fn compare(&mut self) -> Result<(), ExportError> {
        let (size, partition, tenant) = (self.nodes.size(), self.partition, self.tenant);
        while let Some((_, root)) = self.heads.front().copied().filter(|(reported, _)| *reported <= size) {
            let (reported, _) = self.heads.pop_front().unwrap_or_default();
            if reported != size || root != self.nodes.root() {
                return Err(ExportError::Tree { tenant, partition, size: reported });
            }
            self.root = root;
        }
        Ok(())
    }

    fn write_bundle(&mut self, folder: &mut Folder) -> Result<(), ExportError> {
        let (place, rest) = ((self.nodes.size() - 1) / tile::WIDTH, self.nodes.size() % tile::WIDTH);
        let width = if rest == 0 { tile::WIDTH } else { rest };
        let bundle = Tile { level: None, place, width: width as u16 };
        folder.write(&layout::tile_at(&layout::tree(self.tenant, self.partition), &bundle), &self.bundle)?;
        self.bundle.clear();
        Ok(())
    }

    /// Writes what is left. Nothing for a tree whose events are not wanted.
    pub fn finish(&mut self, folder: &mut Folder) -> Result<Option<layout::Tree>, ExportError> {
        let Some(events) = self.events.take() else {
            return Ok(None);
        };
        folder.finish(events)?;
        if !self.bundle.is_empty() {
            self.write_bundle(folder)?;
        }
        let at = layout::tree(self.tenant, self.partition);
        for tile in tile::tiles(self.nodes.size()) {
            folder.write(&layout::tile_at(&at, &tile), &tile.hashes(&self.nodes)?)?;
        }
        let (tenant, root) = (hex::encode(self.tenant.0), hex::encode(self.root));
        Ok(Some(layout::Tree { tenant, partition: self.partition, size: self.nodes.size(), root }))
    }
}
