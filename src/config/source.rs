//! Reading a settings file from disk: bounded, UTF-8, every failure a [`Mistake`].

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use super::mistake::Mistake;
use super::place::{Lines, Place};

/// Largest file that is read. The annotated defaults are about 16 KiB, and a declaration of 20,000 sessions at about
/// 300 bytes each is 6 MiB, so 16 MiB leaves room while a path to a disk image is refused instead of loaded.
pub(super) const LARGEST_FILE: u64 = 16 * 1024 * 1024;

/// The text of a settings file.
///
/// # Errors
/// One mistake without a line if the file is missing, unreadable or too large; with a line if it is not UTF-8.
pub(super) fn read(path: &Path) -> Result<String, Vec<Mistake>> {
    let origin = path.display().to_string();
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(LARGEST_FILE + 1).read_to_end(&mut bytes))
        .map_err(|error| vec![unreadable(&origin, &error)])?;
    if bytes.len() as u64 > LARGEST_FILE {
        let what = format!("the file is larger than {} MiB", LARGEST_FILE >> 20);
        return Err(vec![Mistake::at(
            &Place::whole(&origin),
            what,
            "Check that the path names a settings file, or split the file",
        )]);
    }
    String::from_utf8(bytes).map_err(|error| vec![not_utf8(&origin, &error)])
}

fn unreadable(origin: &str, error: &io::Error) -> Mistake {
    let place = Place::whole(origin);
    match error.kind() {
        io::ErrorKind::NotFound => Mistake::at(&place, "the file does not exist", "Check the path, or create the file"),
        io::ErrorKind::PermissionDenied => {
            Mistake::at(&place, "the file may not be read", "Give the account that runs waybill the right to read it")
        }
        _ => Mistake::at(
            &place,
            format!("the file cannot be read: {error}"),
            "Check that the path names a regular file on a working disk",
        ),
    }
}

fn not_utf8(origin: &str, error: &std::string::FromUtf8Error) -> Mistake {
    let valid = error.utf8_error().valid_up_to();
    let head = String::from_utf8_lossy(&error.as_bytes()[..valid]);
    let place = Lines::of(&head, origin).place(valid);
    Mistake::at(&place, "the file is not UTF-8 text", "Save it as UTF-8")
}
