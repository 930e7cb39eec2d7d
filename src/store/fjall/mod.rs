//! The real thing: an embedded log-structured store in one folder, `fjall` 3.
//!
//! | file | what |
//! | --- | --- |
//! | [`options`] | what may be set |
//! | `open` | whose folder it is, which format it has, opening and what can be wrong with it |
//! | `engine` | rows and marks in one keyspace; batches, reads, drops |
//! | `writer` | the one thread that commits |
//! | [`store`] | the handle: the seam |
//!
//! Why it is like this, by measurement (200,000 messages as 1,400,000 rows at full speed, 32 messages a commit, two
//! cores with other work on them, so compare only roughly):
//!
//! - **One keyspace** for mutable rows, append-only rows and marks: 18 to 22 µs of CPU a message; two keyspaces 24 to
//!   28, three 27 to 32. It also makes the prefix promise plain: one memtable is flushed at a commit's end, so no flush
//!   can carry a mark without its rows.
//! - **One worker thread**: two took 40 to 55 % more CPU, for slowest commits of 0.1 s instead of 0.4.
//! - **Memtables are turned by us**, not by the engine: on every commit over its own limit it posts a request into the
//!   queue (1,000 places) of its worker, and a worker that finds that queue full when it posts its own follow-up waits
//!   for itself for ever. With one worker and a long compaction that happens within seconds (fjall 3.1.13, its pull
//!   request 323). So its limit is switched off, and the writer turns the memtable, one request at a time.
//! - **Commits go through one thread**: the engine holds its log's lock through an fsync at each flush, and sleeps when
//!   flushes lag; either would stop a worker of the async runtime for up to tenths of a second.
//!
//! To change the rows' or keys' bytes: raise the format in `open.rs`; older folders are then refused with the remedy.

mod engine;
mod open;
pub mod options;
pub mod store;
#[cfg(test)]
mod tests;
mod writer;

pub(super) use open::FORMAT;
pub use options::Options;
pub use store::FjallStore;
