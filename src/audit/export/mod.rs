//! Writing an export: whoever reads the records hands them in, in their order; what does not agree with the checkpoint is
//! found out here already.
//!
//! First the records of the partition in which the audit lives, up to where it was signed: they make the log, which says how
//! large each tree is. Then those of each partition, for as long as it asks for more.

mod log;
mod tree;

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

use super::folder::{FileError, Folder};
use super::layout::{self, Genesis, Manifest};
use crate::domain::audit::note::{Note, NoteKey};
use crate::domain::audit::proof::{NoSubtree, inclusion};
use crate::domain::audit::{Checkpoint, leaf};
use crate::domain::id::{InstallationId, TenantId};
use crate::domain::record::Record;

pub use log::Log;
use tree::Tree;
pub use tree::line;

/// Whose the installation's own events are.
pub const INSTALLATION: TenantId = TenantId([0; 16]);

/// Why there is no export.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A file cannot be written.
    #[error("cannot write {0}")]
    File(#[from] FileError),
    /// The log is not the one that was signed.
    #[error("the journal's log is not the one that was signed: {0}")]
    Log(&'static str),
    /// A tree is not the one that its partition said.
    #[error("the tree of {tenant} in partition {partition} is not the one that was reported with {size} events")]
    Tree {
        /// Whose.
        tenant: TenantId,
        /// Where.
        partition: u16,
        /// At which size.
        size: u64,
    },
    /// The journal ends early.
    #[error("partition {0} ends before everything that was signed for")]
    Short(u16),
    /// The list of files would be larger than whoever verifies reads.
    #[error("{0} trees are more than one export may list: export some tenants at a time")]
    TooMany(usize),
    /// No tenant was named, and it is not one of all.
    #[error("an export is one of all, or of tenants that are named")]
    OfNobody,
    /// A tree's hashes are not there.
    #[error(transparent)]
    Nodes(#[from] NoSubtree),
}

/// What is exported.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The installation.
    pub installation: InstallationId,
    /// How many partitions it has.
    pub partitions: u16,
    /// Whose events; of all where there is none.
    pub tenants: Option<Vec<TenantId>>,
    /// What was signed.
    pub note: Note,
    /// With which key.
    pub key: NoteKey,
}

impl Scope {
    fn has(&self, tenant: TenantId) -> bool {
        self.tenants.as_ref().is_none_or(|tenants| tenants.contains(&tenant))
    }
}

/// An export that is being written.
#[derive(Debug)]
pub struct Export {
    scope: Scope,
    log: Log,
    folder: Folder,
    /// Trees of the partition that is read.
    open: BTreeMap<TenantId, Tree>,
    partition: u16,
    trees: Vec<layout::Tree>,
    events: u64,
}

impl Export {
    /// Begins with a log that was read up to the place at which it was signed.
    ///
    /// # Errors
    /// When it is another one, or the folder cannot be written.
    pub fn begin(dir: &Path, scope: Scope, log: Log) -> Result<Self, ExportError> {
        if scope.tenants.as_ref().is_some_and(Vec::is_empty) {
            return Err(ExportError::OfNobody);
        }
        let signed = Checkpoint::parse(&scope.note.text).map_err(|_| ExportError::Log("the note is no checkpoint"))?;
        if log.size() != signed.size {
            return Err(ExportError::Log("it has another size"));
        }
        if log.root() != signed.root {
            return Err(ExportError::Log("it has another root"));
        }
        let mut folder = Folder::create(dir)?;
        folder.write(layout::CHECKPOINT, scope.note.to_string().as_bytes())?;
        folder.write(layout::KEY, format!("{}\n", scope.key).as_bytes())?;
        log.write(&mut folder)?;
        Ok(Self { scope, log, folder, open: BTreeMap::new(), partition: 0, trees: Vec::new(), events: 0 })
    }

    /// Begins a partition. Says whether anything of it is wanted.
    pub fn enter(&mut self, partition: u16) -> bool {
        self.partition = partition;
        for (tenant, heads) in self.log.heads_of(partition) {
            let genesis = tenant == INSTALLATION && partition == 0;
            let wanted = self.scope.has(tenant);
            if wanted || genesis {
                let tree = Tree::new(&self.folder, (tenant, partition), heads, wanted);
                self.open.insert(tenant, tree);
            }
        }
        !self.open.is_empty()
    }

    /// Takes the next record of the partition; `described` is what people read of it. Says whether more are wanted.
    ///
    /// # Errors
    /// When a tree is not what was reported, or cannot be written.
    pub fn take(&mut self, record: &Record, described: Map<String, Value>) -> Result<bool, ExportError> {
        if let Some(tree) = self.open.get_mut(&leaf::owner(record)) {
            self.events += u64::from(tree.take(&mut self.folder, record, described)?);
        }
        Ok(self.open.values().any(|tree| !tree.is_whole()))
    }

    /// Ends the partition.
    ///
    /// # Errors
    /// When the journal ended before everything was there.
    pub fn leave(&mut self) -> Result<(), ExportError> {
        for (tenant, mut tree) in std::mem::take(&mut self.open) {
            if !tree.is_whole() {
                return Err(ExportError::Short(self.partition));
            }
            if tenant == INSTALLATION && self.partition == 0 {
                let text = genesis(&tree)?;
                self.folder.write(layout::GENESIS, text.as_bytes())?;
            }
            self.trees.extend(tree.finish(&mut self.folder)?);
        }
        Ok(())
    }

    /// Ends the export. Says how many events it has.
    ///
    /// # Errors
    /// When the manifest cannot be written.
    pub fn finish(mut self) -> Result<u64, ExportError> {
        self.trees.sort();
        let hex_of = |tenants: &Vec<TenantId>| tenants.iter().map(|tenant| hex::encode(tenant.0)).collect();
        let manifest = Manifest {
            format: layout::FORMAT.to_owned(),
            written_by: layout::WRITTEN_BY.to_owned(),
            installation: hex::encode(self.scope.installation.0),
            partitions: self.scope.partitions,
            tenants: self.scope.tenants.as_ref().map(hex_of),
            trees: self.trees,
            files: self.folder.files().clone(),
        };
        let text = manifest.text();
        if text.len() as u64 > layout::MAX_MANIFEST {
            return Err(ExportError::TooMany(manifest.trees.len()));
        }
        self.folder.write(layout::MANIFEST, text.as_bytes())?;
        Ok(self.events)
    }
}

fn genesis(tree: &Tree) -> Result<String, ExportError> {
    let size = tree.nodes().size();
    let path = inclusion(tree.nodes(), 0, size)?;
    let header = STANDARD.encode(tree.first());
    let genesis = Genesis { header, size, path: path.iter().map(hex::encode).collect() };
    Ok(serde_json::to_string(&genesis).unwrap_or_default() + "\n")
}
