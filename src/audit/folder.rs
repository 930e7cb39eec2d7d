//! The files of an export, as they are written: each once, with its hash.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::layout::File;

/// Bytes of a file that grows that are kept before they are written.
const BUFFER: usize = 256 * 1024;

/// A file could not be written or read.
#[derive(Debug, thiserror::Error)]
#[error("{path}: {source}", path = path.display())]
pub struct FileError {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

impl FileError {
    /// What went wrong with this path.
    pub fn at(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self { path, source }
    }
}

/// A folder that is being written.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    files: BTreeMap<String, File>,
}

/// A file that is written piece by piece.
#[derive(Debug)]
pub struct Growing {
    name: String,
    buffer: Vec<u8>,
    hash: Sha256,
    bytes: u64,
}

impl Folder {
    /// Begins in a folder that is not there yet, or empty.
    ///
    /// # Errors
    /// When it holds something, or cannot be made.
    pub fn create(dir: &Path) -> Result<Self, FileError> {
        fs::create_dir_all(dir).map_err(FileError::at(dir))?;
        let mut inside = fs::read_dir(dir).map_err(FileError::at(dir))?;
        if inside.next().is_some() {
            let error = io::Error::new(io::ErrorKind::AlreadyExists, "the folder is not empty");
            return Err(FileError::at(dir)(error));
        }
        Ok(Self { dir: dir.to_owned(), files: BTreeMap::new() })
    }

    /// Writes a file.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), FileError> {
        let mut growing = self.grow(name);
        self.add(&mut growing, bytes)?;
        self.finish(growing)
    }

    /// Begins a file that grows.
    #[must_use]
    pub fn grow(&self, name: &str) -> Growing {
        Growing { name: name.to_owned(), buffer: Vec::new(), hash: Sha256::new(), bytes: 0 }
    }

    /// Adds to it.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn add(&self, file: &mut Growing, bytes: &[u8]) -> Result<(), FileError> {
        file.hash.update(bytes);
        file.bytes += bytes.len() as u64;
        file.buffer.extend_from_slice(bytes);
        if file.buffer.len() >= BUFFER { self.flush(file) } else { Ok(()) }
    }

    /// It is whole.
    ///
    /// # Errors
    /// When its rest cannot be written.
    pub fn finish(&mut self, mut file: Growing) -> Result<(), FileError> {
        self.flush(&mut file)?;
        let sha256 = hex::encode(file.hash.finalize());
        self.files.insert(file.name, File { bytes: file.bytes, sha256 });
        Ok(())
    }

    /// The files so far.
    #[must_use]
    pub fn files(&self) -> &BTreeMap<String, File> {
        &self.files
    }

    fn flush(&self, file: &mut Growing) -> Result<(), FileError> {
        let path = self.dir.join(&file.name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(FileError::at(parent))?;
        }
        let mut open = fs::OpenOptions::new().create(true).append(true).open(&path).map_err(FileError::at(&path))?;
        open.write_all(&file.buffer).map_err(FileError::at(&path))?;
        file.buffer.clear();
        Ok(())
    }
}
