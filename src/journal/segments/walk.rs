//! Walking through a segment batch by batch, checking that each follows from the one before.

use std::fs::File;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::error::JournalError;
use super::format::batch::BATCH_MAGIC;
use super::format::segment::{BadHeader, SEAL_MAGIC, VERSION};
use super::format::{BATCH, BatchHeader, Frame, Place, SEAL, Seal, SegmentHeader};
use super::window::{SCAN, Window, last_nonzero};
use crate::domain::record::Position;

/// What to do about damage that no crash leaves behind.
pub const RESTORE: &str = "Nothing was changed. Restore the file from a copy; if there is none, keep this folder as \
                           it is and export what is readable";

/// How closely records are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Checksums of frames: prefix and header.
    Frames,
    /// Also decodes headers and checks bodies against their digests.
    Bodies,
}

/// What stands at one offset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A whole batch that follows.
    Batch {
        /// Where it begins.
        offset: u64,
        /// Its header.
        header: BatchHeader,
    },
    /// The seal; it matches what it seals.
    Sealed(Seal),
    /// Zeros up to the end of the file.
    End,
    /// Neither: a torn write or damage.
    Damaged {
        /// Where.
        offset: u64,
        /// What is wrong.
        what: String,
        /// Where the damaged batch ends, if its header is whole.
        end: Option<u64>,
    },
}

/// What has been read so far: what the next batch must follow.
#[derive(Clone)]
pub struct Reached {
    /// Sequence number the next batch must have.
    pub sequence: u64,
    /// For each partition the position its next record must have.
    pub ends: Vec<u64>,
    /// Digest over what the seal covers.
    pub hash: Sha256,
    /// Where the next batch begins.
    pub offset: u64,
    /// Records seen.
    pub records: u64,
    /// The last batch: where, and what.
    pub last: Option<(u64, BatchHeader)>,
}

/// A segment on disk, being walked through.
pub struct Walk<'a> {
    file: &'a File,
    path: PathBuf,
    window: Window<'a>,
    /// The segment's header.
    pub header: SegmentHeader,
    /// What has been read so far.
    pub reached: Reached,
}

/// Reads and checks a segment's header.
pub fn read_header(file: &File, path: &Path) -> Result<SegmentHeader, JournalError> {
    let mut window = Window::new(file, 4096);
    let io = |error| JournalError::io("read", path, &error);
    let first = window.at(0, 4096).map_err(io)?;
    let length = SegmentHeader::announced(first).map_err(|bad| bad_header(path, bad))?;
    let bytes = window.at(0, length).map_err(io)?;
    SegmentHeader::decode(bytes).map_err(|bad| bad_header(path, bad))
}

fn bad_header(path: &Path, bad: BadHeader) -> JournalError {
    match bad {
        BadHeader::Damaged(what) => corrupt(path, 0, what),
        BadHeader::Version(found) => {
            JournalError::Version { file: path.to_owned(), what: "format version", found, known: VERSION }
        }
    }
}

/// Damage that no crash leaves behind.
pub fn corrupt(path: &Path, offset: u64, what: impl Into<String>) -> JournalError {
    JournalError::Corrupt { file: path.to_owned(), offset, what: what.into(), remedy: RESTORE.to_owned() }
}

impl<'a> Walk<'a> {
    /// At the first batch of a segment.
    pub fn new(file: &'a File, path: &Path) -> Result<Self, JournalError> {
        let header = read_header(file, path)?;
        let mut hash = Sha256::new();
        hash.update(header.encode());
        let reached = Reached {
            sequence: header.sequence,
            ends: header.bases.clone(),
            hash,
            offset: header.length(),
            records: 0,
            last: None,
        };
        Ok(Self { file, path: path.to_owned(), window: Window::new(file, SCAN), header, reached })
    }

    /// Goes one step. `visit` sees each frame of a batch with its offset, after the whole batch was checked.
    ///
    /// # Errors
    /// When the disk cannot be read, or when what stands there is whole but does not follow from what stands before.
    pub fn step(&mut self, depth: Depth, mut visit: impl FnMut(u64, &Frame<'_>)) -> Result<Step, JournalError> {
        let offset = self.reached.offset;
        let io = |error| JournalError::io("read", &self.path, &error);
        let head = self.window.at(offset, SEAL).map_err(io)?;
        if let Some(seal) = Seal::decode(head) {
            return self.seal(seal);
        }
        let Some(header) = BatchHeader::decode(head) else {
            return self.neither();
        };
        succeeds(&self.reached, &self.header, &self.path, &header)?;
        let whole = BATCH + header.bytes as usize;
        let batch = self.window.at(offset, whole).map_err(io)?;
        if let Err((at, what)) = check(batch, &header, depth) {
            return Ok(Step::Damaged { offset: offset + at, what, end: Some(offset + whole as u64) });
        }
        follow(&mut self.reached, &self.path, batch, &header)?;
        each_frame(&batch[BATCH..], |at, frame| visit(offset + (BATCH + at) as u64, frame));
        Ok(Step::Batch { offset, header })
    }

    fn seal(&self, seal: Seal) -> Result<Step, JournalError> {
        let digest: [u8; 32] = self.reached.hash.clone().finalize().into();
        if seal.length != self.reached.offset || seal.sequence != self.reached.sequence || seal.sha256 != digest {
            return Err(corrupt(&self.path, self.reached.offset, "the seal does not match the segment before it"));
        }
        let rest = last_nonzero(self.file, self.reached.offset + SEAL as u64)
            .map_err(|error| JournalError::io("read", &self.path, &error))?;
        match rest {
            Some(end) => Err(corrupt(&self.path, end - 1, "something stands after the seal")),
            None => Ok(Step::Sealed(seal)),
        }
    }

    fn neither(&self) -> Result<Step, JournalError> {
        let offset = self.reached.offset;
        let rest = last_nonzero(self.file, offset).map_err(|error| JournalError::io("read", &self.path, &error))?;
        Ok(match rest {
            None => Step::End,
            Some(_) => {
                let what = "neither a batch nor a seal begins here".to_owned();
                Step::Damaged { offset, what, end: None }
            }
        })
    }

    /// Looks behind damage for something that was written later. If there is, what is damaged had been synced. Behind a
    /// batch whose `end` is known anything counts, since a batch is begun only on zeros; else a batch or a seal.
    pub fn later(&self, offset: u64, end: Option<u64>) -> Result<Option<u64>, JournalError> {
        let io = |error| JournalError::io("read", &self.path, &error);
        let last = last_nonzero(self.file, end.unwrap_or(offset)).map_err(io)?;
        match (last, end) {
            (Some(last), None) => self.search(offset + 1, last),
            (last, _) => Ok(last.map(|last| last - 1)),
        }
    }

    fn search(&self, from: u64, end: u64) -> Result<Option<u64>, JournalError> {
        let mut window = Window::new(self.file, SCAN);
        let mut at = from;
        while at < end {
            let piece = window.at(at, SCAN).map_err(|error| JournalError::io("read", &self.path, &error))?;
            for (n, start) in piece.windows(4).enumerate() {
                let magic = start == BATCH_MAGIC || start == SEAL_MAGIC;
                if magic && self.is_later(&piece[n..]) {
                    return Ok(Some(at + n as u64));
                }
            }
            // The next piece begins so far back that one cut in two here is whole there.
            at += (piece.len().saturating_sub(SEAL - 1)).max(1) as u64;
        }
        Ok(None)
    }

    fn is_later(&self, bytes: &[u8]) -> bool {
        let batch = BatchHeader::decode(bytes)
            .is_some_and(|it| it.segment == self.header.number as u32 && it.sequence > self.reached.sequence);
        batch || Seal::decode(bytes).is_some_and(|seal| seal.sequence >= self.reached.sequence)
    }
}

/// Calls `visit` with the frames of a batch that was checked before.
fn each_frame(mut bytes: &[u8], mut visit: impl FnMut(usize, &Frame<'_>)) {
    let mut at = 0;
    while let Ok(frame) = Frame::parse(bytes) {
        visit(at, &frame);
        at += frame.length();
        bytes = &bytes[frame.length()..];
    }
}

/// Checks a batch in itself: what a torn write breaks. Says where and what.
fn check(batch: &[u8], header: &BatchHeader, depth: Depth) -> Result<(), (u64, String)> {
    let whole = BATCH + header.bytes as usize;
    if batch.len() < whole {
        return Err((0, format!("a batch of {whole} bytes is cut off after {}", batch.len())));
    }
    let (mut at, mut records) = (BATCH, 0);
    while at < whole {
        let read = Frame::parse(&batch[at..]).and_then(|frame| match depth {
            Depth::Frames => Ok(frame),
            Depth::Bodies => frame.check().map(|_| frame),
        });
        let frame = read.map_err(|what| (at as u64, what))?;
        at += frame.length();
        records += 1;
    }
    if records != header.records {
        return Err((0, format!("a batch names {} records and has {records}", header.records)));
    }
    Ok(())
}

/// Checks that a batch header is the next one. A whole header of another batch is never a torn write.
fn succeeds(reached: &Reached, segment: &SegmentHeader, path: &Path, header: &BatchHeader) -> Result<(), JournalError> {
    if header.segment != segment.number as u32 {
        return Err(corrupt(path, reached.offset, format!("a batch of segment {} stands here", header.segment)));
    }
    if header.sequence != reached.sequence {
        let what = format!("batch {} stands where batch {} should", header.sequence, reached.sequence);
        return Err(corrupt(path, reached.offset, what));
    }
    Ok(())
}

/// Checks that the records of a whole batch follow from what stands before, and goes on to its end.
fn follow(reached: &mut Reached, path: &Path, batch: &[u8], header: &BatchHeader) -> Result<(), JournalError> {
    let offset = reached.offset;
    reached.hash.update(&batch[..BATCH]);
    let mut wrong = None;
    each_frame(&batch[BATCH..], |at, frame| {
        frame.digest_into(&mut reached.hash);
        let expected = reached.ends.get_mut(usize::from(frame.partition));
        match expected {
            Some(end) if frame.place == Place::At(Position(*end)) => *end += 1,
            _ => wrong = wrong.or(Some((at, frame.partition, frame.place))),
        }
    });
    if let Some((at, partition, position)) = wrong {
        let what = format!("position {position} of partition {partition} is out of order");
        return Err(corrupt(path, offset + (BATCH + at) as u64, what));
    }
    reached.sequence += 1;
    reached.records += u64::from(header.records);
    reached.offset += header.length();
    reached.last = Some((offset, *header));
    Ok(())
}
