//! `[auth]`, `[runtime]`, `[telemetry]`, `[health]`: the process itself.

use std::time::Duration;

use super::{h, ms, s};
use crate::config::check::{each, log_filter, within};
use crate::config::choice::choice;
use crate::config::size::Size;
use crate::config::table::keys;

keys! {
    /// API keys.
    pub struct Auth {
        // At most 5 s: so long may a revoked key still be let in.
        /// How long a verified API key is remembered.
        key_cache: Duration => within(s(0)..=s(5));
    }
}

choice! {
    /// What a node is for.
    pub enum NodeRole {
        /// Takes messages, answers, hears Meta's callbacks.
        Api = "api",
        /// Owns partitions: sends, notifies, keeps the rows.
        Worker = "worker",
    }
}

keys! {
    /// Roles, threads and supervision.
    pub struct Runtime {
        /// What this node is for.
        roles: Vec<NodeRole> => each(1..=2, |_| Ok(()));
        /// Worker threads; 0: one per core.
        workers: u32 => within(0..=1024);
        /// Restarts of one actor within `restart_window` before it is quarantined.
        restart_budget: u32 => within(1..=1000);
        /// The time in which restarts are counted.
        restart_window: Duration => within(s(1)..=h(1));
        /// First wait before a restart; doubles each time.
        backoff_base: Duration => within(ms(1)..=s(60));
        /// Longest wait before a restart.
        backoff_cap: Duration => within(ms(1)..=s(600));
    }
}

choice! {
    /// How log lines are written.
    pub enum LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

keys! {
    /// Logs.
    pub struct Telemetry {
        /// What is logged: a level, or levels by target.
        log: String => log_filter;
        /// How it is written.
        log_format: LogFormat;
    }
}

keys! {
    /// When intake and egress stop before the disk is full, and intake before the memory is.
    pub struct Health {
        /// Free bytes below which nothing is accepted.
        disk_free_min: Size => within(Size::kib(0)..=Size::gib(1024));
        /// Free inodes below which nothing is accepted.
        inodes_free_min: u64 => within(0..=1_000_000_000);
        /// Bytes of memory in use above which no message is taken; 0: none.
        memory_max: Size => within(Size::kib(0)..=Size::gib(1024));
    }
}
