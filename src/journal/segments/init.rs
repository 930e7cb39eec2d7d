//! Making a journal: the first segment with every partition's genesis, complete before it gets its name.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::super::error::JournalError;
use super::super::genesis::Genesis;
use super::active::{Active, Batch, begin_segment};
use super::folder::{create_dir, list, prepared_path, segment_path, segments_dir};
use super::format::{BatchKind, SegmentHeader};
use super::lock::Lock;
use super::options::Options;
use super::prepare::zeroed;
use crate::domain::record::{Micros, Position};
use crate::domain::routing::PARTITION_COUNTS;

/// Makes a journal in `dir`, which is created if need be. A crash on the way leaves nothing that counts as a journal.
///
/// # Errors
/// [`JournalError::AlreadyInitialised`], and what the operating system says.
pub fn init(dir: &Path, genesis: Genesis, at: Micros, options: &Options) -> Result<(), JournalError> {
    if !PARTITION_COUNTS.contains(&genesis.count) {
        let (first, last) = (PARTITION_COUNTS.start(), PARTITION_COUNTS.end());
        return Err(JournalError::Options(format!("partitions: {} is not in {first}..={last}", genesis.count)));
    }
    options.check(genesis.count)?;
    create_dir(dir)?;
    let _lock = Lock::take(dir)?;
    let segments = segments_dir(dir);
    create_dir(&segments)?;
    match list(dir) {
        Err(JournalError::NotInitialised { .. }) => {}
        Err(error) => return Err(error),
        Ok(_) => return Err(JournalError::AlreadyInitialised { dir: dir.to_owned() }),
    }
    write(&segments, genesis, at, options)
}

fn write(segments: &Path, genesis: Genesis, at: Micros, options: &Options) -> Result<(), JournalError> {
    let medium = &*options.medium;
    let size = options.segment_bytes;
    let file = zeroed(&prepared_path(segments), size, medium, &AtomicBool::new(false))?;
    let bases = vec![0; usize::from(genesis.count)];
    let header = SegmentHeader { genesis, number: 1, size, sequence: 1, previous: [0; 32], bases };
    let again = file.try_clone().map_err(|error| JournalError::io("open", segments, &error))?;
    let mut active = Active::begin(again, segment_path(segments, 1), &header);
    let mut batch = Batch::default();
    let partitions: Vec<u16> = (0..genesis.count).collect();
    for some in partitions.chunks(options.batch_events) {
        batch.clear();
        for &partition in some {
            let record = genesis.record(partition, at).map_err(|error| JournalError::Options(error.to_string()))?;
            batch.put(partition, Position(0), &record);
        }
        active.write(&mut batch, BatchKind::Records, medium)?;
        active.advance(&batch);
    }
    begin_segment(segments, &file, &header, medium)?;
    Ok(())
}
