//! `[webhooks]`: notifications to customers' endpoints.

use std::time::Duration;

use super::{h, ms, s};
use crate::config::check::{Verdict, each, require, within};
use crate::config::size::Size;
use crate::config::table::keys;

keys! {
    /// How endpoints are called.
    pub struct Webhooks {
        /// Time for one call.
        timeout: Duration => within(ms(100)..=s(60));
        /// How much of an answer is read.
        response_max: Size => within(Size::kib(1)..=Size::mib(1));
        /// Calls to one endpoint at once.
        concurrency_per_endpoint: u32 => within(1..=256);
        /// Settled deliveries in one event.
        batch: u32 => within(1..=1000);
        /// Whether endpoints in private networks may be called.
        allow_private: bool;
        /// Ports that may be called.
        allowed_ports: Vec<u16> => each(1..=32, |port| require(*port > 0, "port 0 cannot be called", "Choose from 1 to 65535"));
        /// Waits between attempts; one attempt follows each.
        schedule: Vec<Duration> => rising;
        /// Share by which a wait is varied at random, up and down.
        jitter: f64 => within(0.0..=1.0);
        /// An endpoint that only failed for so long is disabled.
        disable_after: Duration => within(s(1)..=h(30 * 24));
    }
}

/// 1 to 20 waits, none shorter than the one before: a schedule that speeds up hammers an endpoint that is down.
fn rising(schedule: &Vec<Duration>) -> Verdict {
    each(1..=20, within(ms(1)..=h(7 * 24)))(schedule)?;
    let drop = schedule.windows(2).position(|pair| pair[1] < pair[0]);
    require(
        drop.is_none(),
        format!("element {} is shorter than the one before it", drop.map_or(0, |at| at + 1)),
        "Order the waits from the shortest to the longest",
    )
}
