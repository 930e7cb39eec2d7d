//! Writing a record over in its place, so that the key in it is in no file any more.
//!
//! The file keeps its length and every other record its offset, so a copy of it stays good up to its last whole record. The
//! system may keep the old bytes of a block that was written over (a snapshot, a journal of data, flash that levels its
//! wear): what lies below the file is its owner's to see to, as with every file that is deleted.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::format::{self, FRAME};
use super::scan::corrupt;
use crate::vault::error::{VaultError, io_error};

/// Bytes of a frame that say how long the record is. They stay.
const KEPT: u64 = 8;

/// What stands in front of the zeros in the payload of a wiped record: `[7, [{0: bytes of a 16-bit length}]]`. The length is
/// always written in two bytes, so that there is a wiped record of every length.
const HEAD: [u8; 6] = [0x82, 0x07, 0x81, 0xa1, 0x00, 0x59];

/// Shorter payloads cannot be wiped; a contact's or an alias's has more than 80 bytes.
const SHORTEST: usize = HEAD.len() + 2;

/// What to write, and where, so that the record at this offset says nothing.
///
/// # Errors
/// `Corrupt` where no record stands, `Io`.
pub fn over(path: &Path, file: &File, offset: u64) -> Result<(u64, Vec<u8>), VaultError> {
    let mut frame = [0; FRAME];
    file.read_exact_at(&mut frame, offset).map_err(io_error("read", path))?;
    let (len, _) = format::frame(&frame, offset).map_err(|why| corrupt(path, offset, &why))?;
    let payload = payload(len).ok_or_else(|| corrupt(path, offset, "a record that is too short to be wiped"))?;
    let crc = crc32c::crc32c(&payload).to_be_bytes();
    Ok((offset + KEPT, [&crc[..], &payload].concat()))
}

fn payload(len: usize) -> Option<Vec<u8>> {
    let zeros = u16::try_from(len.checked_sub(SHORTEST)?).ok()?;
    let mut payload = [&HEAD[..], &zeros.to_be_bytes()].concat();
    payload.resize(len, 0);
    Some(payload)
}

#[cfg(test)]
mod tests {
    use super::super::format::{Entry, Wiped};
    use super::*;

    #[test]
    fn there_is_a_wiped_record_of_every_length() {
        for len in (SHORTEST..1_000).chain([65_000]) {
            let payload = payload(len).expect("long enough");
            let entry = format::payload(&payload, crc32c::crc32c(&payload));
            assert_eq!(entry, Ok(Entry::Wiped(Wiped { zeros: vec![0; len - SHORTEST] })), "{len}");
            assert_eq!(payload.len(), len);
        }
        assert_eq!(payload(SHORTEST - 1), None);
    }
}
