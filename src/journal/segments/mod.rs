//! The embedded journal: one physical log for all partitions, in segmented files, with one writer thread and group commit.
//!
//! One batch is one contiguous write and one `fdatasync`; then its appends are answered and its entries shown to tails.
//! The bytes are described in `../FORMAT.md`, for programs that are not this one. What this folder must never do: answer
//! before the sync, sync again after a sync has failed, repair anything but a torn end.
//!
//! | file | does |
//! | --- | --- |
//! | [`embedded`] | the handle: init, open, append, read, tail, close |
//! | [`options`], [`stats`] | settings in, figures out |
//! | `format/` | bytes: segment header and seal, batch and frame |
//! | `queue` → `writer` → `active` | an append on its way to the disk |
//! | `medium`, `prepare`, `folder`, `lock` | files: writing, zero-filling ahead, naming, holding |
//! | `window` → `walk` → `recover` | reading a segment, checking it, opening a folder |
//! | `recent`, `index`, `catalog`, `tail` | reading: from memory, else from disk |
//!
//! To change the format: a new format version in `format/segment.rs`, a reader for both, a paragraph in `FORMAT.md`. Bytes
//! that were written once are never reinterpreted.

pub mod embedded;
pub mod options;
pub mod stats;

mod active;
mod catalog;
mod folder;
mod format;
mod index;
mod init;
mod lock;
pub mod medium;
mod prepare;
mod queue;
mod recent;
mod recover;
mod shared;
mod tail;
mod walk;
mod window;
mod writer;

pub use embedded::EmbeddedJournal;
pub use lock::Lock as FolderLock;
pub use medium::{Disk, Medium};
pub use options::{Durability, Options, Verify};
pub use recover::{Cut, OpenReport};
pub use stats::{BatchStats, JournalStats};

#[cfg(test)]
mod tests;
