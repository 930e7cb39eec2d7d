//! Waybill: a self-hosted, actor-based message router whose journal is the durable mailbox of every actor.

pub mod actors;
pub mod api;
pub mod channel;
pub mod config;
pub mod domain;
pub mod journal;
pub mod node;
pub mod runtime;
pub mod store;
pub mod telemetry;
pub mod vault;
pub mod webhook;
