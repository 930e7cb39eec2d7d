//! What came of verifying: what was proved, and what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::id::TenantId;

/// Findings that are kept; beyond that they are counted.
const MAX: usize = 200;

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// In which file, or about what.
    pub place: String,
    /// What.
    pub what: String,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Report {
    /// The log's name.
    pub origin: String,
    /// Its entries.
    pub entries: u64,
    /// The root over them.
    pub root: [u8; 32],
    /// The key is the auditor's own, not the export's.
    pub is_foreign_key: bool,
    /// Checkpoints from elsewhere that the log extends: name and size.
    pub extends: Vec<(String, u64)>,
    /// Witnesses that signed, and when they saw it, in seconds since 1970.
    pub witnesses: Vec<(String, u64)>,
    /// Whose events these are; of all where there is none.
    pub tenants: Option<BTreeSet<TenantId>>,
    /// The auditor said whose events there must be.
    pub is_scope_asked: bool,
    /// Of those the ones of whom the log has nothing, in any partition.
    pub nothing_of: Vec<TenantId>,
    /// Partitions of the installation.
    pub partitions: u16,
    /// Trees that were verified.
    pub trees: u64,
    /// Events that were verified.
    pub events: u64,
    /// Of those second copies.
    pub copies: u64,
    /// Bodies that are not in the export.
    pub without_body: u64,
    /// How many of each kind, by its name.
    pub kinds: BTreeMap<String, u64>,
    /// The first and the last time that an event says, in microseconds since 1970.
    pub times: Option<(i64, i64)>,
    /// What the readable part was not compared in full: another version wrote it.
    pub written_by: Option<String>,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// How many more things are.
    pub more: u64,
}

impl Report {
    /// Whether everything is as it should be.
    #[must_use]
    pub fn is_good(&self) -> bool {
        self.findings.is_empty()
    }

    /// Something is wrong.
    pub fn find(&mut self, place: &str, what: impl Into<String>) {
        if self.findings.len() < MAX {
            self.findings.push(Finding { place: place.to_owned(), what: what.into() });
        } else {
            self.more += 1;
        }
    }

    pub(super) fn count(&mut self, kind: &str, at: i64) {
        self.events += 1;
        match self.kinds.get_mut(kind) {
            Some(count) => *count += 1,
            None => _ = self.kinds.insert(kind.to_owned(), 1),
        }
        let (first, last) = self.times.unwrap_or((at, at));
        self.times = Some((first.min(at), last.max(at)));
    }
}
