//! The data folder: what stands where, and what was there before.
//!
//! | name | what | if lost |
//! | --- | --- | --- |
//! | `journal/` | the truth | everything |
//! | `vault/` | keys and secrets | all content, for ever |
//! | `store/` | rows | nothing: rebuilt |
//! | `operator.key` | the key of the instance's own routes; where nodes share a vault, a copy of what is kept there | a new one is drawn at the next start |
//! | `LOCK` | held by the running process | – |

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::error::StartError;
use super::exposed::owners_only;
use crate::domain::id::InstallationId;
use crate::journal::{EmbeddedJournal, Genesis, Options};
use crate::runtime::{Clock, Entropy};
use crate::vault::FileVault;

/// What the folder holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Nothing: a new installation.
    Nothing,
    /// An installation whose vault is there.
    Installation,
    /// A vault without a journal: that is in Kafka, or the founding was cut short.
    VaultAlone,
}

/// The places in a data folder.
#[derive(Debug, Clone)]
pub struct Folder {
    /// The folder itself.
    pub dir: PathBuf,
}

impl Folder {
    /// The folder, created if it is not there.
    ///
    /// # Errors
    /// When it cannot be made or written.
    pub fn at(dir: &Path) -> Result<Self, StartError> {
        let wrong = |why: String| StartError::Folder { path: dir.to_owned(), why };
        fs::create_dir_all(dir).map_err(|e| wrong(format!("{e}. Choose a `data.dir` that this user may write")))?;
        let probe = dir.join(".writable");
        match fs::write(&probe, b"").and_then(|()| fs::remove_file(&probe)) {
            Ok(()) => Ok(Self { dir: dir.to_owned() }),
            Err(e) => {
                Err(wrong(format!("it cannot be written ({e}). Waybill keeps its journal there; make it writable")))
            }
        }
    }

    /// Keys and secrets.
    #[must_use]
    pub fn vault(&self) -> PathBuf {
        self.dir.join("vault")
    }

    /// Rows.
    #[must_use]
    pub fn store(&self) -> PathBuf {
        self.dir.join("store")
    }

    /// What is there.
    #[must_use]
    pub fn found(&self) -> Found {
        match (self.dir.join("journal").is_dir(), self.vault().is_dir()) {
            (false, false) => Found::Nothing,
            (false, true) => Found::VaultAlone,
            // Without its vault too: opening the vault says what that means.
            (true, _) => Found::Installation,
        }
    }

    /// Founds a new installation: the vault first, because what it holds cannot be made again. Nothing is founded when the
    /// journal's settings cannot work.
    ///
    /// # Errors
    /// When something is there already, or cannot be written.
    pub fn found_new(
        &self,
        settings: &crate::config::Settings,
        clock: &dyn Clock,
        entropy: &dyn Entropy,
        options: &Options,
    ) -> Result<(), StartError> {
        let partitions = settings.journal.partitions;
        // Before the vault: a vault without a journal is refused at the next start, also under corrected settings.
        options.check(partitions)?;
        let installation = InstallationId(entropy.id());
        FileVault::init(&self.vault(), settings.vault.key_file.as_deref(), installation, partitions, entropy)?;
        EmbeddedJournal::init(&self.dir, Genesis::new(installation, partitions), clock.wall(), options)?;
        Ok(())
    }

    /// Reads the operator's key, or draws one and keeps it for the owner's eyes only.
    ///
    /// # Errors
    /// When the file cannot be read or written, or others than its owner may read it.
    pub fn operator_key(&self, draw: impl FnOnce() -> String) -> Result<String, StartError> {
        let path = self.dir.join("operator.key");
        let wrong = |e: std::io::Error| StartError::Folder { path: path.clone(), why: e.to_string() };
        match fs::read_to_string(&path) {
            Ok(text) if !text.trim().is_empty() => {
                owners_only(&path).map_err(|why| StartError::Folder { path: path.clone(), why })?;
                return Ok(text.trim().to_owned());
            }
            Ok(_) => {}
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(wrong(e)),
        }
        let text = draw();
        self.keep_operator_key(&text)?;
        Ok(text)
    }

    /// Keeps the operator's key in a file of its own, whatever stood there and whoever might read that.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn keep_operator_key(&self, text: &str) -> Result<(), StartError> {
        let path = self.dir.join("operator.key");
        let wrong = |e: std::io::Error| StartError::Folder { path: path.clone(), why: e.to_string() };
        let fresh = self.dir.join("operator.key.new");
        match fs::remove_file(&fresh) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(wrong(e)),
            _ => {}
        }
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh).map_err(wrong)?;
        writeln!(file, "{text}").and_then(|()| file.sync_all()).map_err(wrong)?;
        fs::rename(&fresh, &path).map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::runtime::{SystemClock, SystemEntropy};

    #[test]
    fn a_key_that_is_kept_is_its_owners_whoever_might_read_the_last_one() {
        let home = tempfile::tempdir().expect("a folder");
        let (folder, path) = (Folder::at(home.path()).expect("writable"), home.path().join("operator.key"));
        fs::write(&path, "old").expect("written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("set");
        folder.keep_operator_key("new").expect("kept");
        assert_eq!(fs::read_to_string(&path).expect("readable"), "new\n");
        assert_eq!(fs::metadata(&path).expect("it is there").permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(home.path()).expect("readable").count(), 1, "nothing else is left");
    }

    #[test]
    fn a_refused_founding_leaves_a_folder_that_corrected_settings_can_use() {
        let home = tempfile::tempdir().expect("a folder");
        let (folder, settings) = (Folder::at(home.path()).expect("writable"), crate::config::Settings::defaults());
        let found = |options: &Options| folder.found_new(&settings, &SystemClock, &SystemEntropy, options);
        let small = Options { segment_bytes: 4 * 1024 * 1024, batch_bytes: 4 * 1024 * 1024, ..Options::default() };
        assert!(matches!(found(&small), Err(StartError::Journal(_))));
        assert_eq!(folder.found(), Found::Nothing);
        found(&Options { segment_bytes: 8 * 1024 * 1024, ..small }).expect("corrected");
        assert_eq!(folder.found(), Found::Installation);
    }
}
