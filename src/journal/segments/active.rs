//! The segment that is written to: batches, the seal, and the next segment.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::super::error::JournalError;
use super::super::genesis::Genesis;
use super::folder::{prepared_path, segment_path, sync_dir};
use super::format::{BATCH, BatchHeader, BatchKind, Place, SEAL, Seal, SegmentHeader, frame};
use super::medium::Medium;
use crate::domain::record::{Position, Record};

/// Where the journal ends, and what is needed to go on from there.
pub struct Active {
    /// The open segment.
    pub file: Arc<File>,
    /// Its path.
    pub path: PathBuf,
    /// Its number.
    pub number: u64,
    /// Bytes of the file.
    pub size: u64,
    /// Where the next batch goes.
    pub offset: u64,
    /// Sequence number of the next batch.
    pub sequence: u64,
    /// For each partition the position of the next record.
    pub ends: Vec<u64>,
    /// Digest over what the seal will cover.
    pub hash: Sha256,
}

/// One batch as it will be written; the buffer is used again.
#[derive(Default)]
pub struct Batch {
    /// Header and frames.
    pub bytes: Vec<u8>,
    /// Where each record's frame begins, from the beginning of the batch.
    pub offsets: Vec<u32>,
}

impl Batch {
    /// Begins a batch.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.bytes.resize(BATCH, 0);
        self.offsets.clear();
    }

    /// Adds a record.
    pub fn put(&mut self, partition: u16, position: Position, record: &Record) {
        self.offsets.push(self.bytes.len() as u32);
        frame::put(&mut self.bytes, partition, Place::At(position), record);
    }

    /// Writes the header in front of the frames.
    fn finish(&mut self, sequence: u64, number: u64, kind: BatchKind) {
        let header = BatchHeader {
            sequence,
            records: self.offsets.len() as u32,
            bytes: (self.bytes.len() - BATCH) as u32,
            kind,
            segment: number as u32,
        };
        self.bytes[..BATCH].copy_from_slice(&header.encode());
    }

    /// Adds to a digest what a seal covers of this batch.
    fn digest_into(&self, hash: &mut Sha256) {
        hash.update(&self.bytes[..BATCH]);
        for &offset in &self.offsets {
            if let Ok(frame) = frame::Frame::parse(&self.bytes[offset as usize..]) {
                frame.digest_into(hash);
            }
        }
    }
}

impl Active {
    /// The beginning of a segment whose header was just written.
    pub fn begin(file: File, path: PathBuf, header: &SegmentHeader) -> Self {
        let mut hash = Sha256::new();
        hash.update(header.encode());
        Self {
            file: Arc::new(file),
            path,
            number: header.number,
            size: header.size,
            offset: header.length(),
            sequence: header.sequence,
            ends: header.bases.clone(),
            hash,
        }
    }

    /// Whether a batch of so many bytes fits, with its header and the seal behind it.
    pub fn fits(&self, bytes: usize) -> bool {
        self.offset + (BATCH + bytes + SEAL) as u64 <= self.size
    }

    /// Finishes a batch and writes it. Only then, after [`Active::sync`], [`Active::advance`].
    ///
    /// # Errors
    /// After one the segment must not be written to any more: some of the bytes may stand there.
    pub fn write(&self, batch: &mut Batch, kind: BatchKind, medium: &dyn Medium) -> Result<(), JournalError> {
        batch.finish(self.sequence, self.number, kind);
        let written = medium.write(&self.file, &batch.bytes, self.offset);
        written.map_err(|error| JournalError::io("write", &self.path, &error))
    }

    /// Syncs the segment.
    ///
    /// # Errors
    /// After one nothing more may be written, and no sync tried again.
    pub fn sync(&self, medium: &dyn Medium) -> Result<(), JournalError> {
        medium.sync(&self.file).map_err(|error| JournalError::io("sync", &self.path, &error))
    }

    /// Counts a written batch in. `ends` are counted by whoever gave out the positions.
    pub fn advance(&mut self, batch: &Batch) {
        batch.digest_into(&mut self.hash);
        self.offset += batch.bytes.len() as u64;
        self.sequence += 1;
    }

    /// Goes over to a new segment: first the new one stands under its name, then the old one is sealed. So a sealed
    /// segment without a successor is a lost file, and a crash in between leaves an empty successor, which names the
    /// digest that the missing seal must have.
    ///
    /// # Errors
    /// After one nothing more may be written.
    pub fn roll(&mut self, genesis: Genesis, fresh: File, size: u64, medium: &dyn Medium) -> Result<(), JournalError> {
        let header = SegmentHeader {
            genesis,
            number: self.number + 1,
            size,
            sequence: self.sequence,
            previous: self.hash.clone().finalize().into(),
            bases: self.ends.clone(),
        };
        let segments = self.path.parent().unwrap_or(Path::new("."));
        let path = begin_segment(segments, &fresh, &header, medium)?;
        self.seal(header.previous, medium)?;
        *self = Self::begin(fresh, path, &header);
        Ok(())
    }

    /// Writes the seal and gives back the zeros behind it.
    pub fn seal(&self, sha256: [u8; 32], medium: &dyn Medium) -> Result<(), JournalError> {
        let seal = Seal { sequence: self.sequence, length: self.offset, sha256 };
        let written = medium.write(&self.file, &seal.encode(), self.offset);
        written.map_err(|error| JournalError::io("seal", &self.path, &error))?;
        self.sync(medium)?;
        // Only saves space: a sealed segment with zeros behind its seal is whole, too.
        let cut = self.file.set_len(self.offset + SEAL as u64);
        cut.map_err(|error| JournalError::io("shorten", &self.path, &error))
    }
}

/// Writes a header into a file of zeros, syncs it, and only then gives the file its name.
pub fn begin_segment(
    segments: &Path,
    file: &File,
    header: &SegmentHeader,
    medium: &dyn Medium,
) -> Result<PathBuf, JournalError> {
    let (from, path) = (prepared_path(segments), segment_path(segments, header.number));
    let written = medium.write(file, &header.encode(), 0).and_then(|()| medium.sync(file));
    written.map_err(|error| JournalError::io("begin", &path, &error))?;
    fs::rename(&from, &path).map_err(|error| JournalError::io("name", &path, &error))?;
    sync_dir(segments)?;
    Ok(path)
}
