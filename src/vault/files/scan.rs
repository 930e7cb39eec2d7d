//! Reading `keys.wbv` from end to end at start, and telling a torn tail from damage.
//!
//! A crash can leave behind only an unfinished last write, of which nothing was acknowledged: a record that ends after
//! the file does, or bytes that the system never filled in (zeros, from a sector's beginning to the end). Such a tail
//! is cut. Everything else that does not read is damage and is refused: a changed byte in the last record would else
//! look like a crash and cost a person's messages.
//!
//! Cost: a contact is about 180 bytes, so ten million of them are 1.8 GB, read once at start and never held.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::format::{self, Entry, FRAME, MAGIC};
use crate::vault::error::{VaultError, io_error};

/// A write fills whole sectors or none of one.
const SECTOR: u64 = 512;
/// Fewer zeros than this at the end may be a record's own bytes; sixteen by chance are one in 2¹²⁸.
const ZEROS: u64 = 16;
/// The longest tail a crash can leave: one batch of the writer (1 MiB and a last record). Longer ones are damage.
const LONGEST_TAIL: u64 = 2 * 1024 * 1024;

/// One step through the file.
pub enum Step {
    /// A record at this offset.
    Record(u64, Entry),
    /// A record at this offset is as long as it says, and its payload is not what was written: why.
    Unreadable(u64, String),
    /// All records are read; the file ends here.
    End(u64),
    /// From this offset on there is the rest of an unfinished write.
    Torn(u64),
}

/// Where the reading is.
pub struct Scan<'a> {
    path: &'a Path,
    file: &'a File,
    reader: BufReader<&'a File>,
    offset: u64,
    len: u64,
}

impl<'a> Scan<'a> {
    /// Begins: checks the magic.
    ///
    /// # Errors
    /// `Corrupt`, `Newer`, `Io`.
    pub fn begin(path: &'a Path, file: &'a File) -> Result<Self, VaultError> {
        let len = file.metadata().map_err(io_error("look at", path))?.len();
        let mut scan = Self { path, file, reader: BufReader::with_capacity(256 * 1024, file), offset: 0, len };
        let mut magic = [0; MAGIC.len()];
        if len < magic.len() as u64 {
            return Err(scan.corrupt("the file ends within its first eight bytes"));
        }
        scan.read(&mut magic)?;
        if magic != MAGIC {
            return Err(scan.corrupt("this is not a vault's key file: its first eight bytes are others"));
        }
        scan.offset = magic.len() as u64;
        Ok(scan)
    }

    /// The next record, or the end.
    ///
    /// # Errors
    /// `Corrupt` with the offset, `Io`.
    pub fn step(&mut self) -> Result<Step, VaultError> {
        let left = self.len - self.offset;
        if left == 0 {
            return Ok(Step::End(self.offset));
        }
        if left < FRAME as u64 {
            return Ok(Step::Torn(self.offset));
        }
        let mut frame = [0; FRAME];
        self.read(&mut frame)?;
        let (len, crc) = match format::frame(&frame, self.offset) {
            Ok(frame) => frame,
            Err(why) => return self.torn_or_corrupt(&why),
        };
        if left < (FRAME + len) as u64 {
            return Ok(Step::Torn(self.offset));
        }
        let mut payload = vec![0; len];
        self.read(&mut payload)?;
        let at = self.offset;
        match format::payload(&payload, crc) {
            Ok(entry) => {
                self.offset += (FRAME + len) as u64;
                Ok(Step::Record(at, entry))
            }
            Err(_) if self.never_filled()? => Ok(Step::Torn(at)),
            Err(why) => {
                self.offset += (FRAME + len) as u64;
                Ok(Step::Unreadable(at, why))
            }
        }
    }

    /// Which file is read.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.path
    }

    /// The error for something wrong at the present offset.
    #[must_use]
    pub fn corrupt(&self, why: &str) -> VaultError {
        corrupt(self.path, self.offset, why)
    }

    fn read(&mut self, bytes: &mut [u8]) -> Result<(), VaultError> {
        self.reader.read_exact(bytes).map_err(io_error("read", self.path))
    }

    fn torn_or_corrupt(&self, why: &str) -> Result<Step, VaultError> {
        if self.never_filled()? { Ok(Step::Torn(self.offset)) } else { Err(self.corrupt(why)) }
    }

    /// Whether the file has only zeros from here, or from the first sector that begins after here, to its end.
    fn never_filled(&self) -> Result<bool, VaultError> {
        let left = self.len - self.offset;
        if left > LONGEST_TAIL {
            return Ok(false);
        }
        let mut tail = vec![0; usize::try_from(left).expect("checked just above")];
        self.file.read_exact_at(&mut tail, self.offset).map_err(io_error("read", self.path))?;
        let zeros = tail.iter().rev().take_while(|byte| **byte == 0).count() as u64;
        let sector = self.offset.next_multiple_of(SECTOR);
        Ok(zeros == left || (zeros >= ZEROS && sector < self.len && self.len - sector <= zeros))
    }
}

/// Reads the record at an offset that the index names.
///
/// # Errors
/// `Corrupt` when it was changed since the start, `Io`.
pub fn record_at(path: &Path, file: &File, offset: u64) -> Result<Entry, VaultError> {
    let mut frame = [0; FRAME];
    read_at(path, file, &mut frame, offset)?;
    let (len, crc) = format::frame(&frame, offset).map_err(|why| corrupt(path, offset, &why))?;
    let mut payload = vec![0; len];
    read_at(path, file, &mut payload, offset + FRAME as u64)?;
    format::payload(&payload, crc).map_err(|why| corrupt(path, offset, &why))
}

fn read_at(path: &Path, file: &File, bytes: &mut [u8], offset: u64) -> Result<(), VaultError> {
    file.read_exact_at(bytes, offset).map_err(|error| match error.kind() {
        ErrorKind::UnexpectedEof => corrupt(path, offset, "the file was cut here while it was in use"),
        _ => io_error("read", path)(error),
    })
}

/// The error for damage at an offset.
#[must_use]
pub fn corrupt(path: &Path, offset: u64, why: &str) -> VaultError {
    VaultError::Corrupt {
        file: path.to_owned(),
        offset,
        why: why.to_owned(),
        remedy: format!(
            "Restore the vault's backup. Without one: keys before this place can be saved by copying the file and \
             running `truncate -s {offset} {}`; every contact and secret kept after it is then lost for ever",
            path.display()
        ),
    }
}
