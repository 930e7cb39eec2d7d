//! The index of one segment: where each position's frame begins. Built by reading the segment, never stored.

use std::fs::File;
use std::path::Path;

use super::super::error::JournalError;
use super::walk::{Depth, Step, Walk, corrupt};

/// Offsets of frames: four bytes a record, so a full segment of 64 MiB with 400-byte records takes 0.6 MiB.
#[derive(Debug, Clone)]
pub struct Index {
    partitions: Vec<(u64, Vec<u32>)>,
}

impl Index {
    /// Of a segment without records, where the partitions begin at these positions.
    pub fn new(bases: &[u64]) -> Self {
        Self { partitions: bases.iter().map(|&base| (base, Vec::new())).collect() }
    }

    /// Adds the next record of a partition.
    pub fn push(&mut self, partition: u16, offset: u64) {
        if let Some((_, offsets)) = self.partitions.get_mut(usize::from(partition)) {
            // Segments have at most 1 GiB.
            offsets.push(offset as u32);
        }
    }

    /// Where the frames from a position on begin.
    pub fn from(&self, partition: u16, position: u64) -> &[u32] {
        let found = self.partitions.get(usize::from(partition)).and_then(|(base, offsets)| {
            let skip = usize::try_from(position.checked_sub(*base)?).ok()?;
            offsets.get(skip..)
        });
        found.unwrap_or_default()
    }

    /// Reads a sealed segment.
    ///
    /// # Errors
    /// Damage: a sealed segment is whole.
    pub fn build(file: &File, path: &Path) -> Result<Self, JournalError> {
        let mut walk = Walk::new(file, path)?;
        let mut index = Self::new(&walk.header.bases);
        loop {
            match walk.step(Depth::Frames, |offset, frame| index.push(frame.partition, offset))? {
                Step::Batch { .. } => {}
                Step::Sealed(_) => return Ok(index),
                Step::End => return Err(corrupt(path, walk.reached.offset, "the seal is missing")),
                Step::Damaged { offset, what, .. } => return Err(corrupt(path, offset, what)),
            }
        }
    }
}
