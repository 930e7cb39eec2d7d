//! Domain: what Waybill knows and decides. Everything here is a function of its arguments.
//!
//! What must be absent: async, clocks, randomness, files, sockets, tracing, metrics. Nothing here can fail because of
//! the world; `tests/suite/domain_alone.rs` compiles this folder as a crate of its own, which is why files refer to
//! each other by `super::` only.
//!
//! | file | decides |
//! | --- | --- |
//! | [`id`], [`wamid`], [`address`], [`routing`] | who is who, and in which partition a mailbox lives |
//! | [`record`], [`event`] | the bytes that are kept for ever |
//! | [`table`] | which rows there are, and how they are named |
//! | [`row`], [`message`], [`projection`] | what an event changes |
//! | [`validity`] | whether an intent that was read back may act |
//! | [`admission`], [`consent`] | whether a message is taken, and whether it may leave |
//! | [`session`], [`pacing`], [`retry`], [`failure`] | what leaves now, what waits, what an answer means |
//! | [`endpoint`], [`notification`] | what a customer is told, and when again |
//! | [`gate`] | what an operator stops, and which messages stand behind it |
//! | [`pool`] | which of several sessions a message goes to |
//! | [`hold`] | how long a word that holds a sender is believed |
//! | [`portfolio`] | how many people a business may begin to write to in a day |
//! | [`campaign`], [`plan`] | where a campaign may go from where it is; how its messages would leave |
//! | [`filter`] | which failures are asked for |
//! | [`waiting`] | why a message has not left yet |
//! | [`text`] | which characters people are not shown |
//! | [`callback`] | what Meta's callbacks say, split into parts |
//! | [`audit`] | Merkle trees, their proofs, and the texts that are signed |
//!
//! To add an event: a struct in `event/`, one line in the table of `event/mod.rs` with the next free number, a case in
//! `projection/`, a golden file. A stored variant never changes; a new version is a new number.

pub mod address;
pub mod admission;
pub mod audit;
pub mod callback;
pub mod campaign;
pub mod consent;
pub mod content;
pub mod draft;
pub mod endpoint;
pub mod event;
pub mod failure;
pub mod filter;
pub mod gate;
pub mod hold;
pub mod id;
pub mod message;
pub mod notification;
pub mod pacing;
pub mod plan;
pub mod pool;
pub mod portfolio;
pub mod projection;
pub mod quiet;
pub mod record;
pub mod retry;
pub mod routing;
pub mod row;
pub mod secret_name;
pub mod session;
pub mod table;
pub mod text;
pub mod validity;
pub mod waiting;
pub mod wamid;
