//! The data folder of a demo: a new one that is removed at the end, or one that was named and stays.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::runtime::{Entropy, SystemEntropy};

/// A data folder. Dropped without [`Folder::remove`] (a panic, an early error), a new one is removed as well as it goes.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    own: bool,
}

impl Folder {
    /// The folder that was named, or a new one among the system's temporary files.
    pub(super) fn open(named: Option<&Path>) -> Result<Self, Failure> {
        if let Some(path) = named {
            std::fs::create_dir_all(path).map_err(|error| Failure::file("create", path, &error))?;
            return Ok(Self { path: path.to_owned(), own: false });
        }
        let name = format!("waybill-demo-{}", hex::encode(&SystemEntropy.id()[..6]));
        let path = std::env::temp_dir().join(name);
        // For its owner alone: it holds keys, if only those of a demo.
        DirBuilder::new().mode(0o700).create(&path).map_err(|error| Failure::file("create", &path, &error))?;
        Ok(Self { path, own: true })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Removes it, unless it was named.
    pub(super) fn remove(mut self) -> Result<(), Failure> {
        if !std::mem::take(&mut self.own) {
            return Ok(());
        }
        std::fs::remove_dir_all(&self.path).map_err(|error| Failure::file("remove", &self.path, &error))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if self.own {
            // On the way out of a failure that is said already.
            let _ = std::fs::remove_dir_all(&self.path);
        }
    }
}
