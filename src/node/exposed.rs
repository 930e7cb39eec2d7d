//! Whether a file with a secret is for its owner's eyes only.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Nothing, if only its owner has any right to it.
///
/// # Errors
/// What is wrong, and what to do.
pub(super) fn owners_only(path: &Path) -> Result<(), String> {
    let mode = fs::metadata(path).map_err(|error| error.to_string())?.permissions().mode() & 0o7777;
    if mode & 0o077 == 0 {
        return Ok(());
    }
    let shown = path.display();
    Err(format!(
        "it can be read by others (mode {mode:04o}); whoever has it commands this installation. Run `chmod 600 {shown}` \
         and, if others did have access, remove it: a new key is drawn at the next start"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::folder::Folder;
    use super::*;

    #[test]
    fn an_operators_key_that_others_may_read_is_refused() {
        let home = tempfile::tempdir().expect("a folder");
        let folder = Folder::at(home.path()).expect("writable");
        let key = || folder.operator_key(|| "wb_operator_x".to_owned());
        assert_eq!(key().expect("drawn"), "wb_operator_x");
        assert_eq!(key().expect("read again"), "wb_operator_x");
        for mode in [0o640, 0o604, 0o660, 0o644] {
            let path = home.path().join("operator.key");
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("its owner");
            let said = key().expect_err("exposed").to_string();
            assert!(said.contains("chmod 600") && !said.contains("wb_operator"), "{said}");
        }
    }
}
