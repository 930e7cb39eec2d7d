//! The files of an export: those that are there are the ones that are listed. A name in the manifest is compared and never
//! opened: somebody else wrote it.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::super::layout::{File, MANIFEST, Manifest};
use super::report::Report;

/// Bytes of a file that is read as a whole: a bundle of the largest leaves has 16 MiB.
const MAX_WHOLE: u64 = 64 * 1024 * 1024;

/// Files of a folder.
pub struct Files {
    dir: PathBuf,
    names: BTreeSet<String>,
}

impl Files {
    /// Those that are there.
    pub fn of(dir: &Path, report: &mut Report) -> Self {
        let mut files = Self { dir: dir.to_owned(), names: BTreeSet::new() };
        files.walk(dir, "", report);
        files
    }

    fn walk(&mut self, dir: &Path, prefix: &str, report: &mut Report) {
        let inside = match fs::read_dir(dir) {
            Ok(inside) => inside,
            Err(error) => return report.find(&dir.display().to_string(), format!("cannot be read: {error}")),
        };
        for found in inside {
            let Ok((found, kind)) = found.and_then(|found| found.file_type().map(|kind| (found, kind))) else {
                report.find(prefix, "something in it cannot be read");
                continue;
            };
            let name = format!("{prefix}{}", found.file_name().to_string_lossy());
            if kind.is_dir() {
                self.walk(&found.path(), &format!("{name}/"), report);
            } else if kind.is_file() {
                self.names.insert(name);
            } else {
                report.find(&name, "it is neither a file nor a folder");
            }
        }
    }

    /// Compares all of them with the list.
    pub fn compare(&mut self, manifest: &Manifest, report: &mut Report) {
        for name in manifest.files.keys().filter(|name| !self.names.contains(*name)) {
            report.find(name, "the manifest lists it, and it is missing");
        }
        for name in self.names.iter().filter(|name| *name != MANIFEST) {
            match (manifest.files.get(name), self.hash(name)) {
                (None, _) => report.find(name, "it is not in the manifest"),
                (Some(listed), Ok(found)) if *listed == found => {}
                (Some(_), Ok(_)) => report.find(name, "its bytes are not those of the manifest"),
                (_, Err(error)) => report.find(name, format!("cannot be read: {error}")),
            }
        }
    }

    fn hash(&self, name: &str) -> std::io::Result<File> {
        let mut file = fs::File::open(self.dir.join(name))?;
        let (mut hash, mut bytes, mut buffer) = (Sha256::new(), 0, vec![0; 64 * 1024]);
        loop {
            let read = file.read(&mut buffer)?;
            if read == 0 {
                return Ok(File { bytes, sha256: hex::encode(hash.finalize()) });
            }
            hash.update(&buffer[..read]);
            bytes += read as u64;
        }
    }

    /// One of them, as a whole.
    pub fn read(&self, name: &str, report: &mut Report) -> Option<Vec<u8>> {
        self.read_up_to(name, MAX_WHOLE, report)
    }

    /// The same, if it has no more than so many bytes.
    pub fn read_up_to(&self, name: &str, most: u64, report: &mut Report) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = self.open(name, report)?.take(most + 1).read_to_end(&mut bytes);
        match read {
            Ok(read) if read as u64 > most => {
                report.find(name, format!("it has more than the {most} bytes that are read of such a file"));
                None
            }
            Ok(_) => Some(bytes),
            Err(error) => {
                report.find(name, format!("cannot be read: {error}"));
                None
            }
        }
    }

    /// One of them, to be read.
    pub fn open(&self, name: &str, report: &mut Report) -> Option<fs::File> {
        if !self.names.contains(name) {
            report.find(name, "it is missing");
            return None;
        }
        match fs::File::open(self.dir.join(name)) {
            Ok(file) => Some(file),
            Err(error) => {
                report.find(name, format!("cannot be read: {error}"));
                None
            }
        }
    }

    /// Those below a folder.
    pub fn below(&self, folder: &str) -> impl Iterator<Item = &str> {
        let prefix = format!("{folder}/");
        let from = self.names.range(prefix.clone()..);
        from.take_while(move |name| name.starts_with(&prefix)).map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_large_is_said_to_be_and_not_cut() {
        let dir = tempfile::TempDir::new().expect("a folder");
        fs::write(dir.path().join("list"), b"four").expect("written");
        let mut report = Report::default();
        let files = Files::of(dir.path(), &mut report);
        assert_eq!(files.read_up_to("list", 4, &mut report).as_deref(), Some(&b"four"[..]));
        assert!(report.is_good());
        assert_eq!(files.read_up_to("list", 3, &mut report), None);
        assert!(report.findings[0].what.contains("more than the 3 bytes"), "{:?}", report.findings);
    }

    #[test]
    fn what_lies_below_a_folder_is_found_and_no_more() {
        let dir = tempfile::TempDir::new().expect("a folder");
        for name in ["trees/1/a", "trees/1/b/c", "trees/10/a", "trees/1-a", "trees-1/a"] {
            let path = dir.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, b"x").expect("written");
        }
        let files = Files::of(dir.path(), &mut Report::default());
        assert_eq!(files.below("trees/1").collect::<Vec<_>>(), ["trees/1/a", "trees/1/b/c"]);
        assert_eq!(files.below("trees").count(), 4);
        assert_eq!(files.below("tree").count(), 0);
    }
}
