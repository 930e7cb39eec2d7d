//! The calls that make bytes durable, and the seam through which a test makes them fail.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use crate::vault::error::{VaultError, io_error};

/// Where the writer's bytes go.
pub trait Disk: Send + 'static {
    /// Writes all bytes at this offset.
    ///
    /// # Errors
    /// What the system said; how much was written is then unknown.
    fn write(&mut self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Returns once everything written is on the medium.
    ///
    /// # Errors
    /// What the system said; what was written since the last sync may then be lost, also if a later sync succeeds.
    fn sync(&mut self) -> io::Result<()>;
}

impl Disk for File {
    fn write(&mut self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.write_all_at(bytes, offset)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

/// Writes a new file that only its owner may read, and syncs it. The folder is not synced.
///
/// # Errors
/// [`VaultError::Io`]; a file that is already there is an error unless `replace`.
pub fn write_new(path: &Path, bytes: &[u8], replace: bool) -> Result<(), VaultError> {
    let mut options = File::options();
    options.write(true).mode(0o600);
    if replace {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let mut file = options.open(path).map_err(io_error("create", path))?;
    file.write_all(bytes).map_err(io_error("write", path))?;
    file.sync_all().map_err(io_error("sync", path))
}

/// Makes the names in a folder durable.
///
/// # Errors
/// [`VaultError::Io`].
pub fn sync_folder(path: &Path) -> Result<(), VaultError> {
    File::open(path).and_then(|folder| folder.sync_all()).map_err(io_error("sync the folder", path))
}
