//! CQL: speaking to a ScyllaDB or Cassandra cluster. What the store and the vault in a cluster need alike.
//!
//! It must never know what a row means, or who asks. It connects, finds a keyspace or founds it, says what is wrong with
//! either, and tells trouble that passes from trouble that lasts.
//!
//! | file | what |
//! | --- | --- |
//! | [`options`] | where the cluster is, and how it is spoken to |
//! | [`connect`] | the session; consistency, tries, which node is asked |
//! | [`keyspace`] | founding and checking a keyspace: copies, whose it is, numbered migrations |
//! | [`trouble`] | what the error of a request means: wait, or give up |
//! | [`asking`], `strain` | trying again, latching, closing; who has waited for how long |
//! | [`error`] | what is wrong with a cluster or a keyspace, and what to do |
//!
//! **The subset.** Only what ScyllaDB and Cassandra share: upserts with `USING TIMESTAMP`, prepared, within one partition
//! key; range deletions with the same stamp. No lightweight transactions, counters, nulls, TTLs, secondary indexes or
//! views. The tests run against Cassandra; what ScyllaDB does differently must not matter here.
//!
//! **Consistency** is `LOCAL_QUORUM` for writes and reads: of three copies two have a write before it is answered, and
//! two are asked for a read, so that every read sees every write that was answered before it. `ONE` would be faster and
//! break that; `QUORUM` would wait for other datacenters and buy nothing. It holds within one datacenter: with several,
//! the settings must name ours, or the driver would ask now here and now there.
//!
//! **Tries.** The driver's own policy is its default one: another node at once where the first is broken, overloaded or
//! starting, never at a lower consistency. Everything beyond that (waiting, and for how long) is decided by who asks,
//! not by the driver: one retry owner. Statements are marked idempotent, which they are: the stamp comes from outside.
//! **Speculation** is for reads alone: a second node is asked when the first has not answered in [`connect::SPECULATE`],
//! because a node in a long pause of its garbage collector is the usual reason. A slow write is asked for once: a node
//! that is slow to write is as a rule a node that has too much to write.
//!
//! **TLS** is the system's OpenSSL, as towards Kafka: the driver's other choice brings a second provider of rustls into
//! the binary. It checks that a node's certificate names the node's address (an IP address in its alternative names).
//!
//! To add a setting of the client: a field in [`options`] with its reason. To add a migration: a file with the next number
//! beside the ones that are there, and a line in its room's list; never change one that was released, never drop a column.

pub mod asking;
pub mod connect;
pub mod error;
pub mod keyspace;
pub mod options;
mod strain;
pub mod trouble;

pub use asking::{Asking, NoAnswer, Until};
pub use connect::{Cluster, Use};
pub use error::CqlError;
pub use keyspace::{Migration, Owner, Schema};
pub use options::{CqlOptions, Login, Tls};
pub use trouble::{Trouble, trouble};
