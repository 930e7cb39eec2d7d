//! Whether an export proves what it says. It needs no network, no secret, and nothing of the installation.
//!
//! | what | is compared with |
//! | --- | --- |
//! | every file | the manifest, both ways |
//! | the checkpoint's signature | the key that was handed in, or else the export's own |
//! | checkpoints kept elsewhere | the log, at their size: this alone finds out whoever has the log's key |
//! | the log's entries and tiles | the checkpoint's size and root |
//! | each tree | every head that the log has of it: size, root, and that nothing is missing |
//! | each event | its leaf, its body's digest, and what is readable of it, re-derived from its header |
//! | whose events these are | what the auditor expects; the manifest alone says nothing |
//! | which trees there are | the log: all of it, or all of each tenant in every partition that the genesis counts |

mod checkpoint;
mod files;
mod log;
mod report;
mod scope;
mod tree;

use std::path::Path;

use serde_json::{Map, Value};

pub use report::{Finding, Report};
pub use scope::Expected;

use super::layout::{self, Manifest};
use crate::domain::audit::note::NoteKey;
use crate::domain::record::Record;
use files::Files;

/// What people read of an event, re-derived from its record.
pub type Describe<'a> = &'a dyn Fn(&Record) -> Map<String, Value>;

/// What the auditor brings along.
#[derive(Debug, Default)]
pub struct Asked {
    /// The log's key, from somewhere else than the export.
    pub key: Option<NoteKey>,
    /// Checkpoints that were kept: a name for each, and its bytes.
    pub checkpoints: Vec<(String, Vec<u8>)>,
    /// Whose events there must be.
    pub expected: Expected,
    /// Keys of witnesses that must have signed.
    pub witnesses: Vec<NoteKey>,
}

/// Verifies the export in a folder. What is wrong stands in the report.
#[must_use]
pub fn verify(dir: &Path, asked: &Asked, describe: Describe<'_>) -> Report {
    let mut report = Report::default();
    let mut files = Files::of(dir, &mut report);
    let Some(manifest) = manifest(&files, &mut report) else {
        return report;
    };
    files.compare(&manifest, &mut report);
    let Some(signed) = checkpoint::signed(&files, asked, &mut report) else {
        return report;
    };
    let log = log::read(&files, &signed, &mut report);
    checkpoint::kept(asked, &signed, &log, &mut report);
    tree::all(&files, (&manifest, &asked.expected), &log, describe, &mut report);
    report
}

fn manifest(files: &Files, report: &mut Report) -> Option<Manifest> {
    let bytes = files.read_up_to(layout::MANIFEST, layout::MAX_MANIFEST, report)?;
    match serde_json::from_slice::<Manifest>(&bytes) {
        Ok(manifest) if manifest.format != layout::FORMAT => {
            report.find(layout::MANIFEST, format!("the format is `{}`, not `{}`", manifest.format, layout::FORMAT));
            None
        }
        Ok(manifest) => {
            if manifest.text().as_bytes() != bytes {
                report.find(layout::MANIFEST, "it is not written as an export writes it");
            }
            Some(manifest)
        }
        Err(error) => {
            report.find(layout::MANIFEST, format!("it is no manifest: {error}"));
            None
        }
    }
}
