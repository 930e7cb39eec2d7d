//! The routes of the instance: for whoever holds the operator's key, and nobody else.
//!
//! To add a verb: its file here, its line in `routes.rs` with `Access::Operator`.

mod audit;
mod declarations;
mod events;
mod facts;
mod keys;
mod message;
mod portfolios;
mod status;
mod tenants;

pub use audit::{begin as begin_log, checkpoint, records};
pub use declarations::declare;
pub use events::{describe, events};
pub use keys::revoke_key;
pub use message::message;
pub use portfolios::release_portfolio;
pub use status::status;
pub use tenants::tenants;
