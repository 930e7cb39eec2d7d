//! What a vault answers when it cannot: what is wrong, where, and what to do. No error holds what was to be kept secret.

use std::path::PathBuf;

use crate::domain::id::KeyId;

/// Why a vault did not open, or did not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The folder or one of its files is not there.
    #[error(
        "the vault is missing: {} does not exist. Without it every message body, every address and every token of this \
         installation is lost for ever; the journal alone cannot bring them back. Restore the vault's own backup to \
         this place, or, where the instance key lies elsewhere, name its file in `vault.key_file`; or start a new \
         installation in an empty data folder",
        path.display()
    )]
    Missing {
        /// What was looked for.
        path: PathBuf,
    },
    /// A vault is already there; making another one over it would destroy it.
    #[error("{} is not empty: a new vault is made only where there is none. Choose another data folder", path.display())]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// Others than its owner may read the instance key.
    #[error(
        "{} can be read by others (mode {mode:04o}); whoever has it can open everything. Run `chmod 600 {}` and, if \
         others did have access, treat the tokens in this vault as known",
        path.display(), path.display()
    )]
    Exposed {
        /// The key file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// The instance key file does not hold a key.
    #[error("{} does not hold an instance key: {why}. Restore it from the vault's backup", path.display())]
    BadKey {
        /// The key file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The instance key is not the one this vault was made with.
    #[error(
        "{} is not the key of this vault: the check value in {} does not open under it. Restore the key file that \
         belongs to this vault; both are in the same backup",
        path.display(), keys.display()
    )]
    WrongKey {
        /// The key file.
        path: PathBuf,
        /// The file whose check value did not open.
        keys: PathBuf,
    },
    /// The instance key is not the one that the other nodes have.
    #[error(
        "{} is not the instance key of the vault in keyspace {keyspace:?}: its check value does not open under it. All nodes \
         of an installation have the same key: copy the file from one that runs, or from the backup",
        path.display()
    )]
    OtherKey {
        /// The key file.
        path: PathBuf,
        /// The keyspace whose check value did not open.
        keyspace: String,
    },
    /// The cluster that the vault is in, or its keyspace.
    #[error("the vault: {0}")]
    Cql(#[from] crate::cql::CqlError),
    /// Bytes that no crash leaves behind: something changed or lost them.
    #[error("{}, byte {offset}: {why}. {remedy}", file.display())]
    Corrupt {
        /// Which file.
        file: PathBuf,
        /// Where in it, bytes from its beginning.
        offset: u64,
        /// What is wrong there.
        why: String,
        /// What to do.
        remedy: String,
    },
    /// Written by a version that this one cannot follow.
    #[error("{} has format {found}; this version knows up to {known}. Use a newer version of waybill", file.display())]
    Newer {
        /// Which file.
        file: PathBuf,
        /// The number found.
        found: u16,
        /// The highest this version knows.
        known: u16,
    },
    /// The vault was made for other partitions than the installation has.
    #[error(
        "this vault was made for {found} partitions, the installation has {expected}: it belongs to another \
         installation. Put the vault and the journal of one installation together"
    )]
    Foreign {
        /// Partitions the vault was made for.
        found: u16,
        /// Partitions the caller has.
        expected: u16,
    },
    /// No key of this id in this tenant.
    #[error("no key {contact} in this tenant's vault")]
    Unknown {
        /// The contact asked for.
        contact: KeyId,
    },
    /// The contact was erased: its keys are destroyed, and what was sealed under them is gone.
    #[error("contact {contact} was erased; what was sealed under its key cannot be opened any more")]
    Erased {
        /// The contact asked for.
        contact: KeyId,
    },
    /// Sealed bytes do not open: changed, cut, or sealed for another contact or context.
    #[error("{what} does not open under its key: the bytes were changed or belong elsewhere")]
    Damaged {
        /// What was to be opened.
        what: String,
    },
    /// More bytes than the vault takes.
    #[error("{what} has {len} bytes; at most {max} are taken")]
    TooLarge {
        /// What was to be kept.
        what: &'static str,
        /// Its bytes.
        len: usize,
        /// The limit.
        max: usize,
    },
    /// The alias is already another contact's name; names are moved by a merge, never by overwriting.
    #[error("this alias already names contact {contact}")]
    Taken {
        /// Whose name it is.
        contact: KeyId,
    },
    /// The latch has fallen: nothing new is kept until the process was restarted.
    #[error("the vault has failed and keeps nothing new: {0}")]
    Failed(String),
    /// The vault is closing or closed.
    #[error("the vault is closed")]
    Closed,
    /// The operating system refused.
    #[error("cannot {doing} {}: {why}", path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which path.
        path: PathBuf,
        /// What the system said.
        why: String,
    },
}

/// For `map_err`: what was tried on which path.
pub(super) fn io_error<'a>(
    doing: &'static str,
    path: &'a std::path::Path,
) -> impl FnOnce(std::io::Error) -> VaultError + 'a {
    move |error| VaultError::Io { doing, path: path.to_owned(), why: error.to_string() }
}

impl VaultError {
    /// Whether what was asked for was destroyed on purpose.
    #[must_use]
    pub fn is_erased(&self) -> bool {
        matches!(self, Self::Erased { .. })
    }
}
