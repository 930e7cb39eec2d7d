//! The vault of a cluster: a keyspace of its own, with credentials of its own, which all nodes share.
//!
//! | file | holds |
//! | --- | --- |
//! | [`hand`] | [`CqlVault`]: the [`Vault`](super::Vault) that callers hold |
//! | `open` | founding, whose it is, opening |
//! | `migrations/` | the schema, step by step |
//! | `statements` | everything that is ever asked, prepared once |
//! | `keys` | which key seals which, and with what associated data |
//! | `shared` | keys, names and secrets: asked, unwrapped, a few of them held for a minute |
//! | `marks` | how far the journal was seen to go, written once a second |
//! | `names` | whom a name means, decided by several nodes at once |
//! | `destroy` | the end of a contact |
//! | `turns` | one making of a name at a time |
//!
//! **The instance key** lies in no keyspace: in a file or secret of each node, the same for all. Tenants' keys are derived from
//! it. Were they drawn, two nodes that meet a new tenant at once would draw two. A node with another key is refused by the check value before it has sealed anything.
//!
//! **Quorum.** Reads and writes are `LOCAL_QUORUM`. A contact's wrapped key is acknowledged before its name is written, and
//! that before anybody hears of the contact: no event is ever sealed under a key that may not be there.
//!
//! **Several nodes that meet one person at once** draw a key each, and decide together which contact the name means
//! (`names`): all of them answer with that one. The others' keys are kept; nothing was sealed under them. Whom a name means is
//! held in memory for as long as keys are.
//!
//! **When the database is away** calls are tried for [`Options::patience`] and then fail; [`Vault::failed`](super::Vault::failed)
//! says so, and goes back by itself. What no repetition makes good latches, as a failed sync of the files does.
//!
//! To add a kind of row: a migration with the next number, a statement, and a wrapping for what it seals.

mod destroy;
pub mod hand;
mod keys;
mod marks;
mod names;
mod open;
mod shared;
mod statements;
#[cfg(test)]
mod tests;
mod turns;

use std::path::PathBuf;
use std::time::Duration;

pub use hand::CqlVault;
pub use open::Standing;

use super::cache::CacheBounds;
use crate::cql::CqlOptions;

/// Settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The cluster and the keyspace.
    pub cluster: CqlOptions,
    /// Requests that write and are on their way at once.
    pub writes: usize,
    /// How long a call is tried before it fails.
    pub patience: Duration,
    /// The instance key's file.
    pub key_file: PathBuf,
    /// How long and how many contact keys, and names, are held.
    pub cache: CacheBounds,
}
