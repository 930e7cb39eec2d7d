//! `marks`: for each partition the highest position this vault has seen, and how long `keys.wbv` was then.
//!
//! Bytes: magic 8 ‖ CBOR map (0 installation, 1 length of `keys.wbv`, 2 array of `[partition, position]`) ‖ CRC-32C of
//! all before it, 4 bytes big-endian. Replaced as a whole: written beside, synced, renamed, folder synced.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use minicbor::{Decode, Encode};

use super::disk::{sync_folder, write_new};
use crate::domain::id::InstallationId;
use crate::domain::record::Position;
use crate::vault::error::{VaultError, io_error};

/// The file's name in the vault's folder.
pub const FILE: &str = "marks";
const MAGIC: [u8; 8] = *b"WBVMARK\x01";

/// What the file holds.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Stored {
    /// Whose marks.
    #[n(0)]
    pub installation: InstallationId,
    /// Bytes of `keys.wbv` that were durable when this was written.
    #[n(1)]
    pub keys_len: u64,
    /// Highest position by partition. At most 1,024 partitions, so at most 12 KiB.
    #[n(2)]
    pub positions: Vec<(u16, Position)>,
}

/// The marks in memory.
#[derive(Debug, Default)]
pub struct Marks {
    positions: BTreeMap<u16, Position>,
    /// Raised since they were last taken for writing.
    dirty: bool,
}

impl Marks {
    /// As they were stored.
    #[must_use]
    pub fn from_stored(stored: &Stored) -> Self {
        Self { positions: stored.positions.iter().copied().collect(), dirty: false }
    }

    /// Raises what is lower.
    pub fn raise(&mut self, marks: &[(u16, Position)]) {
        for (partition, position) in marks {
            let known = self.positions.get(partition);
            if known.is_none_or(|known| known < position) {
                self.positions.insert(*partition, *position);
                self.dirty = true;
            }
        }
    }

    /// All of them, by partition.
    #[must_use]
    pub fn all(&self) -> Vec<(u16, Position)> {
        self.positions.iter().map(|(partition, position)| (*partition, *position)).collect()
    }

    /// Whether they were raised since the last call.
    pub fn take_dirty(&mut self) -> bool {
        std::mem::take(&mut self.dirty)
    }
}

/// Replaces the file.
///
/// # Errors
/// [`VaultError::Io`]; the file is then the old one or the new one, never half of each.
pub fn write(dir: &Path, stored: &Stored) -> Result<(), VaultError> {
    let mut bytes = MAGIC.to_vec();
    minicbor::encode(stored, &mut bytes).expect("writing to a Vec cannot fail");
    let crc = crc32c::crc32c(&bytes);
    bytes.extend_from_slice(&crc.to_be_bytes());
    let (path, beside) = (dir.join(FILE), dir.join("marks.new"));
    write_new(&beside, &bytes, true)?;
    fs::rename(&beside, &path).map_err(io_error("replace", &path))?;
    sync_folder(dir)
}

/// Reads the file; `None` when it is not there.
///
/// # Errors
/// `Corrupt`, `Io`.
pub fn read(dir: &Path, installation: InstallationId) -> Result<Option<Stored>, VaultError> {
    let path = dir.join(FILE);
    let bytes = match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        other => other.map_err(io_error("read", &path))?,
    };
    match decode(&bytes) {
        Some(stored) if stored.installation == installation => Ok(Some(stored)),
        found => Err(VaultError::Corrupt {
            file: path,
            offset: 0,
            why: found.map_or_else(
                || "the marks were changed or cut".to_owned(),
                |stored| format!("these are the marks of {}, not of {installation}", stored.installation),
            ),
            remedy: "Restore the file from the vault's backup, or remove it: the installation then starts held, as \
                     after a restore, because nothing else tells whether the data folder is an old copy"
                .to_owned(),
        }),
    }
}

fn decode(bytes: &[u8]) -> Option<Stored> {
    let (body, crc) = bytes.split_last_chunk::<4>()?;
    let map = body.strip_prefix(&MAGIC)?;
    if crc32c::crc32c(body) != u32::from_be_bytes(*crc) {
        return None;
    }
    let mut decoder = minicbor::Decoder::new(map);
    let stored = decoder.decode().ok()?;
    (decoder.position() == map.len()).then_some(stored)
}
