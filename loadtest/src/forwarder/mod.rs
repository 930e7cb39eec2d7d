//! The least a router can do: what the product is compared with.
//!
//! It takes a message, answers 202 with an id, and posts it to the Graph API: *plain*, or *synced* to disk before the answer (group
//! commit, one `fdatasync` per group). It verifies and (synced) stores status callbacks before it answers 200, and notifies once per
//! status. It uses the same libraries as the product, and does nothing else: no retries, no limits, no recovery, no queries.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `config` | settings |
//! | `intake` | the send call, the callback call, the counts |
//! | `wal` | the synced file |
//! | `outgoing` | messages to the Graph API, notifications to the customer |
//! | `component` | start and handle |

mod component;
mod config;
mod intake;
mod outgoing;
mod wal;

pub use component::{Forwarder, ForwarderError, ForwarderStats};
pub use config::{ForwarderConfig, Synced, Webhook};
