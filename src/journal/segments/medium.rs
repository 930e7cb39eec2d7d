//! The medium: the two calls on which durability rests, as a trait, so that tests can let them fail.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Where bytes go.
pub trait Medium: Send + Sync + 'static {
    /// Writes all of these bytes at this offset.
    ///
    /// # Errors
    /// What the operating system says; some of the bytes may have been written.
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes what was written survive a power failure.
    ///
    /// # Errors
    /// What the operating system says. After an error nothing is known of any byte written since the last sync, and a
    /// second call may succeed without having written them: it is never repeated.
    fn sync(&self, file: &File) -> io::Result<()>;
}

/// The disk: `pwrite` and `fdatasync`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Disk;

impl Medium for Disk {
    fn write(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_data()
    }
}
