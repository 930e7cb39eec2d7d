//! JSON lines files: the journals of the load test.
//!
//! A writer buffers and flushes at least every 100 ms ([`LineWriter::flush`] is called by its owner's ticker and on drop), so a killed
//! process loses at most that much. A reader takes a torn last line for what it is and refuses damage anywhere else.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// At least this often the owner of a writer flushes it.
pub const FLUSH_EVERY: Duration = Duration::from_millis(100);

/// Why a lines file could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LinesError {
    /// The file could not be opened, read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A line that is not the last one holds something else than expected.
    #[error("{path}, line {line}: {source}")]
    Line {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// Appends one JSON value per line.
#[derive(Debug)]
pub struct LineWriter {
    path: PathBuf,
    out: BufWriter<File>,
    line: Vec<u8>,
}

impl LineWriter {
    /// Opens `path` for appending, creating it if it is not there.
    ///
    /// # Errors
    /// [`LinesError::Io`] when the file cannot be opened.
    pub fn open(path: &Path) -> Result<Self, LinesError> {
        let file = File::options().create(true).append(true).open(path);
        let file = file.map_err(|source| LinesError::Io { path: path.to_owned(), source })?;
        // 256 KiB hold about a thousand lines: one write call per thousand, or per flush.
        Ok(Self {
            path: path.to_owned(),
            out: BufWriter::with_capacity(256 * 1024, file),
            line: Vec::with_capacity(512),
        })
    }

    /// Appends `value` to the buffer.
    ///
    /// # Errors
    /// [`LinesError::Io`] when a full buffer could not be written.
    pub fn push(&mut self, value: &impl Serialize) -> Result<(), LinesError> {
        self.line.clear();
        let encoded = serde_json::to_writer(&mut self.line, value).map_err(std::io::Error::from);
        self.line.push(b'\n');
        encoded.and_then(|()| self.out.write_all(&self.line)).map_err(|source| self.error(source))
    }

    /// Hands everything to the operating system.
    ///
    /// # Errors
    /// [`LinesError::Io`] when the write failed.
    pub fn flush(&mut self) -> Result<(), LinesError> {
        self.out.flush().map_err(|source| self.error(source))
    }

    fn error(&self, source: std::io::Error) -> LinesError {
        LinesError::Io { path: self.path.clone(), source }
    }
}

/// Reads every line of `path`; a last line that the writer did not finish is left out.
///
/// # Errors
/// [`LinesError`] when the file cannot be read, or when a line other than the last does not decode.
pub fn read_lines<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, LinesError> {
    let io = |source| LinesError::Io { path: path.to_owned(), source };
    let mut reader = BufReader::with_capacity(256 * 1024, File::open(path).map_err(io)?);
    let mut found = Vec::new();
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if reader.read_until(b'\n', &mut line).map_err(io)? == 0 {
            break;
        }
        match serde_json::from_slice(&line) {
            Ok(value) => found.push(value),
            // Only a last line without its newline was torn by a kill; a whole line that does not decode is damage.
            Err(_) if line.last() != Some(&b'\n') => break,
            Err(source) => {
                return Err(LinesError::Line { path: path.to_owned(), line: number, source });
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{LineWriter, LinesError, read_lines};

    fn scratch(name: &str) -> std::path::PathBuf {
        std::env::temp_dir().join(format!("loadtest-lines-{}-{name}", std::process::id()))
    }

    #[test]
    fn a_torn_last_line_is_left_out_and_damage_is_named() {
        let path = scratch("torn");
        let mut writer = LineWriter::open(&path).expect("open");
        for n in 0..3 {
            writer.push(&n).expect("push");
        }
        writer.flush().expect("flush");
        std::fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut f| std::io::Write::write_all(&mut f, b"{\"a"))
            .expect("tear");
        assert_eq!(read_lines::<u32>(&path).expect("read"), [0, 1, 2]);
        std::fs::write(&path, "1\n{\n2\n").expect("damage");
        assert!(matches!(read_lines::<u32>(&path), Err(LinesError::Line { line: 2, .. })));
        std::fs::remove_file(&path).expect("remove");
    }
}
