//! Node: one process of an installation. It chooses the hands, joins them, starts the actors and the API, watches the
//! house, and stops it in order.
//!
//! The only room that knows which concrete hands are in use. It must never decide anything about a message.
//!
//! | file | |
//! | --- | --- |
//! | [`start`] | opening what the data folder holds, or founding a new installation |
//! | [`column`] | where the journal is: in the folder, or in a topic of a Kafka cluster |
//! | [`rows`] | where the rows are: in the folder, or in a keyspace of a CQL cluster |
//! | [`vaults`] | where keys and secrets are: in the folder, or in a keyspace of a CQL cluster |
//! | [`group`] | which partitions it is to own |
//! | [`folder`] | the data folder: lock, operator key, installation |
//! | [`operator`] | the operator's key |
//! | [`exposed`] | whether a secret's file is for its owner alone |
//! | [`listeners`] | where it listens: the API, and metrics and health apart |
//! | [`limits`] | settings → the actors' bounds |
//! | [`survey`] | what waits, for the gauges of telemetry |
//! | `forgotten` | whoever was erased is erased again where an older vault was put back |
//! | [`watch`] | the health latch and the vault's high-water marks |
//! | [`error`] | why a node does not start |
//!
//! To add a hand: choose it in `start.rs`, hand it in through `actors::hands`. To add something to watch: `watch.rs`.

mod column;
pub mod error;
mod exposed;
mod folder;
mod forgotten;
mod group;
mod limits;
mod listeners;
mod operator;
mod rows;
mod start;
mod survey;
mod vaults;
mod watch;

pub use error::StartError;
pub use start::Node;
