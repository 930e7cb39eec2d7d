//! Who signed, and whether the log is still the one that others have seen.

use super::super::layout::{CHECKPOINT, KEY};
use super::super::sign::holds;
use super::Asked;
use super::files::Files;
use super::log::Log;
use super::report::Report;
use crate::domain::audit::Checkpoint;
use crate::domain::audit::note::{KeyKind, Note, NoteKey};
use crate::domain::audit::proof::root;

/// What the export's own checkpoint says, and the key it is signed with.
pub struct Signed {
    /// What it says.
    pub says: Checkpoint,
    /// With which key.
    pub key: NoteKey,
}

/// The export's checkpoint, if it is one. A signature that does not hold is found, and the rest is looked at all the same.
pub fn signed(files: &Files, asked: &Asked, report: &mut Report) -> Option<Signed> {
    let (bytes, key) = (files.read(CHECKPOINT, report)?, files.read(KEY, report)?);
    let own = match std::str::from_utf8(&key).ok().map(NoteKey::parse) {
        Some(Ok(own)) if format!("{own}\n").as_bytes() == key => Some(own),
        Some(Err(error)) => {
            report.find(KEY, error.to_string());
            None
        }
        _ => {
            report.find(KEY, "it is not written as an export writes it");
            None
        }
    };
    let (note, says) = note(CHECKPOINT, &bytes, report)?;
    if note.to_string().as_bytes() != bytes {
        report.find(CHECKPOINT, "it is not written as an export writes it");
    }
    let key = asked.key.clone().or_else(|| own.clone())?;
    if own.is_some_and(|own| own != key) {
        report.find(KEY, "it is another key than the one that was handed in");
    }
    if key.kind != KeyKind::Ed25519 || key.name != says.origin {
        report.find(KEY, format!("a key of `{}` does not sign for `{}`", key.name, says.origin));
    }
    if key.signed(&note, holds).is_none() {
        report.find(CHECKPOINT, "its signature is not one of the log's key");
    }
    report.origin.clone_from(&says.origin);
    (report.entries, report.root, report.is_foreign_key) = (says.size, says.root, asked.key.is_some());
    for witness in &asked.witnesses {
        match witness.signed(&note, holds) {
            Some(time) => report.witnesses.push((witness.name.clone(), time)),
            None => report.find(CHECKPOINT, format!("the witness {} did not sign it", witness.name)),
        }
    }
    Some(Signed { says, key })
}

/// Checkpoints that were kept elsewhere.
pub fn kept(asked: &Asked, signed: &Signed, log: &Log, report: &mut Report) {
    for (name, bytes) in &asked.checkpoints {
        let Some((note, says)) = note(name, bytes, report) else { continue };
        if says.origin != signed.says.origin {
            report.find(name, format!("it is of another log, `{}`", says.origin));
        } else if signed.key.signed(&note, holds).is_none() {
            report.find(name, "its signature is not one of the log's key");
        } else if says.size > log.nodes.size() {
            report.find(name, format!("it is of {} entries, and the export's log has {}", says.size, log.nodes.size()));
        } else if root(&log.nodes, says.size) != Ok(says.root) {
            report.find(name, format!("the log does not begin with the {} entries that it is of", says.size));
        } else {
            report.extends.push((name.clone(), says.size));
        }
    }
}

fn note(name: &str, bytes: &[u8], report: &mut Report) -> Option<(Note, Checkpoint)> {
    let note = match Note::parse(bytes) {
        Ok(note) => note,
        Err(error) => {
            report.find(name, error.to_string());
            return None;
        }
    };
    match Checkpoint::parse(&note.text) {
        Ok(says) if says.to_string() == note.text => Some((note, says)),
        Ok(_) => {
            report.find(name, "a checkpoint of Waybill has no extensions");
            None
        }
        Err(error) => {
            report.find(name, error.to_string());
            None
        }
    }
}
