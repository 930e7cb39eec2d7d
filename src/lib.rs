//! Waybill: a self-hosted, actor-based message router.

pub mod config;
