//! A sliding window over a file: bytes by offset, read in larger pieces.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// Bytes of a window for reading a whole segment in order.
pub const SCAN: usize = 256 * 1024;

/// Bytes of a window for single records: a page, since most records fit and neighbours of one partition rarely touch.
pub const PROBE: usize = 4096;

/// A file and the piece of it that was read last.
pub struct Window<'a> {
    file: &'a File,
    start: u64,
    buffer: Vec<u8>,
    least: usize,
}

impl<'a> Window<'a> {
    /// A window that reads at least `least` bytes at once.
    pub fn new(file: &'a File, least: usize) -> Self {
        Self { file, start: 0, buffer: Vec::new(), least }
    }

    /// `length` bytes from `offset` on; fewer where the file ends.
    pub fn at(&mut self, offset: u64, length: usize) -> io::Result<&[u8]> {
        let end = offset + length as u64;
        if offset < self.start || end > self.start + self.buffer.len() as u64 {
            self.fill(offset, length.max(self.least))?;
        }
        let from = (offset - self.start) as usize;
        let to = (from + length).min(self.buffer.len());
        Ok(&self.buffer[from.min(to)..to])
    }

    fn fill(&mut self, offset: u64, length: usize) -> io::Result<()> {
        self.start = offset;
        self.buffer.resize(length, 0);
        let mut filled = 0;
        while filled < length {
            match self.file.read_at(&mut self.buffer[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.buffer.clear();
                    return Err(error);
                }
            }
        }
        self.buffer.truncate(filled);
        Ok(())
    }
}

/// Bytes compared at once when looking for something that is not zero.
const ZEROS: [u8; 4096] = [0; 4096];

/// Whether all of these are zero.
pub fn all_zero(bytes: &[u8]) -> bool {
    bytes.chunks(ZEROS.len()).all(|chunk| chunk == &ZEROS[..chunk.len()])
}

/// The end of the last byte that is not zero, from `from` on; `None` if all are.
pub fn last_nonzero(file: &File, from: u64) -> io::Result<Option<u64>> {
    let mut window = Window::new(file, SCAN);
    let (mut at, mut last) = (from, None);
    loop {
        let piece = window.at(at, SCAN)?;
        if piece.is_empty() {
            return Ok(last);
        }
        if !all_zero(piece) {
            last = piece.iter().rposition(|&byte| byte != 0).map(|n| at + n as u64 + 1);
        }
        at += piece.len() as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_slides_and_stops_at_the_end() {
        let file = tempfile::tempfile().expect("a file");
        file.write_all_at(&[1, 2, 3, 4, 5, 6, 7, 8, 9], 0).expect("written");
        let mut window = Window::new(&file, 4);
        assert_eq!(window.at(0, 2).expect("read"), [1, 2]);
        assert_eq!(window.at(2, 5).expect("read"), [3, 4, 5, 6, 7]);
        assert_eq!(window.at(1, 1).expect("read"), [2]);
        assert_eq!(window.at(7, 5).expect("read"), [8, 9]);
        assert_eq!(window.at(20, 5).expect("read"), [0u8; 0]);
    }

    #[test]
    fn the_last_byte_that_is_not_zero_is_found() {
        let file = tempfile::tempfile().expect("a file");
        file.set_len(3 * SCAN as u64).expect("length");
        assert_eq!(last_nonzero(&file, 0).expect("read"), None);
        for at in [5, SCAN as u64, 3 * SCAN as u64 - 1] {
            file.write_all_at(&[1], at).expect("written");
            assert_eq!(last_nonzero(&file, 0).expect("read"), Some(at + 1));
            assert_eq!(last_nonzero(&file, at + 1).expect("read"), None);
        }
    }
}
