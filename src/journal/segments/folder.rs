//! The folder: names of segments, and making names durable.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use super::super::error::JournalError;
use super::walk::RESTORE;

/// Where segments stand in a data folder.
pub fn segments_dir(dir: &Path) -> PathBuf {
    dir.join("journal")
}

/// The file of a segment.
pub fn segment_path(segments: &Path, number: u64) -> PathBuf {
    segments.join(format!("{number:08}.wbj"))
}

/// Where the next segment is made ready, before it has a number.
pub fn prepared_path(segments: &Path) -> PathBuf {
    segments.join("prepared.new")
}

fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".wbj")?;
    let valid = digits.len() >= 8 && digits.bytes().all(|b| b.is_ascii_digit());
    if valid { digits.parse().ok() } else { None }
}

/// All segments in order, from 1 without gaps.
///
/// # Errors
/// [`JournalError::NotInitialised`] if there is none; [`JournalError::Corrupt`] naming the first that is missing.
pub fn list(dir: &Path) -> Result<Vec<(u64, PathBuf)>, JournalError> {
    let segments = segments_dir(dir);
    let missing = || JournalError::NotInitialised { dir: dir.to_owned() };
    let entries = match fs::read_dir(&segments) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing()),
        Err(error) => return Err(JournalError::io("list", &segments, &error)),
    };
    let mut numbers = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| JournalError::io("list", &segments, &error))?;
        numbers.extend(entry.file_name().to_str().and_then(number_of));
    }
    numbers.sort_unstable();
    if numbers.is_empty() {
        return Err(missing());
    }
    for (expected, &found) in (1..).zip(&numbers) {
        if expected != found {
            return Err(JournalError::Corrupt {
                file: segment_path(&segments, expected),
                offset: 0,
                what: format!("the segment is missing, although segment {found} is there"),
                remedy: RESTORE.to_owned(),
            });
        }
    }
    Ok(numbers.into_iter().map(|number| (number, segment_path(&segments, number))).collect())
}

/// Makes names in a folder durable.
pub fn sync_dir(dir: &Path) -> Result<(), JournalError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| JournalError::io("sync", dir, &error))
}

/// Makes a folder, and its name durable.
pub fn create_dir(dir: &Path) -> Result<(), JournalError> {
    fs::create_dir_all(dir).map_err(|error| JournalError::io("create", dir, &error))?;
    dir.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(Ok(()), sync_dir)
}

/// Opens a segment for reading and writing.
pub fn open_segment(path: &Path) -> Result<File, JournalError> {
    OpenOptions::new().read(true).write(true).open(path).map_err(|error| JournalError::io("open", path, &error))
}

/// Removes what an earlier process had made ready and never used.
pub fn remove_prepared(segments: &Path) -> Result<(), JournalError> {
    let path = prepared_path(segments);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(JournalError::io("remove", &path, &error)),
        _ => Ok(()),
    }
}
