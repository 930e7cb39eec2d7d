//! What an export consists of: the names of its files, and the manifest that lists them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::domain::audit::{Hash, tile};
use crate::domain::id::TenantId;

/// The first line of the manifest.
pub const FORMAT: &str = "waybill audit export 1";

/// The list of all files, itself excluded.
pub const MANIFEST: &str = "manifest.json";
/// Bytes that it may have: a tree with fewer than 257 events takes some 800, so 600,000 trees fit. Whoever verifies holds
/// all of it in memory. An export that would need more is not finished: it is made of some tenants at a time.
pub const MAX_MANIFEST: u64 = 512 * 1024 * 1024;
/// The signed note over the instance's log.
pub const CHECKPOINT: &str = "checkpoint";
/// The public key that it is said to be signed with.
pub const KEY: &str = "key";
/// The first record of partition 0, and that it is in the installation's own tree.
pub const GENESIS: &str = "genesis.json";
/// The instance's log.
pub const LOG: &str = "log";
/// The events of a tree, a line each, in its folder.
pub const EVENTS: &str = "events.jsonl";

/// Where a tree lies.
#[must_use]
pub fn tree(tenant: TenantId, partition: u16) -> String {
    format!("trees/{}/{partition}", hex::encode(tenant.0))
}

/// A file of the list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// Its bytes.
    pub bytes: u64,
    /// Their SHA-256, in hex.
    pub sha256: String,
}

/// A tree of the export.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    /// Whose, in hex; zeros for the installation's own.
    pub tenant: String,
    /// Where.
    pub partition: u16,
    /// How many events.
    pub size: u64,
    /// The root over them, in hex.
    pub root: String,
}

/// What an export says of itself. Everything in it follows from the files, or is compared with them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: String,
    /// The version of the program that wrote the readable part of the events.
    pub written_by: String,
    /// The installation, in hex.
    pub installation: String,
    /// How many partitions it has.
    pub partitions: u16,
    /// Whose events these are, in hex; of all where there is none.
    pub tenants: Option<Vec<String>>,
    /// The trees.
    pub trees: Vec<Tree>,
    /// The files.
    pub files: BTreeMap<String, File>,
}

impl Manifest {
    /// Its bytes.
    #[must_use]
    pub fn text(&self) -> String {
        // Numbers, texts and maps of texts: there is nothing that could not be written.
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }
}

/// The first record of partition 0.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genesis {
    /// The record's header, in base64.
    pub header: String,
    /// The size of the installation's own tree in partition 0 that it is proved to be in.
    pub size: u64,
    /// The way from it to the root, in hex.
    pub path: Vec<String>,
}

/// The version whose readable part of events this program writes.
pub const WRITTEN_BY: &str = env!("CARGO_PKG_VERSION");

/// A tile's or a bundle's place below the folder of its tree.
#[must_use]
pub fn tile_at(folder: &str, tile: &tile::Tile) -> String {
    format!("{folder}/{}", tile.path())
}

/// Bytes in hex as an export writes it, in lower case: with two ways to write one thing, a byte could be changed unseen.
#[must_use]
pub fn bytes_of(text: &str) -> Option<Vec<u8>> {
    hex::decode(text).ok().filter(|bytes| hex::encode(bytes) == text)
}

/// A hash in hex.
#[must_use]
pub fn hash_of(text: &str) -> Option<Hash> {
    bytes_of(text)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_has_one_way_to_be_written() {
        let text = "ab".repeat(32);
        assert_eq!(hash_of(&text), Some([0xab; 32]));
        assert!(
            [text.to_uppercase(), text.replacen('a', "A", 1), "ab".repeat(31)]
                .iter()
                .all(|text| hash_of(text).is_none())
        );
    }
}
