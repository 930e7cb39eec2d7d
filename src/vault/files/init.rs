//! Making a new vault: built beside its place and renamed into it, so that a crash leaves either no vault or a whole one.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::disk::{sync_folder, write_new};
use super::format::{self, MAGIC};
use super::marks::{self, Stored};
use super::wrapping;
use crate::domain::id::InstallationId;
use crate::runtime::Entropy;
use crate::vault::error::{VaultError, io_error};
use crate::vault::instance;

/// The name of the key file in the vault's folder.
pub const KEYS: &str = "keys.wbv";

/// Makes the vault's folder with an instance key (or that key in `key_file`), an empty key file and no marks.
///
/// # Errors
/// `Exists` when there is something in the folder, `Exposed` or `BadKey` when `key_file` is there and cannot be used, `Io`.
pub fn init(
    dir: &Path,
    key_file: Option<&Path>,
    installation: InstallationId,
    count: u16,
    entropy: &dyn Entropy,
) -> Result<(), VaultError> {
    refuse_existing(dir)?;
    let beside = beside(dir);
    match fs::remove_dir_all(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io_error("remove", &beside)(error)),
        _ => {}
    }
    fs::DirBuilder::new().mode(0o700).create(&beside).map_err(io_error("create the folder", &beside))?;
    let key = instance::make(&instance::place(&beside, key_file), entropy)?;
    let mut bytes = MAGIC.to_vec();
    format::append(&mut bytes, MAGIC.len() as u64, &wrapping::head(&key, entropy, installation, count));
    write_new(&beside.join(KEYS), &bytes, false)?;
    marks::write(&beside, &Stored { installation, keys_len: bytes.len() as u64, positions: Vec::new() })?;
    sync_folder(&beside)?;
    fs::rename(&beside, dir).map_err(io_error("make", dir))?;
    match dir.parent() {
        Some(here) if here.as_os_str().is_empty() => sync_folder(Path::new(".")),
        Some(parent) => sync_folder(parent),
        None => Ok(()),
    }
}

fn refuse_existing(dir: &Path) -> Result<(), VaultError> {
    match fs::read_dir(dir) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(io_error("look into", dir)(error)),
        Ok(mut names) => names.next().map_or(Ok(()), |_| Err(VaultError::Exists { path: dir.to_owned() })),
    }
}

/// `vault` is built as `vault.new`.
fn beside(dir: &Path) -> PathBuf {
    let mut name = dir.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}
