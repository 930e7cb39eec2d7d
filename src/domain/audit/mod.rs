//! Audit: the arithmetic of Merkle trees and the texts that auditors read. Bytes in, bytes out.
//!
//! Every event is a leaf of one tree, that of its tenant in its partition; events of no tenant are leaves of the
//! installation's own tree there. The heads of the trees are entries of the instance's log, a tree too, and the head of
//! that log is what is signed. What stands where, byte by byte and with test vectors: `src/audit/README.md`.
//!
//! | file | |
//! | --- | --- |
//! | [`hash`] | leaf and node hashes of RFC 6962 |
//! | [`range`] | what must be kept of a tree in order to append to it |
//! | [`proof`] | roots, inclusion and consistency: made and verified |
//! | [`tile`] | how a tree lies in files (C2SP tlog-tiles) |
//! | [`leaf`] | an event as a leaf |
//! | [`entry`] | the heads of a partition's trees as an entry of the instance's log |
//! | [`note`] | signed texts (C2SP signed-note), and cosignatures of witnesses |
//! | [`checkpoint`] | the text that is signed (C2SP tlog-checkpoint) |
//!
//! Signing and verifying signatures is `audit`'s. To add a field to a leaf: a new version of it, never another meaning of
//! the bytes that are there.

pub mod checkpoint;
pub mod entry;
pub mod hash;
pub mod leaf;
pub mod note;
pub mod proof;
pub mod range;
pub mod tile;

pub use checkpoint::Checkpoint;
pub use hash::Hash;
pub use range::Range;
