//! `instance.key`: the one key that lies in no vault, 64 lowercase hex digits and a line break, readable by its owner.
//!
//! It may lie elsewhere (`vault.key_file`), on another device or a secret mount (a link is followed), so that a stolen
//! backup of the rest opens nothing. It is made once, by `init`, and never written again.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::runtime::Entropy;
use crate::vault::cipher::Key;
use crate::vault::error::{VaultError, io_error};
use crate::vault::files::disk::{sync_folder, write_new};

/// The file's name in the vault's folder.
pub const FILE: &str = "instance.key";

/// Where the key is: where the settings say, else in the vault's folder.
#[must_use]
pub fn place(dir: &Path, key_file: Option<&Path>) -> PathBuf {
    key_file.map_or_else(|| dir.join(FILE), Path::to_owned)
}

/// The key of a new vault: drawn and written, durably. A key that lies there already is taken, for a secret mount
/// cannot be written, and a crash may have come between the key and its vault.
///
/// # Errors
/// As [`read`]; [`VaultError::Io`].
pub fn make(path: &Path, entropy: &dyn Entropy) -> Result<Key, VaultError> {
    match read(path) {
        Err(VaultError::Missing { .. }) => {}
        found => return found,
    }
    let key = Key::draw(entropy);
    write(path, &key)?;
    match path.parent() {
        Some(here) if here.as_os_str().is_empty() => sync_folder(Path::new("."))?,
        Some(parent) => sync_folder(parent)?,
        None => {}
    }
    Ok(key)
}

fn write(path: &Path, key: &Key) -> Result<(), VaultError> {
    let mut text = Zeroizing::new(hex::encode(key.expose()));
    text.push('\n');
    write_new(path, text.as_bytes(), false)
}

/// Reads the instance key.
///
/// # Errors
/// `Missing`, `Exposed` when group or others have any right to it, `BadKey`, `Io`.
pub fn read(path: &Path) -> Result<Key, VaultError> {
    let path = path.to_owned();
    let about = match fs::metadata(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Err(VaultError::Missing { path }),
        other => other.map_err(io_error("look at", &path))?,
    };
    let mode = about.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(VaultError::Exposed { path, mode });
    }
    // 64 digits and a line break; anything much longer is not a key and is not read into memory.
    if about.len() > 80 {
        return Err(VaultError::BadKey { path, why: format!("it has {} bytes instead of 65", about.len()) });
    }
    let text = Zeroizing::new(fs::read(&path).map_err(io_error("read", &path))?);
    let mut bytes = Zeroizing::new([0; 32]);
    hex::decode_to_slice(text.trim_ascii_end(), bytes.as_mut())
        .map_err(|_| VaultError::BadKey { path, why: "expected 64 hex digits and a line break".to_owned() })?;
    Ok(Key::from_slice(bytes.as_slice()).expect("the array has the length of a key"))
}
