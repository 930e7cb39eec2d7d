//! `[audit]`: the log of all events that is signed.

use std::time::Duration;

use super::{h, s};
use crate::config::check::within;
use crate::config::table::keys;

keys! {
    /// When customers are told of checkpoints.
    pub struct Audit {
        /// The least time between two notifications `audit.checkpoint`.
        publish_every: Duration => within(s(1)..=h(30 * 24));
    }
}
