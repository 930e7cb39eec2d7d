//! Vault: keys and secrets, the only bytes of Waybill that can be destroyed, and the only ones that nothing rebuilds.
//!
//! What it promises: content sealed under a contact's key opens again, by id and context, until that key is destroyed;
//! a key, an alias and a secret are durable before the call that made them returns, so no event is ever sealed under a
//! key that a crash could take. What it must never know: what is sealed, in which event it stands, what a secret is
//! for. It reads neither journal nor store, and nothing in it is derived from them: it has its own backup.
//!
//! | file | holds |
//! | --- | --- |
//! | [`seam`] | [`Vault`], [`Sealed`]: all that the floors above see |
//! | [`alias`], [`secret`] | what goes in: a person's name elsewhere, bytes that must not be shown |
//! | [`cipher`], [`sealing`] | AES-256-GCM, HMAC-SHA256 and the layouts made of them |
//! | [`instance`] | the one key that lies in no vault, and under which all others hang |
//! | [`cache`] | a few unwrapped keys, each for a minute |
//! | [`files`] | the vault in `<data>/vault/`: synced files, one writer |
//! | [`cql`] | the vault of a cluster: a keyspace of its own |
//! | [`memory`] | the double: in memory, can be told to fail, to be slow, to have erased someone |
//! | `contract` | one suite of tests that every implementation passes |
//!
//! What is kept where, and what to back up, stands in `README.md`.
//!
//! To add an implementation: a folder with a struct that implements [`Vault`], its own `#[cfg(test)]` call of
//! `contract::all`, and a line in the table above. To add a kind of alias: a variant of
//! [`AliasKind`](crate::domain::event::contact::AliasKind) and a constructor in `alias.rs` that normalises it.

pub mod alias;
pub mod cache;
pub mod cipher;
pub mod cql;
pub mod error;
pub mod files;
pub mod instance;
pub mod memory;
pub mod sealing;
pub mod seam;
pub mod secret;

#[cfg(test)]
mod contract;

pub use alias::{Alias, AliasError};
pub use cache::CacheBounds;
pub use cql::CqlVault;
pub use error::VaultError;
pub use files::{FileVault, OpenReport, Opening};
pub use memory::MemoryVault;
pub use sealing::Sealed;
pub use seam::Vault;
pub use secret::SecretBytes;
