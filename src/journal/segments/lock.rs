//! The lock: one process at a time has a data folder's journal open.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

use rustix::fs::{FlockOperation, flock};

use super::super::error::JournalError;

/// Holds the folder until it is dropped, or until the process ends in whatever way.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes `<dir>/LOCK`, and writes into it who holds it.
    ///
    /// # Errors
    /// [`JournalError::Locked`] with the holder's process id.
    pub fn take(dir: &Path) -> Result<Self, JournalError> {
        let path = dir.join("LOCK");
        let io = |doing| move |error: &std::io::Error| JournalError::io(doing, &dir.join("LOCK"), error);
        let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = open.map_err(|error| io("open")(&error))?;
        if let Err(error) = flock(&file, FlockOperation::NonBlockingLockExclusive) {
            if error != rustix::io::Errno::WOULDBLOCK {
                return Err(io("lock")(&error.into()));
            }
            let mut holder = String::new();
            // Only for the message: whoever holds it may be writing its id right now.
            let holder = match file.read_to_string(&mut holder) {
                Ok(_) if !holder.trim().is_empty() => holder.trim().to_owned(),
                _ => "another process".to_owned(),
            };
            return Err(JournalError::Locked { file: path, holder });
        }
        let written = file
            .set_len(0)
            .and_then(|()| file.rewind())
            .and_then(|()| writeln!(file, "process {}", std::process::id()));
        written.map_err(|error| io("write")(&error))?;
        Ok(Self { _file: file })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_lock_is_refused_with_the_holder_and_a_dropped_one_is_free() {
        let dir = tempfile::tempdir().expect("a folder");
        let lock = Lock::take(dir.path()).expect("the first");
        let refused = Lock::take(dir.path()).expect_err("the second");
        let holder = format!("process {}", std::process::id());
        assert_eq!(refused, JournalError::Locked { file: dir.path().join("LOCK"), holder });
        drop(lock);
        Lock::take(dir.path()).expect("free again");
    }
}
