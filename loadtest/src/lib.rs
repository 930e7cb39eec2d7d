//! What Waybill is measured with: the street outside the house.
//!
//! | module | what stands there |
//! | --- | --- |
//! | [`graph`] | a simulator of Meta's Graph API for WhatsApp: sends, errors, limits, signed callbacks, faults, a journal of requests |
//! | [`sink`] | a customer's webhook receiver that verifies Standard Webhooks signatures and misbehaves on demand |
//! | [`ledger`] | joins what was acknowledged, what arrived and what was notified |
//! | [`generator`] | sends load to a target, open or closed loop, and reports latencies, rates and the ledger |
//! | [`forwarder`] | the least a router can do, plain or synced: what the product is compared with |
//! | [`compare`] | Waybill beside both forwarders in one run: medians and ratios |
//! | [`house`] | what is measured, as a child process: Waybill or a forwarder |
//! | [`scenario`] | the worst days as files, each with a verdict |
//! | [`lines`] | JSON lines files that survive a kill of their writer |
//! | [`signature`] | the two webhook signatures, written from their specifications |
//!
//! It is written from Meta's documents and public specifications, never from the types of the product, so that a misunderstanding
//! shows up as a failing run and not as agreement. Nothing in here may depend on the package `waybill`.

pub mod client;
pub mod clock;
pub mod compare;
pub mod forwarder;
pub mod generator;
pub mod graph;
pub mod house;
pub mod ledger;
pub mod lines;
pub mod proc;
pub mod scenario;
mod server;
pub mod signature;
pub mod sink;
