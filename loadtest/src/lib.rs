//! What Waybill is measured with: the street outside the house.
//!
//! | module | what stands there |
//! | --- | --- |
//! | [`graph`] | a simulator of Meta's Graph API for WhatsApp: sends, errors, limits, signed callbacks, faults, a journal of requests |
//! | [`sink`] | a customer's webhook receiver that verifies Standard Webhooks signatures and misbehaves on demand |
//! | [`ledger`] | joins what was acknowledged, what arrived and what was notified |
//! | [`lines`] | JSON lines files that survive a kill of their writer |
//! | [`signature`] | the two webhook signatures, written from their specifications |
//!
//! It is written from Meta's documents and public specifications, never from the types of the product, so that a misunderstanding
//! shows up as a failing run and not as agreement. Nothing in here may depend on the package `waybill`.

pub mod clock;
pub mod graph;
pub mod ledger;
pub mod lines;
mod server;
pub mod signature;
pub mod sink;
