//! The vault in files: `<data>/vault/`, beside the journal and backed up apart from it.
//!
//! One thread writes; readers read by position. What it must never know is what [`super`] must never know.
//!
//! | file | holds |
//! | --- | --- |
//! | [`hand`] | [`FileVault`]: the [`Vault`](super::Vault) that callers hold |
//! | [`open`], [`init`] | making the folder, and reading it back at start |
//! | [`writer`], [`batch`] | the one thread that decides, writes, syncs and only then answers |
//! | [`shared`], [`index`] | what the thread and the callers share: places of keys, a few keys unwrapped |
//! | [`format`], [`scan`] | the bytes of `keys.wbv`, and reading them from end to end |
//! | [`wipe`] | writing a record over in its place |
//! | [`wrapping`] | which key seals which, and with what associated data |
//! | [`marks`], [`disk`] | `marks`, and the three calls that make bytes durable |
//!
//! To add a kind of record: a variant of [`format::Entry`] with the next free number, an arm in [`index`], and a
//! wrapping for what it seals. A stored variant never changes; older versions refuse a file that holds a newer one.

pub mod batch;
pub mod disk;
pub mod format;
pub mod hand;
pub mod index;
pub mod init;
pub mod marks;
pub mod open;
pub mod scan;
pub mod shared;
pub mod wipe;
pub mod wrapping;
pub mod writer;

#[cfg(test)]
mod tests;

pub use hand::FileVault;
pub use open::{Cut, OpenReport, Opening};
