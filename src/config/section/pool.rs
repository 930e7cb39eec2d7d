//! `[pool]`: several sessions as one sender.

use std::time::Duration;

use super::{h, ms};
use crate::config::check::within;
use crate::config::table::keys;

keys! {
    /// When a pool's people are given another number.
    pub struct Pool {
        /// A session that cannot send for so long is left by those it sends for.
        failover_after: Duration => within(ms(100)..=h(24));
    }
}
