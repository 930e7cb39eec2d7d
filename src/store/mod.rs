//! Store: rows, a cache of the journal. Whatever stands here is rebuilt by replaying.
//!
//! It must never know what a row means, who is asking, or that there is a network. It takes the mutations of one
//! partition in order, remembers up to where they were applied, and answers reads.
//!
//! | file | what |
//! | --- | --- |
//! | [`seam`] | the trait, and what is handed to it |
//! | [`key`] | the bytes of a key, the same in every implementation |
//! | [`codec`] | the bytes of a row |
//! | [`rows`] | where each typed row stands, and its queries |
//! | [`applied`] | waiting until the rows show what a journal holds |
//! | [`gates`] | how far a word on an operator's gate has come |
//! | [`fjall`] | the real thing: embedded, in one folder |
//! | [`cql`] | the real thing of a cluster: in a keyspace of ScyllaDB |
//! | [`waiting`] | reads that wait while a database is away, for whoever applies |
//! | [`memory`] | the double: the same promises, and faults on demand |
//! | [`error`] | what can go wrong, and what to do |
//! | `contract` | the promises, as tests that every implementation passes |
//!
//! To add a table: a line in `domain/table.rs` with the next free number; nothing here changes. To add an
//! implementation: a folder beside `fjall/`, the trait, one call of the contract suite. A mutation must stay what one
//! CQL upsert within one partition key can do: no read before write, no counters, no deletion of single rows.

pub mod applied;
pub mod codec;
#[cfg(test)]
mod contract;
pub mod cql;
pub mod error;
pub mod fjall;
pub mod gates;
pub mod key;
pub mod legs;
pub mod memory;
pub mod rows;
pub mod seam;
pub mod waiting;

pub use cql::CqlStore;
pub use error::StoreError;
pub use memory::MemoryStore;
pub use seam::{Commit, DropBelow, MAX_PUTS, MAX_SCAN, Put, Row, Scan, Store};
pub use waiting::Waiting;
