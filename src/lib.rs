//! Waybill: a self-hosted, actor-based message router whose journal is the durable mailbox of every actor.
//!
//! An actor does one thing: propose an event, and act on it when it comes back from the journal.
//!
//! ```text
//!    propose ──▶ journal (durable, ordered) ──▶ apply (pure: state, rows) ──▶ act (a send, a POST, a timer)
//!       ▲                                                                          │
//!       └───────────────────────────── the outcome is the next event ◀─────────────┘
//! ```
//!
//! The walk of one message; open the files in this order:
//!
//! | # | room | what happens | asked of `domain` |
//! | --: | --- | --- | --- |
//! | 1 | [`api::accept`] | decode, authenticate, admit, seal | [`domain::admission`] |
//! | 2 | [`journal`] | append under the session's address; sync; the API answers 202 | [`domain::routing`] |
//! | 3 | [`actors::partition`] | events in order → rows; nudge whom they concern | [`domain::projection`] |
//! | 4 | [`actors::session`] | pull due work into a bounded window, pace it, propose the intent | [`domain::session`], [`domain::pacing`] |
//! | 5 | journal → partition → session | the intent is read back and judged; the contact's gate is read | [`domain::validity`], [`domain::gate`], [`domain::consent`] |
//! | 6 | [`channel`] | one call with a deadline; three answers | [`domain::failure`] |
//! | 7 | [`actors::session`] | classify, propose the outcome | [`domain::retry`] |
//! | 8 | [`api::meta`] | Meta's callback: verify, split by person, append all parts, then 200 | [`domain::callback`] |
//! | 9 | [`actors::partition`] | every public event becomes a row of the feed (tenant, partition) | [`domain::projection`] |
//! | 10 | [`actors::endpoint`] → [`webhook`] | read the feeds at its cursors, sign, post, retry | [`domain::endpoint`] |
//!
//! Five floors; a file imports from its own room and from lower floors only (`tests/suite/tidy`):
//!
//! ```text
//! floor 4   main.rs  cli/  node/                            assemble, start, drain
//! floor 3   api/  actors/                                   what is called, what lives
//! floor 2   journal/  store/  vault/  channel/  webhook/  audit/    hands: each touches one thing outside
//! floor 1   config/  telemetry/  runtime/  cql/             settings, signals, clock and supervision, a CQL cluster
//! floor 0   domain/                                         decides; touches nothing
//! ```

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests live in real time and own their tasks"))]

pub mod actors;
pub mod api;
pub mod audit;
pub mod channel;
pub mod cli;
pub mod config;
pub mod cql;
pub mod domain;
pub mod journal;
pub mod node;
pub mod runtime;
pub mod store;
pub mod telemetry;
pub mod vault;
pub mod webhook;
