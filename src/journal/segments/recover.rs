//! Opening a folder: checking what is there, cutting off a torn end, refusing everything else that is wrong.
//!
//! A crash leaves at most one thing behind that is not whole: the last batch, since the one before was synced before it
//! was begun. So damage with nothing later behind it is a torn end, and is cut and reported; damage with anything later
//! behind it (a batch, a marker, a seal, a segment) had been synced once, and the journal is refused.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::super::error::JournalError;
use super::super::genesis::Genesis;
use super::active::Active;
use super::catalog::{Catalog, Listed, Readable};
use super::folder::{list, open_segment, remove_prepared, segments_dir, sync_dir};
use super::format::{BatchKind, Frame, Place, SEAL, Seal, SegmentHeader};
use super::index::Index;
use super::medium::Medium;
use super::options::{Options, Verify};
use super::walk::{Depth, Reached, Step, Walk, corrupt, read_header};
use super::window::{Window, last_nonzero};
use crate::domain::record::Position;
use crate::domain::routing::ROUTING_VERSION;

/// A torn end that was cut off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The file.
    pub file: PathBuf,
    /// From where on it was zeroed.
    pub offset: u64,
    /// Up to and including its last byte that was not zero.
    pub bytes: u64,
    /// What was wrong there.
    pub what: String,
}

/// What opening found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenReport {
    /// Segments there are.
    pub segments: usize,
    /// Records over all partitions.
    pub records: u64,
    /// The journal ended with a clean-close marker.
    pub clean: bool,
    /// The torn end, if there was one. None of it had ever been answered durable.
    pub cut: Option<Cut>,
    /// The seal that a crash had kept from a segment was written: which file, and where in it.
    pub completed_seal: Option<(PathBuf, u64)>,
}

/// A journal as it was found.
pub struct Recovered {
    /// Whose it is.
    pub genesis: Genesis,
    /// Where it ends.
    pub active: Active,
    /// What can be read.
    pub catalog: Catalog,
    /// What opening did.
    pub report: OpenReport,
}

/// A segment's file and header.
struct Segment {
    path: PathBuf,
    file: File,
    header: SegmentHeader,
}

/// Opens what is in a data folder.
///
/// # Errors
/// Everything that [`JournalError`] says of folders, files and damage.
pub fn recover(dir: &Path, options: &Options) -> Result<Recovered, JournalError> {
    let mut segments = list(dir)?.into_iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let genesis = check_genesis(&segments, options)?;
    for pair in segments.windows(2) {
        check_neighbours(&pair[0].header, &pair[1])?;
    }
    remove_prepared(&segments_dir(dir))?;
    let completed_seal = check_sealed(&segments, options)?;
    let last = segments.pop().ok_or_else(|| JournalError::NotInitialised { dir: dir.to_owned() })?;
    let mut listed: Vec<Listed> = segments.into_iter().map(listed).collect();
    let (reached, index, cut) = read_last(&last, &*options.medium)?;
    sync_dir(&segments_dir(dir))?;
    let report = OpenReport {
        segments: listed.len() + 1,
        records: reached.ends.iter().sum(),
        clean: cut.is_none() && reached.last.is_some_and(|(_, last)| last.kind == BatchKind::Closed),
        cut,
        completed_seal,
    };
    let mut active = Active::begin(last.file, last.path, &last.header);
    active.offset = reached.offset;
    active.sequence = reached.sequence;
    active.ends = reached.ends;
    active.hash = reached.hash;
    listed.push(Listed { path: active.path.clone(), bases: last.header.bases });
    let catalog = Catalog::new(listed, Readable::active(&active, index));
    Ok(Recovered { genesis, active, catalog, report })
}

fn open((number, path): (u64, PathBuf)) -> Result<Segment, JournalError> {
    let file = open_segment(&path)?;
    let header = read_header(&file, &path)?;
    if header.number != number {
        return Err(corrupt(&path, 32, format!("this is segment {}, under another one's name", header.number)));
    }
    Ok(Segment { path, file, header })
}

fn listed(segment: Segment) -> Listed {
    Listed { path: segment.path, bases: segment.header.bases }
}

/// The genesis of the first segment's header: what was expected, and what each partition's first record says too.
fn check_genesis(segments: &[Segment], options: &Options) -> Result<Genesis, JournalError> {
    let first = &segments[0];
    let genesis = first.header.genesis;
    if genesis.routing > ROUTING_VERSION {
        let file = first.path.clone();
        let (found, known) = (genesis.routing, ROUTING_VERSION);
        return Err(JournalError::Version { file, what: "routing version", found, known });
    }
    if let Some(expected) = options.expect.filter(|&expected| expected != genesis) {
        return Err(JournalError::Foreign { found: genesis, expected });
    }
    options.check(genesis.count)?;
    if first.header.bases.iter().any(|&base| base != 0)
        || first.header.sequence != 1
        || first.header.previous != [0; 32]
    {
        return Err(corrupt(&first.path, 0, "the first segment does not begin at the beginning"));
    }
    let mut walk = Walk::new(&first.file, &first.path)?;
    let mut good = 0;
    while good < genesis.count {
        let offset = walk.reached.offset;
        let step = walk.step(Depth::Bodies, |_, frame| good += u16::from(is_genesis(frame, genesis)))?;
        let follows = matches!(step, Step::Batch { .. }) && u64::from(good) == walk.reached.records;
        if !follows {
            return Err(corrupt(&first.path, offset, "the partitions' genesis records are damaged or missing"));
        }
    }
    Ok(genesis)
}

fn is_genesis(frame: &Frame<'_>, genesis: Genesis) -> bool {
    let found = frame.record().ok().and_then(|record| Genesis::read(&record, frame.partition));
    frame.place == Place::At(Position(0)) && found == Some(genesis)
}

/// Checks what a header can know of the segment before it.
fn check_neighbours(before: &SegmentHeader, after: &Segment) -> Result<(), JournalError> {
    let header = &after.header;
    let grows = header.bases.iter().zip(&before.bases).all(|(after, before)| after >= before);
    if header.genesis != before.genesis || !grows || header.sequence < before.sequence {
        return Err(corrupt(&after.path, 0, "the segment does not continue the one before it"));
    }
    Ok(())
}

/// Checks all segments but the last: seals, chain, and records as far as asked for. Says which seal it completed.
fn check_sealed(segments: &[Segment], options: &Options) -> Result<Option<(PathBuf, u64)>, JournalError> {
    let mut completed = None;
    for (n, pair) in segments.windows(2).enumerate() {
        let (segment, next) = (&pair[0], &pair[1]);
        let newest = n + 2 == segments.len();
        if !newest && options.verify == Verify::Tail && chained_by_seal(segment, &next.header)? {
            continue;
        }
        let mut walk = Walk::new(&segment.file, &segment.path)?;
        let step = loop {
            match walk.step(Depth::Bodies, |_, _| {})? {
                Step::Batch { .. } => {}
                step => break step,
            }
        };
        let chain = check_chain(&walk.reached, next);
        match step {
            Step::Sealed(_) => chain?,
            // The successor names the digest of everything before the seal; so what is there is whole, and only the seal
            // is missing or torn: a crash came after the successor got its name.
            Step::End | Step::Damaged { .. } if newest && chain.is_ok() && is_empty(next)? => {
                complete_seal(segment, &walk.reached, &next.header, &*options.medium)?;
                completed = Some((segment.path.clone(), walk.reached.offset));
            }
            Step::Damaged { offset, what, .. } => return Err(corrupt(&segment.path, offset, what)),
            _ => return Err(corrupt(&segment.path, walk.reached.offset, "the seal is missing")),
        }
    }
    Ok(completed)
}

/// Whether the seal stands at the very end of the file, and is the one the next segment names.
fn chained_by_seal(segment: &Segment, next: &SegmentHeader) -> Result<bool, JournalError> {
    let io = |error| JournalError::io("read", &segment.path, &error);
    let length = segment.file.metadata().map_err(io)?.len();
    let at = length.saturating_sub(SEAL as u64);
    let seal = Seal::decode(Window::new(&segment.file, SEAL).at(at, SEAL).map_err(io)?);
    Ok(seal.is_some_and(|seal| seal.length == at && seal.sha256 == next.previous && seal.sequence == next.sequence))
}

/// Checks that a segment continues exactly what was read before it.
fn check_chain(reached: &Reached, next: &Segment) -> Result<(), JournalError> {
    use sha2::Digest;
    let digest: [u8; 32] = reached.hash.clone().finalize().into();
    let header = &next.header;
    if header.previous != digest || header.sequence != reached.sequence || header.bases != reached.ends {
        return Err(corrupt(&next.path, 64, "the chain is broken: this segment continues another one than is there"));
    }
    Ok(())
}

/// Whether nothing was ever written behind a segment's header.
fn is_empty(segment: &Segment) -> Result<bool, JournalError> {
    let found = last_nonzero(&segment.file, segment.header.length());
    found.map(|found| found.is_none()).map_err(|error| JournalError::io("read", &segment.path, &error))
}

/// Writes the seal that a crash had kept from a segment.
fn complete_seal(
    segment: &Segment,
    reached: &Reached,
    next: &SegmentHeader,
    medium: &dyn Medium,
) -> Result<(), JournalError> {
    let io = |error| JournalError::io("seal", &segment.path, &error);
    let seal = Seal { sequence: reached.sequence, length: reached.offset, sha256: next.previous };
    medium.write(&segment.file, &seal.encode(), reached.offset).map_err(io)?;
    medium.sync(&segment.file).map_err(io)
}

/// Reads the segment that is written to; cuts a torn end; makes durable what is left.
fn read_last(segment: &Segment, medium: &dyn Medium) -> Result<(Reached, Index, Option<Cut>), JournalError> {
    check_size(segment)?;
    let mut walk = Walk::new(&segment.file, &segment.path)?;
    let mut index = Index::new(&walk.header.bases);
    let cut = loop {
        match walk.step(Depth::Bodies, |offset, frame| index.push(frame.partition, offset))? {
            Step::Batch { .. } => {}
            Step::End => break None,
            Step::Sealed(_) => {
                let what = "the segment is sealed, but the one after it is missing";
                return Err(corrupt(&segment.path, walk.reached.offset, what));
            }
            Step::Damaged { offset, what, end } => {
                if let Some(later) = walk.later(walk.reached.offset, end)? {
                    let what = format!("{what}; what stands at byte {later} was written later, so this is no torn end");
                    return Err(corrupt(&segment.path, offset, what));
                }
                break Some(cut_off(segment, walk.reached.offset, what, medium)?);
            }
        }
    };
    settle(segment, &walk.reached, medium)?;
    Ok((walk.reached, index, cut))
}

fn check_size(segment: &Segment) -> Result<(), JournalError> {
    let length = segment.file.metadata().map_err(|error| JournalError::io("read", &segment.path, &error))?.len();
    let size = segment.header.size;
    if length == size {
        return Ok(());
    }
    // A sealed one is shorter; but then it is not the last, and its successor is what is missing.
    let at = length.saturating_sub(SEAL as u64);
    let end = Window::new(&segment.file, SEAL).at(at, SEAL).map(Seal::decode);
    if end.is_ok_and(|seal| seal.is_some_and(|seal| seal.length == at)) {
        return Err(corrupt(&segment.path, at, "the segment is sealed, but the one after it is missing"));
    }
    let what = format!("the file has {length} bytes, but its header says {size}: its end was lost");
    let remedy = format!(
        "Nothing was changed. Restore the file from a copy; if there is none, and losing its end is acceptable, \
         extend it with zeros to {size} bytes (`truncate -s {size}`) and open it again: what is torn is then cut off"
    );
    Err(JournalError::Corrupt { file: segment.path.clone(), offset: length.min(size), what, remedy })
}

/// Zeroes everything from the first byte of a torn batch on.
fn cut_off(segment: &Segment, offset: u64, what: String, medium: &dyn Medium) -> Result<Cut, JournalError> {
    let io = |error| JournalError::io("cut the torn end off", &segment.path, &error);
    let end = last_nonzero(&segment.file, offset).map_err(io)?.unwrap_or(offset);
    let mut at = offset;
    while at < end {
        let piece = [0; 4096];
        let length = (end - at).min(piece.len() as u64);
        medium.write(&segment.file, &piece[..length as usize], at).map_err(io)?;
        at += length;
    }
    medium.sync(&segment.file).map_err(io)?;
    Ok(Cut { file: segment.path.clone(), offset, bytes: end - offset, what })
}

/// Makes the last batch durable before anybody sees it. It may only stand in the page cache: the process died before the
/// sync, or the sync failed and the pages are no longer marked as unwritten. So it is written once more, then synced.
fn settle(segment: &Segment, reached: &Reached, medium: &dyn Medium) -> Result<(), JournalError> {
    let io = |error| JournalError::io("sync", &segment.path, &error);
    if let Some((offset, header)) = reached.last {
        let mut batch = vec![0; header.length() as usize];
        segment.file.read_exact_at(&mut batch, offset).map_err(io)?;
        medium.write(&segment.file, &batch, offset).map_err(io)?;
    }
    medium.sync(&segment.file).map_err(io)
}
