//! Waybill: a message router whose journal is the durable mailbox of every actor.

pub mod domain;
pub mod runtime;
pub mod vault;
