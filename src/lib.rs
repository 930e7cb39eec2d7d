//! Waybill: a message router whose journal is the durable mailbox of every actor.

pub mod channel;
pub mod domain;
pub mod runtime;
