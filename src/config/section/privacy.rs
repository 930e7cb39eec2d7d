//! `[privacy]`: people's rights.

use std::time::Duration;

use super::h;
use crate::config::check::within;
use crate::config::table::keys;

keys! {
    /// How long it may take to answer people.
    pub struct Privacy {
        /// Until when an erasure has to be done, counted from when it was asked for.
        erasure_within: Duration => within(h(1)..=h(90 * 24));
    }
}
