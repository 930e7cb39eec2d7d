//! The router over doubles: everything that a caller can see.
//!
//! `stage` builds a node's floor 3 on an unruly journal, with an applier that does what the partitions' actors do.

mod applier;
mod audit;
mod bulk;
mod campaigns;
mod consent;
mod counted;
mod declare;
pub(in crate::api) mod described;
mod doubtful;
mod dropin;
mod endpoints;
mod failures;
pub(in crate::api) mod feed;
mod gates;
mod idempotency;
mod inputs;
mod keys;
mod limits;
mod list;
mod messages;
mod operator;
mod past_campaigns;
mod pools;
mod portfolios;
mod privacy;
mod roles;
pub(in crate::api) mod schema;
mod serving;
mod sessions;
pub(in crate::api) mod stage;
mod strangers;
mod test_keys;
mod usage;
mod walk;
