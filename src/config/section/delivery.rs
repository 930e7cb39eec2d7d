//! `[delivery]` and `[pacing]`: how messages leave.

use std::time::Duration;

use super::{h, ms, s};
use crate::config::check::within;
use crate::config::choice::choice;
use crate::config::table::keys;

keys! {
    /// How a session works off its messages.
    pub struct Delivery {
        /// Messages of one session under way at once.
        window: u32 => within(1..=1024);
        // An attempt in flight holds about 8 KiB: 2048 are 16 MiB, the limit of 65,536 is 512 MiB.
        /// Messages of all sessions under way at once.
        windows_total: u32 => within(1..=65_536);
        /// Queued messages of one session kept in memory, of each priority; what overflows is found through rows.
        ring: u32 => within(1..=65_536);
        // About 2.2 KB of disk each: 2,000,000 are 4.4 GB.
        /// Messages of one tenant that may wait to leave, where it declares no other limit.
        queue_max: u32 => within(1..=100_000_000);
        /// How long an intent may be acted on after it was proposed.
        intent_deadline: Duration => within(s(1)..=s(600));
        /// How long an unknown outcome is waited for before its policy applies.
        unknown_after: Duration => within(s(1)..=h(24));
        /// Attempts of one message.
        max_attempts: u32 => within(1..=100);
        /// First wait between attempts; doubles each time.
        retry_base: Duration => within(ms(10)..=s(600));
        /// Longest wait between attempts.
        retry_cap: Duration => within(ms(10)..=h(24));
        /// How long a message may wait to be sent, by category.
        expiry: Expiry;
        /// What becomes of a message whose outcome stays unknown, by category.
        unknown: Unknown;
    }
}

// The upper bound is Meta's own: it tries to deliver for 30 days (Cloud API, "Message delivery sequence").
keys! {
    /// Default expiry by category, where the request names none.
    pub struct Expiry {
        /// Order updates and the like.
        utility: Duration => within(s(1)..=h(30 * 24));
        /// One-time codes.
        authentication: Duration => within(s(1)..=h(30 * 24));
        /// Campaigns.
        marketing: Duration => within(s(1)..=h(30 * 24));
        /// Answers within the service window.
        service: Duration => within(s(1)..=h(30 * 24));
    }
}

choice! {
    /// What becomes of a message that may or may not have been sent.
    pub enum UnknownPolicy {
        /// It waits for an operator.
        Hold = "hold",
        /// It is sent again: it may arrive twice.
        Resend = "resend",
        /// It is given up: it may not have arrived.
        Expire = "expire",
    }
}

keys! {
    /// Default policy for unknown outcomes by category, where the request names none.
    pub struct Unknown {
        /// Campaigns.
        marketing: UnknownPolicy;
        /// Order updates and the like.
        utility: UnknownPolicy;
        /// One-time codes.
        authentication: UnknownPolicy;
        /// Answers within the service window.
        service: UnknownPolicy;
    }
}

keys! {
    /// Rates before the provider lowers them. Meta: 80 per second and number by default, 1,000 after its upgrade; one
    /// message per 6 s and pair, in bursts of up to 45.
    pub struct Pacing {
        /// Messages per second and number.
        number_per_second: u32 => within(1..=1000);
        /// Messages a number may send at once after a rest.
        number_burst: u32 => within(1..=1000);
        /// Time between messages of one number to one person.
        pair_interval: Duration => within(ms(1)..=h(1));
        /// Messages of one number to one person at once after a rest.
        pair_burst: u32 => within(1..=1000);
        /// Messages per second accepted from a tenant.
        tenant_per_second: u32 => within(1..=100_000);
        /// Messages a tenant may hand in at once after a rest.
        tenant_burst: u32 => within(1..=100_000);
    }
}
