//! The router over doubles: everything that a caller can see.
//!
//! `stage` builds a node's floor 3 on an unruly journal, with an applier that does what the partitions' actors do.

mod applier;
mod bulk;
mod consent;
mod declare;
mod doubtful;
mod endpoints;
pub(in crate::api) mod feed;
mod idempotency;
mod inputs;
mod keys;
mod limits;
mod list;
mod messages;
mod operator;
mod roles;
mod serving;
mod sessions;
pub(in crate::api) mod stage;
mod strangers;
mod test_keys;
