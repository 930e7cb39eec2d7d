//! Media that fail: a disk that refuses, a disk that loses power, a disk that waits.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::mpsc::{Receiver, Sender, channel};

use parking_lot::Mutex;

use super::super::medium::{Disk, Medium};
use crate::runtime::{Entropy, SeededEntropy};

/// Refuses one kind of call with one error, from the `after`th on.
pub struct Refusing {
    pub call: Call,
    pub after: u64,
    pub error: io::ErrorKind,
    /// How many bytes of a refused write are written all the same.
    pub partial: usize,
    pub seen: Mutex<u64>,
}

/// Which call.
#[derive(PartialEq, Eq)]
pub enum Call {
    /// Writes that begin with these bytes.
    Write(&'static [u8]),
    /// Syncs.
    Sync,
}

impl Refusing {
    pub fn new(call: Call, after: u64, error: io::ErrorKind) -> Self {
        Self { call, after, error, partial: 0, seen: Mutex::new(0) }
    }

    fn refuses(&self) -> bool {
        let mut seen = self.seen.lock();
        *seen += 1;
        *seen > self.after
    }
}

impl Medium for Refusing {
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        if matches!(self.call, Call::Write(start) if bytes.starts_with(start)) && self.refuses() {
            Disk.write(file, &bytes[..self.partial.min(bytes.len())], offset)?;
            return Err(self.error.into());
        }
        Disk.write(file, bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        if self.call == Call::Sync && self.refuses() {
            return Err(self.error.into());
        }
        Disk.sync(file)
    }
}

/// Loses power at its `n`th call: every sector written since its file's last sync may be new or old.
pub struct PowerLoss(Mutex<Power>);

struct Power {
    left: u64,
    chance: SeededEntropy,
    unsynced: Vec<(u64, File, u64, Vec<u8>)>,
}

impl PowerLoss {
    pub fn new(seed: u64, calls: u64) -> Self {
        Self(Mutex::new(Power { left: calls, chance: SeededEntropy::new(seed), unsynced: Vec::new() }))
    }

    /// Gives it no power until the next process.
    pub fn cut(&self) {
        let mut power = self.0.lock();
        power.left = 0;
        power.lose();
    }
}

impl Power {
    /// Says whether there was power for one more call; if it goes out now, loses what it loses.
    fn spend(&mut self) -> io::Result<()> {
        if self.left == 0 {
            return Err(io::Error::other("no power"));
        }
        self.left -= 1;
        if self.left == 0 {
            self.lose();
        }
        Ok(())
    }

    fn lose(&mut self) {
        const SECTOR: u64 = 512;
        while let Some((_, file, offset, old)) = self.unsynced.pop() {
            let mut at = 0;
            while at < old.len() {
                let sector_end = ((offset + at as u64) / SECTOR + 1) * SECTOR - offset;
                let end = (sector_end as usize).min(old.len());
                if self.chance.number().is_multiple_of(2) {
                    file.write_all_at(&old[at..end], offset + at as u64).expect("put back");
                }
                at = end;
            }
        }
    }
}

fn identity(file: &File) -> u64 {
    use std::os::unix::fs::MetadataExt;
    file.metadata().map(|it| it.ino()).unwrap_or_default()
}

impl Medium for PowerLoss {
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let mut power = self.0.lock();
        if power.left == 0 {
            return Err(io::Error::other("no power"));
        }
        let mut old = vec![0; bytes.len()];
        let length = file.metadata()?.len();
        let known = (length.saturating_sub(offset) as usize).min(old.len());
        file.read_exact_at(&mut old[..known], offset)?;
        power.unsynced.push((identity(file), file.try_clone()?, offset, old));
        Disk.write(file, bytes, offset)?;
        power.spend()
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let mut power = self.0.lock();
        power.spend()?;
        if power.left > 0 {
            let synced = identity(file);
            power.unsynced.retain(|(file, ..)| *file != synced);
        }
        if power.left == 0 { Err(io::Error::other("no power")) } else { Ok(()) }
    }
}

/// Waits in every sync of a batch until it is let go, once it is armed.
pub struct Gate {
    armed: Mutex<bool>,
    entered: Mutex<Sender<()>>,
    go: Mutex<Receiver<()>>,
}

/// The other side of a gate.
pub struct Keeper {
    pub entered: Receiver<()>,
    pub go: Sender<()>,
}

impl Gate {
    pub fn new() -> (Self, Keeper) {
        let (entered, see) = channel();
        let (go, wait) = channel();
        let gate = Self { armed: Mutex::new(false), entered: Mutex::new(entered), go: Mutex::new(wait) };
        (gate, Keeper { entered: see, go })
    }

    pub fn arm(&self, armed: bool) {
        *self.armed.lock() = armed;
    }
}

impl Medium for Gate {
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        Disk.write(file, bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        let armed = *self.armed.lock();
        if armed {
            self.entered.lock().send(()).expect("the test listens");
            self.go.lock().recv().expect("the test lets go");
        }
        Disk.sync(file)
    }
}

/// A disk that does not sync: these tests open thousands of times, and no power is lost.
pub struct Lazy;

impl Medium for Lazy {
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        Disk.write(file, bytes, offset)
    }

    fn sync(&self, _: &File) -> io::Result<()> {
        Ok(())
    }
}
