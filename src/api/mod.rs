//! API: what is called. Decodes, authenticates, decides with `domain`, appends, answers.
//!
//! It must never send anything to a provider or a customer, and never talk to a session: it appends to the journal,
//! reads rows of the store, and asks the vault. What another room decides (when a message leaves) it does not know.
//!
//! | file | holds |
//! | --- | --- |
//! | [`routes`] | the one table of routes: method, path, who may, what it does |
//! | [`serve`] | the listener's side: connections, TLS, limits, drain |
//! | [`state`], [`directory`], [`quota`], [`shares`] | what handlers are given |
//! | [`auth`], [`key`], [`guard`] | who is calling and whether they may |
//! | [`accept`] | taking a message, for all ways it can come in |
//! | [`problem`], [`codes`] | how a refusal is said |
//!
//! To add a route: a handler in a file of its own verb, and one line in the table of `routes.rs`; the table is where it
//! gets its guard, its place in the OpenAPI document and its row in the tests. To add a code: one line in `codes.rs`.

pub mod accept;
mod admin;
pub mod applied;
pub mod auth;
mod backlog;
pub mod body;
mod campaigns;
pub mod codes;
mod contacts;
pub mod directory;
mod endpoints;
mod exposition;
mod failures;
mod gates;
pub mod graph;
pub mod guard;
pub mod key;
mod keys;
mod messages;
pub mod meta;
pub mod nearest;
pub mod openapi;
mod page;
mod pools;
mod portfolios;
pub mod problem;
pub mod propose;
pub mod quota;
mod ready;
mod reason;
pub mod routes;
pub mod seldom;
pub mod serve;
mod sessions;
pub mod shares;
pub mod state;
mod tenant;
mod time;
pub mod tls;
mod usage;

pub use accept::{Request, Sender, Taken, accept};
pub use admin::describe;
pub use auth::{Caller, Operator, OperatorKey, TenantScope, authenticate};
pub use codes::Code;
pub use directory::keep as keep_directory;
pub use exposition::{admin_router, metrics_route};
pub use problem::Problem;
pub use routes::{finished, router};
pub use serve::serve;
pub use state::{App, Parts};
pub use tls::tls;

#[cfg(test)]
pub(in crate::api) mod tests;
