//! The trees: which there are, and each event in them.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Read};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Map, Value};

use super::super::export::{INSTALLATION, line};
use super::super::layout::{self, EVENTS, GENESIS, Genesis, Manifest, WRITTEN_BY, hash_of};
use super::Describe;
use super::files::Files;
use super::log::{Log, tiles};
use super::report::Report;
use super::scope::{Expected, complete, listed};
use crate::domain::audit::Hash;
use crate::domain::audit::entry::tag;
use crate::domain::audit::leaf::{self, Leaf};
use crate::domain::audit::proof::{Nodes, includes};
use crate::domain::audit::tile;
use crate::domain::event::Event;
use crate::domain::id::{EventId, TenantId};
use crate::domain::record::Record;

/// Bytes of a line: a record of one mebibyte in base64, and what is readable of it.
const MAX_LINE: u64 = 8 * 1024 * 1024;

/// Verifies which trees there are, and each of them.
pub fn all(
    files: &Files,
    (manifest, expected): (&Manifest, &Expected),
    log: &Log,
    describe: Describe<'_>,
    report: &mut Report,
) {
    genesis(files, manifest, log, report);
    report.partitions = manifest.partitions;
    if log.partitions.values().any(|partition| *partition >= manifest.partitions) {
        report.find(layout::LOG, "it has a tree of a partition that there is not");
    }
    let is_ours = manifest.written_by == WRITTEN_BY;
    report.written_by = (!is_ours).then(|| manifest.written_by.clone());
    let listed = listed(manifest, report);
    complete(expected, manifest, &listed, log, report);
    for ((tenant, partition), says) in &listed {
        let mut tree = Reading::new(files, (*tenant, *partition), log, report);
        tree.read(describe, is_ours);
        let found = (tree.nodes.size(), tree.nodes.root());
        if found != *says {
            tree.report.find(layout::MANIFEST, format!("{} is not of the size or root that it says", tree.folder));
        }
    }
    let folders: HashSet<String> = listed.keys().map(|(tenant, at)| layout::tree(*tenant, *at)).collect();
    for name in files.below("trees") {
        // trees/TENANT/PARTITION/…
        let folder = name.match_indices('/').nth(2).map(|(end, _)| &name[..end]);
        if !folder.is_some_and(|folder| folders.contains(folder)) {
            report.find(name, "it is in the folder of no tree");
        }
    }
}

/// The number of partitions is that of the genesis, which is the first leaf of the installation's own tree.
fn genesis(files: &Files, manifest: &Manifest, log: &Log, report: &mut Report) {
    let Some(bytes) = files.read(GENESIS, report) else { return };
    let read = serde_json::from_slice::<Genesis>(&bytes).ok();
    let same = |genesis: &Genesis| {
        serde_json::to_string(genesis).is_ok_and(|text| text + "\n" == String::from_utf8_lossy(&bytes))
    };
    let Some(genesis) = read.filter(same) else {
        return report.find(GENESIS, "it is not written as an export writes it");
    };
    let Some(record) = record(&genesis.header, None) else {
        return report.find(GENESIS, "its header is no record's");
    };
    let path: Option<Vec<Hash>> = genesis.path.iter().map(|hash| hash_of(hash)).collect();
    let head = log.heads.get(&tag(INSTALLATION, 0)).and_then(|heads| heads.last());
    let leaf = Leaf::of(&record, 0, 0).hash();
    let is_in = head.zip(path).is_some_and(|((size, root), path)| {
        *size == genesis.size && leaf::owner(&record) == INSTALLATION && includes(&leaf, 0, *size, &path, root)
    });
    if !is_in {
        report.find(GENESIS, "it is not proved to be the first event of the installation");
    }
    match record.event() {
        Ok(Event::Genesis(facts)) => {
            let installation = hex::encode(facts.installation.0);
            if (installation, facts.count) != (manifest.installation.clone(), manifest.partitions) {
                report.find(GENESIS, "it is of another installation, or counts other partitions");
            }
            let origin = format!("waybill/{}", facts.installation);
            if report.origin != origin && !report.origin.starts_with(&format!("{origin}/")) {
                report.find(GENESIS, "the checkpoint is of another installation's log");
            }
        }
        _ => report.find(GENESIS, "it is no genesis"),
    }
}

/// A record as its line has it.
fn record(header: &str, body: Option<&str>) -> Option<Record> {
    let (header, body) = (STANDARD.decode(header).ok()?, STANDARD.decode(body.unwrap_or_default()).ok()?);
    Record::decode(Bytes::from(header), Bytes::from(body)).ok()
}

/// A tree that is being verified.
struct Reading<'a> {
    tenant: TenantId,
    partition: u16,
    folder: String,
    files: &'a Files,
    nodes: Nodes,
    heads: &'a [(u64, Hash)],
    /// How many of the heads were compared.
    compared: usize,
    bundle: Vec<u8>,
    seen: HashMap<EventId, u64>,
    report: &'a mut Report,
}

impl<'a> Reading<'a> {
    fn new(files: &'a Files, (tenant, partition): (TenantId, u16), log: &'a Log, report: &'a mut Report) -> Self {
        let (tag, folder) = (tag(tenant, partition), layout::tree(tenant, partition));
        if log.partitions.get(&tag).is_some_and(|at| *at != partition) {
            report.find(&folder, "the log has it in another partition");
        }
        let heads = log.heads.get(&tag).map_or(&[][..], Vec::as_slice);
        let (nodes, bundle, seen) = (Nodes::default(), Vec::new(), HashMap::new());
        Self { tenant, partition, folder, files, nodes, heads, compared: 0, bundle, seen, report }
    }

    fn read(&mut self, describe: Describe<'_>, exactly: bool) {
        let name = format!("{}/{EVENTS}", self.folder);
        let Some(file) = self.files.open(&name, self.report) else { return };
        let mut reader = BufReader::new(file);
        let mut text = String::new();
        loop {
            text.clear();
            match reader.by_ref().take(MAX_LINE).read_line(&mut text) {
                Ok(0) => break,
                Ok(_) => {
                    if let Err(what) = self.take(&text, describe, exactly) {
                        let line = self.nodes.size() + 1;
                        self.report.find(&name, format!("line {line}: {what}"));
                        return;
                    }
                }
                Err(error) => return self.report.find(&name, format!("cannot be read: {error}")),
            }
        }
        self.end();
    }

    /// One event. What comes after a line that is none cannot be placed.
    fn take(&mut self, text: &str, describe: Describe<'_>, exactly: bool) -> Result<(), &'static str> {
        let index = self.nodes.size();
        let line: Map<String, Value> = serde_json::from_str(text).map_err(|_| "it is no JSON object")?;
        let header = line.get("header").and_then(Value::as_str).ok_or("it has no header")?;
        let record = record(header, line.get("body").and_then(Value::as_str)).ok_or("its header or body is not one")?;
        if leaf::owner(&record) != self.tenant {
            return Err("the event is of another tenant");
        }
        let leaf = Leaf::of(&record, self.partition, index);
        let first = *self.seen.entry(leaf.event).or_insert(index);
        let copy_of = (first != index).then_some(first);
        let expected = self::line(describe(&record), &record, index, copy_of);
        if text != expected {
            let derived: Map<String, Value> = serde_json::from_str(&expected).unwrap_or_default();
            let within =
                |(name, value): (&String, &Value)| derived.get(name).is_some_and(|derived| has(derived, value));
            if exactly || !line.iter().all(within) {
                return Err("what is readable of the event is not what its header says");
            }
        }
        self.report.copies += u64::from(copy_of.is_some());
        self.report.without_body += u64::from(record.body.is_empty() && record.header.body.is_some());
        let kind = record.event().map_or("Undecodable", |event| event.name());
        self.report.count(kind, record.header.at);
        self.nodes.push(leaf.hash());
        let _ = tile::put_leaf(&mut self.bundle, &leaf.bytes());
        if self.nodes.size().is_multiple_of(tile::WIDTH) {
            self.compare_bundle();
        }
        self.compare_heads()
    }

    fn compare_heads(&mut self) -> Result<(), &'static str> {
        let size = self.nodes.size();
        while let Some((_, root)) = self.heads.get(self.compared).filter(|(reported, _)| *reported <= size) {
            if *root != self.nodes.root() {
                return Err("up to here the tree is not the one that the log has");
            }
            self.compared += 1;
        }
        Ok(())
    }

    fn compare_bundle(&mut self) {
        let (place, rest) = ((self.nodes.size() - 1) / tile::WIDTH, self.nodes.size() % tile::WIDTH);
        let width = if rest == 0 { tile::WIDTH } else { rest };
        let name = layout::tile_at(&self.folder, &tile::Tile { level: None, place, width: width as u16 });
        if self.files.read(&name, self.report).is_some_and(|found| found != self.bundle) {
            self.report.find(&name, "its leaves are not those of the events");
        }
        self.bundle.clear();
    }

    fn end(&mut self) {
        if !self.bundle.is_empty() {
            self.compare_bundle();
        }
        tiles(self.files, &self.folder, &self.nodes, self.report);
        let last = self.heads.last().map(|(size, _)| *size);
        if self.compared != self.heads.len() || last != Some(self.nodes.size()) {
            let (found, wanted) = (self.nodes.size(), last.unwrap_or(0));
            self.report.find(&self.folder, format!("it has {found} events, and the log has it with {wanted}"));
        }
        self.report.trees += 1;
    }
}

/// Whether a value that was derived has everything that another version wrote.
fn has(derived: &Value, written: &Value) -> bool {
    match (derived, written) {
        (Value::Object(derived), Value::Object(written)) => {
            written.iter().all(|(name, value)| derived.get(name).is_some_and(|derived| has(derived, value)))
        }
        (Value::Array(derived), Value::Array(written)) => {
            derived.len() == written.len() && derived.iter().zip(written).all(|(derived, value)| has(derived, value))
        }
        _ => derived == written,
    }
}
