//! The journal in Kafka: one topic, one Kafka partition for each partition, one message for each append.
//!
//! What it promises beyond the seam: an append is answered *durable* when all replicas in sync have it, *refused* when it was
//! never given to the client, and *doubtful* in every other case, at the latest after the delivery time. Order is kept by
//! the idempotent producer. No transactions, no stored offsets: positions are kept by who reads. A consumer group hands out
//! partitions, as a hint to nodes that share the topic; nothing is read through it.
//!
//! **Positions.** An append may hold 256 records that must stand together, and Kafka keeps together only what is one message.
//! So a record's position is its message's offset times 256 and its place in it: the one who appends knows it from the
//! delivery report alone, a reader from the message alone, nobody needs an index, and none can disagree. What a migration
//! copies in before stands one record a message with its old position, which then is its offset: all old positions are
//! smaller than all new ones. Each message says how many were copied, because a reader must know it to seek. Counting new
//! positions on from the copied ones would save eight bits in 64 and make every node's arithmetic depend on that number.
//!
//! | file | does |
//! | --- | --- |
//! | [`journal`] | the handle: init, open, append, read, tail, close |
//! | [`options`], [`error`] | settings in; what is wrong with brokers or topic |
//! | `message` | bytes of a message, positions and offsets |
//! | `sender` | appends: bounds, the client, its answers |
//! | `follower` → `window` → `tail` | what is new, kept a while in memory, given to tails |
//! | `pager` → `kept` | what is older: pages, and what single reads brought along |
//! | [`group`] | which partitions the brokers would have this node look after |
//! | `ends` | how far a partition goes, asked anew |
//! | `probe` → `topic` | asking the brokers; making, founding and checking the topic |
//! | `complaints` | what the client says when nobody asks |
//!
//! What it must never do: answer durable what not all replicas in sync have; read past a message that is missing or damaged;
//! wait for a client that is taken down.
//!
//! To add a setting of the client: a field in [`options`] with its reason, never a free-form map. To read another layout of
//! messages: a new meaning of the position field in `../frame.rs`, and a paragraph in `../FORMAT.md`.

pub mod error;
pub mod group;
pub mod journal;
pub mod options;

mod complaints;
mod ends;
mod follower;
mod kept;
mod message;
mod pager;
mod probe;
mod sender;
mod shared;
mod tail;
mod topic;
mod window;

pub use error::TopicError;
pub use group::{GroupStanding, KafkaGroup};
pub use journal::KafkaJournal;
pub use options::{GroupOptions, KafkaOptions, Login, Security, Tls};

#[cfg(test)]
mod tests;
