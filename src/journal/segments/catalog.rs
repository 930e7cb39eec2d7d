//! The catalog: which segment holds which position, and the indexes of those that were read lately.

use std::collections::VecDeque;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};

use super::super::error::JournalError;
use super::super::seam::{Entry, PAGE, PAGE_BYTES};
use super::active::Active;
use super::format::frame::announced;
use super::format::{FRAME, Frame, Place};
use super::index::Index;
use super::walk::corrupt;
use super::window::{PROBE, Window};
use crate::domain::record::Position;

/// Sealed segments whose index is kept: 16 of at most some MiB.
const KEPT: usize = 16;

/// A segment that can be read by position.
pub struct Readable {
    number: u64,
    path: PathBuf,
    file: Arc<File>,
    index: RwLock<Index>,
}

/// A segment's place in the journal.
pub struct Listed {
    /// Its file.
    pub path: PathBuf,
    /// For each partition the position of its first record in here or later.
    pub bases: Vec<u64>,
}

/// All segments. Bases take 8 bytes a partition and segment: 5 MiB for 640 GiB in 64 partitions.
pub struct Catalog {
    state: Mutex<State>,
    /// Held while an index is built: sixty-four tails that start at once build it once.
    building: Mutex<()>,
}

struct State {
    listed: Vec<Listed>,
    active: Arc<Readable>,
    kept: VecDeque<Arc<Readable>>,
}

impl Readable {
    /// The active segment with what it holds already.
    pub fn active(active: &Active, index: Index) -> Arc<Self> {
        let (path, file) = (active.path.clone(), Arc::clone(&active.file));
        Arc::new(Self { number: active.number, path, file, index: RwLock::new(index) })
    }

    /// Entries from a position on, before `end`: at most a page, at least one if there is one in this segment.
    fn page(&self, partition: u16, from: Position, end: Position) -> Result<Vec<Arc<Entry>>, JournalError> {
        let most = usize::try_from(end.0.saturating_sub(from.0)).unwrap_or(PAGE).min(PAGE);
        let offsets: Vec<u32> = {
            let index = self.index.read();
            let offsets = index.from(partition, from.0);
            offsets[..offsets.len().min(most)].to_vec()
        };
        let mut window = Window::new(&self.file, PROBE);
        let (mut page, mut bytes, mut position) = (Vec::with_capacity(offsets.len()), 0, from);
        for offset in offsets {
            let entry = self.entry(&mut window, u64::from(offset), partition, position)?;
            bytes += entry.record.len();
            if bytes > PAGE_BYTES && !page.is_empty() {
                break;
            }
            page.push(Arc::new(entry));
            position = position.next();
        }
        Ok(page)
    }

    fn entry(
        &self,
        window: &mut Window<'_>,
        offset: u64,
        partition: u16,
        position: Position,
    ) -> Result<Entry, JournalError> {
        let damaged = |what: String| corrupt(&self.path, offset, what);
        let io = |error| JournalError::io("read", &self.path, &error);
        let length = announced(window.at(offset, FRAME).map_err(io)?).map_err(damaged)?;
        let frame = Frame::parse(window.at(offset, length).map_err(io)?).map_err(damaged)?;
        if (frame.partition, frame.place) != (partition, Place::At(position)) {
            return Err(damaged(format!("position {} of partition {partition} should stand here", position.0)));
        }
        Ok(Entry { partition, position, record: frame.record().map_err(damaged)? })
    }
}

impl Catalog {
    /// Of these segments, the last of which is `active`.
    pub fn new(listed: Vec<Listed>, active: Arc<Readable>) -> Self {
        let state = State { listed, active, kept: VecDeque::new() };
        Self { state: Mutex::new(state), building: Mutex::new(()) }
    }

    /// Adds the records of a batch to the active segment's index.
    pub fn extend(&self, records: impl Iterator<Item = (u16, u64)>) {
        let active = Arc::clone(&self.state.lock().active);
        let mut index = active.index.write();
        records.for_each(|(partition, offset)| index.push(partition, offset));
    }

    /// Goes over to a new active segment.
    pub fn roll(&self, active: &Active) {
        let mut state = self.state.lock();
        state.listed.push(Listed { path: active.path.clone(), bases: active.ends.clone() });
        let next = Readable::active(active, Index::new(&active.ends));
        let sealed = std::mem::replace(&mut state.active, next);
        keep(&mut state.kept, sealed);
    }

    /// How many segments there are.
    pub fn count(&self) -> usize {
        self.state.lock().listed.len()
    }

    /// Reads from disk. Blocks; not for a runtime's own threads.
    ///
    /// # Errors
    /// What the disk says, and damage.
    pub fn page(&self, partition: u16, from: Position, end: Position) -> Result<Vec<Arc<Entry>>, JournalError> {
        let readable = match self.find(partition, from) {
            Found::Ready(readable) => readable,
            Found::Build(number, path) => self.build(number, path)?,
        };
        let page = readable.page(partition, from, end)?;
        if page.is_empty() {
            return Err(JournalError::Missing { partition, position: from, end });
        }
        Ok(page)
    }

    fn find(&self, partition: u16, from: Position) -> Found {
        let mut state = self.state.lock();
        let base = |listed: &Listed| listed.bases.get(usize::from(partition)).copied().unwrap_or(u64::MAX);
        // Several segments may begin at one position when the partition rested: the last of them has it.
        let after = state.listed.partition_point(|listed| base(listed) <= from.0);
        let number = after.max(1) as u64;
        if number == state.active.number {
            return Found::Ready(Arc::clone(&state.active));
        }
        if let Some(n) = state.kept.iter().position(|kept| kept.number == number)
            && let Some(kept) = state.kept.remove(n)
        {
            state.kept.push_front(Arc::clone(&kept));
            return Found::Ready(kept);
        }
        Found::Build(number, state.listed[after.max(1) - 1].path.clone())
    }

    fn build(&self, number: u64, path: PathBuf) -> Result<Arc<Readable>, JournalError> {
        let _building = self.building.lock();
        let mut state = self.state.lock();
        if let Some(kept) = state.kept.iter().find(|kept| kept.number == number) {
            return Ok(Arc::clone(kept));
        }
        drop(state);
        let file = File::open(&path).map_err(|error| JournalError::io("open", &path, &error))?;
        let index = RwLock::new(Index::build(&file, &path)?);
        let readable = Arc::new(Readable { number, path, file: Arc::new(file), index });
        state = self.state.lock();
        keep(&mut state.kept, Arc::clone(&readable));
        Ok(readable)
    }
}

enum Found {
    Ready(Arc<Readable>),
    Build(u64, PathBuf),
}

fn keep(kept: &mut VecDeque<Arc<Readable>>, readable: Arc<Readable>) {
    kept.push_front(readable);
    kept.truncate(KEPT);
}
