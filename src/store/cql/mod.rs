//! The real thing of a cluster: rows in ScyllaDB, in the part of CQL that Cassandra shares (see [`crate::cql`]).
//!
//! | file | what |
//! | --- | --- |
//! | [`options`] | what may be set |
//! | `open` | founding and opening: whose keyspace it is, the schema, finishing what was cut short |
//! | `migrations/` | the schema, step by step |
//! | `statements` | everything that is ever asked, prepared once |
//! | `redo` | the bytes of a commit that is under way |
//! | `writer` | a commit, step by step |
//! | `reader` | rows, marks, scans, the digest |
//! | `lane` | one commit of a partition at a time, and what became of one that nobody waits for |
//! | `shared` | what its parts share; what its errors mean |
//! | `gauges` | what the driver says of itself |
//! | [`store`] | the handle: the seam |
//!
//! **Last position wins.** A row is an upsert stamped with its event's position, so a replay, a late answer and a writer
//! that was thought dead change nothing that is newer. Rows of two partitions never share a `(tbl, pk)`, so their
//! positions are never compared. A drop is one range deletion stamped with its commit's `through`: at equal stamps the
//! deletion wins, and no put of its commit is above that, so it acts after them, whatever comes first; and what a replay
//! writes again is below it. A position is far below the stamps that ScyllaDB refuses (three days ahead of the wall
//! clock in microseconds): in Kafka it is an offset times 256, and seven million million appends to one partition away.
//!
//! **Prefix.** Rows of a commit lie in many CQL partitions, and nothing binds them together. Written one by one and cut
//! short they would show the future to whoever applies the same events again: an event that finds its step taken in one
//! row changes nothing, and its rows elsewhere (the feed, the outbox, the tallies) would be missing for ever. So a
//! commit is written down first, as a whole, beside the mark (`redo`); then its rows, in any order; then the mark, when all
//! are acknowledged. That costs each row's bytes twice and one round trip; a logged batch costs as much, is limited to some tens
//! of kilobytes, and is finished at a time of its own. A commit runs in a task of its own: one that nobody waits for any more
//! goes on to its end, and a reader of that partition's mark waits for it.
//!
//! **Taking over.** Whoever is about to apply a partition asks for its *settled* mark: commits that are under way are waited for,
//! and one that is not finished by who began it within a second is finished here, if it is written down as a whole. One that
//! begins after that look belongs to a process that does not know yet that it has lost the partition, and everything it may
//! write is below the claim that overtook it: the heir has applied the same events when it begins, so the rows are the same
//! bytes with the same stamps, and the mark is below the heir's. Each process writes its commits down in places of its own, so
//! that such a late one cannot write over what its heir has written down and not finished. Whoever only reads asks for the mark as
//! it stands: rows ahead of it say nothing that is not so.
//!
//! **Read your commits.** Both are `LOCAL_QUORUM`. A mark that this process moved less than a second ago is answered from
//! memory: hundreds of callers may wait for one. Not so to who takes the partition over ([`Store::settled`]).
//!
//! **When the database is away** commits hold: the same request again and again, after pauses of up to two seconds, for as
//! long as it takes. It is the same upsert with the same stamps, so it does not matter whether one that ran out of time
//! stands. Latching instead would end the process for nothing: it would find the same database when it starts again, and the
//! journal goes on anyway. Reads are tried for [`options::Options::patience`] and then fail, because there are people
//! who wait for them; actors that need them die, and are started again by their parents. Meanwhile [`Store::held`] says
//! so, and the health latch stops intake. What no repetition makes good (a table that is gone, a right that was taken
//! away) latches, the process ends, and the next start says what is wrong.
//!
//! **A node that died** is waited for by nobody: the driver asks another coordinator after [`crate::cql::connect::SPECULATE`],
//! and a coordinator another replica after 50 ms (`speculative_retry` of the tables). Without the latter every read that met the
//! dead one took more than five seconds, until the others had noticed: that was measured with one of three nodes killed.
//!
//! **Batches** are unlogged and hold rows of one partition key alone: then they are one mutation, and save requests
//! where a feed or an outbox grows by many rows. Requests on their way are bounded for all partitions together.
//!
//! To change the tables: a migration with the next number. To change the bytes of rows or keys: raise the format, as for the
//! embedded store; an older keyspace is then refused with the remedy.
//!
//! [`Store::held`]: super::seam::Store::held

mod gauges;
mod lane;
mod open;
pub mod options;
mod reader;
mod redo;
mod shared;
mod statements;
pub mod store;
#[cfg(test)]
mod tests;
mod writer;

pub use options::Options;
pub use store::CqlStore;
